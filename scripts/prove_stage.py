"""What the proofs with real processes share: the product's processes, a sign-in, and the judge of equality."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from m365sandbox.identity.visitor import Visitor  # noqa: E402
from workestra.project import embedded  # noqa: E402
from workestra.project.cli import ports  # noqa: E402
from workestra.rules.tracking import UNTRACKED  # noqa: E402

CLI = (sys.executable, "-m", "workestra.project.cli")
PASSWORD = secrets.token_urlsafe(16)


class Product:
    """Database, web and worker of a fresh home."""

    def __init__(self, *, home: Path, sandbox: str, client_id: str, client_secret: str) -> None:
        self.port = ports.next_free(start=8100)
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("WORKESTRA_", "_WORKESTRA"))}
        self.env = kept | {
            "WORKESTRA_HOME": str(home),
            "WORKESTRA_PUBLIC_URL": self.url,
            "WORKESTRA_SECRET_KEY": secrets.token_urlsafe(50),
            "WORKESTRA_TOKEN_KEYS": "k1:" + base64.b64encode(os.urandom(32)).decode(),
            "WORKESTRA_MICROSOFT_CLIENT_ID": client_id,
            "WORKESTRA_MICROSOFT_CLIENT_SECRET": client_secret,
            "WORKESTRA_MICROSOFT_AUTHORITY": f"{sandbox}/common",
            "WORKESTRA_GRAPH_URL": f"{sandbox}/v1.0",
            "WORKESTRA_LIGHT_SYNC_MINUTES": "0.2",
            "PYTHONPATH": str(ROOT / "src"),
        }
        self.home = home
        self.log = (home / "product.log").open("ab")
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *words: str, stdin: str = "") -> str:
        """One command of the command line."""
        done = subprocess.run([*CLI, *words], env=self.env, input=stdin, text=True, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"workestra {' '.join(words)} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A long-running command."""
        process = subprocess.Popen([*CLI, *words], env=self.env, stdout=self.log, stderr=self.log)
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End what was started, PostgreSQL with it: nothing may write below `home` any more."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()
        embedded.leave(home=self.home)

    def create_user(self, *, email: str, workspace: str) -> None:
        """An owner of a workspace."""
        seat = ("--name", email.partition("@")[0].title(), "--workspace", workspace, "--role", "owner")
        self.run("create-user", email, *seat, "--password-stdin", stdin=PASSWORD)

    def connect(self, *, email: str, address: str) -> None:
        """Sign in to the product, then at the sandbox's pages, as a person would."""
        with httpx2.Client(base_url=self.url, follow_redirects=False, trust_env=False) as browser:
            deadline = time.monotonic() + 60
            while True:
                try:
                    page = browser.get("/login")
                    break
                except httpx2.TransportError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.3)
            browser.post(
                "/login", data={"email": email, "password": PASSWORD, "csrfmiddlewaretoken": _csrf(page.text)}
            )
            settings = browser.get("/settings/integrations/outlook")
            begun = browser.post(
                "/settings/integrations/outlook/begin", data={"csrfmiddlewaretoken": _csrf(settings.text)}
            )
            with httpx2.Client(follow_redirects=False, trust_env=False) as microsoft:
                back = Visitor(microsoft).sign_in(begun.headers["location"], address=address, password="sandbox")
            returned = browser.get(back.url)
            if "choose_range" not in returned.headers.get("location", ""):
                raise SystemExit(f"connecting failed: {returned.status_code} {returned.headers.get('location')}")


def _csrf(html: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    if not found:
        raise SystemExit("no form token on the page")
    return found[1]


def tracked(line: dict[str, Any], folders: dict[str, dict[str, Any]]) -> bool:
    """Whether the folder of a line of truth, or one above it, is none that is left out by default."""
    here: dict[str, Any] | None = folders.get(line["folderId"])
    while here is not None:
        if here["wellKnown"] in UNTRACKED:
            return False
        here = folders.get(here["parentId"] or "")
    return True


def differences(*, product: Product, sandbox: str, address: str) -> tuple[dict[str, int], list[str]]:
    """Outlook's truth against `workestra export`, id by id and field by field."""
    with httpx2.Client(base_url=sandbox, trust_env=False, timeout=120) as client:
        truth = [json.loads(line) for line in client.get(f"/_sandbox/mailboxes/{address}/truth").text.splitlines()]
        listed = client.get(f"/_sandbox/mailboxes/{address}/folders").json()
    folders = {one["id"]: one for one in (listed["value"] if isinstance(listed, dict) else listed)}
    theirs = {one["id"]: one for one in truth if tracked(one, folders)}
    ours: dict[str, dict[str, Any]] = {}
    doubled = 0
    for line in product.run("export", address, "--format", "jsonl").splitlines():
        one = json.loads(line)
        doubled += one["immutableId"] in ours
        ours[one["immutableId"]] = one
    told = []
    wrong = 0
    for key in theirs.keys() & ours.keys():
        a, b = theirs[key], ours[key]
        pairs = {
            "folder": (a["folderId"], b["folderId"]),
            "read": (a["isRead"], b["isRead"]),
            "body": (a["bodySha256"], b["bodySha256"]),
            "flag": (a["flag"], b["flag"]),
            "categories": (sorted(a["categories"]), sorted(b["categories"])),
        }
        bad = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        if bad:
            wrong += 1
            told.append(f"{key[:40]} {a['subject'][:40]!r}: {bad}")
    missing, surplus = theirs.keys() - ours.keys(), ours.keys() - theirs.keys()
    told += [f"missing {theirs[key]['subject'][:50]!r} in {theirs[key]['folder']}" for key in list(missing)[:10]]
    told += [f"surplus {ours[key]['subject'][:50]!r} in {ours[key]['folder']}" for key in list(surplus)[:10]]
    counts = {
        "in Outlook": len(theirs),
        "in the store": len(ours),
        "missing": len(missing),
        "surplus": len(surplus),
        "twice": doubled,
        "different": wrong,
    }
    return counts, told
