"""Proof: a worker killed (-9) ten times during a backfill loses nothing and doubles nothing (BKF 5, I7).

Everything is real: the sandbox over HTTP, an embedded PostgreSQL, `workestra web` and `workestra worker` as
processes, a sign-in through the sandbox's pages. Each kill happens while a page is in flight; two of them
inside the transaction that stores a page, proven by stopping the worker first (SIGSTOP) and looking at
PostgreSQL before it is killed. Meanwhile somebody works in Outlook: reads, files, deletes and receives mail.
Nobody presses anything. In the end `workestra export` is compared with what the sandbox says is true.

    .venv/bin/python scripts/prove_kills.py [--messages 20000] [--kills 10] [--inside 2]
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from m365sandbox import app as sandbox_app  # noqa: E402
from m365sandbox.identity.visitor import Visitor  # noqa: E402
from workestra.project.cli import ports  # noqa: E402
from workestra.rules.tracking import UNTRACKED  # noqa: E402

CLI = (sys.executable, "-m", "workestra.project.cli")
EMAIL, PASSWORD = "ana@proof.example", secrets.token_urlsafe(16)


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
        """End what was started."""
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

    def connect(self, *, address: str) -> None:
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
                "/login", data={"email": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": _csrf(page.text)}
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


class Witness:
    """Sees from outside whether a page is in flight, and whether a page's transaction is open."""

    def __init__(self, *, world: Any, key: tuple[str, str], database: str) -> None:
        self.world = world
        self.key = key
        self.database = psycopg.connect(database, autocommit=True)

    def in_flight(self) -> int:
        """Requests that the sandbox has not answered yet."""
        return int(self.world.throttle.running(self.key))

    def inside_absorb(self) -> bool:
        """Whether a backend has written messages in a transaction that is not committed."""
        rows = self.database.execute(
            "select 1 from pg_stat_activity a join pg_locks l on l.pid = a.pid"
            " join pg_class c on c.oid = l.relation"
            " where a.datname = 'workestra' and a.xact_start is not null and a.backend_xid is not null"
            " and c.relname = 'mail_message' and l.mode = 'RowExclusiveLock' and l.granted limit 1"
        ).fetchall()
        return bool(rows)

    def stored(self) -> int:
        """Rows in the store, whatever workspace."""
        row = self.database.execute("select count(*) from mail_message").fetchone()
        return int(row[0]) if row else 0

    def state(self) -> tuple[str, str, int]:
        """State, phase and progress of the backfill."""
        row = self.database.execute(
            "select state, phase, pulled from mail_backfill order by id desc limit 1"
        ).fetchone()
        return (row[0], row[1], row[2]) if row else ("", "", 0)


def kill(*, worker: subprocess.Popen[bytes], witness: Witness, inside: bool, deadline: float) -> str:
    """Kill the worker at the wanted instant: stop it, look, and only then kill it."""
    while time.monotonic() < deadline:
        worker.send_signal(signal.SIGSTOP)
        time.sleep(0.03)
        flying, open_ = witness.in_flight(), witness.inside_absorb()
        if flying and (open_ or not inside):
            worker.kill()
            worker.wait()
            return f"{flying} pages in flight" + (", inside the transaction of a page" if open_ else "")
        worker.send_signal(signal.SIGCONT)
        time.sleep(random.uniform(0.02, 0.12))
    raise SystemExit("the wanted instant never came: use more messages")


def work_in_outlook(*, box: Any, letters: list[Any], chance: random.Random) -> int:
    """What its owner does meanwhile. Returns how many things."""
    items = [item for item in box.truth() if item.folder.well_known in ("inbox", "archive", "sentitems")]
    for item in chance.sample(items, 12):
        box.mark_read(item, not item.is_read)
    for item in chance.sample(items, 4):
        box.move(item, "archive")
    for item in chance.sample(items, 3):
        if not item.gone:
            box.delete(item)
    for _ in range(3):
        if letters:
            box.deliver(letters.pop())
    return 22


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


def main() -> int:
    """Run the proof; 0 if nothing differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--inside", type=int, default=2)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--latency", type=float, default=150, help="ms a request")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    address = "ana@larkfield.example"
    print(f"A mailbox of {asked.messages:,} messages, {asked.kills} kills, {asked.inside} inside a transaction.")
    world = sandbox_app.create_world(asked.seed, people={address: asked.messages})
    box = world.mailbox_of(address)
    more = [letter for letter, _ in sandbox_app.seed.letters(address, world.directory, 200, 991, world.clock())]
    app = next(iter(world.directory.apps.values()))
    with tempfile.TemporaryDirectory(prefix="workestra-proof-") as folder:
        handle = sandbox_app.serve_in_thread(world)
        product = Product(
            home=Path(folder), sandbox=handle.url, client_id=app.client_id, client_secret=app.client_secret
        )
        try:
            return _prove(asked, chance, world, box, more, handle.url, product, address)
        finally:
            product.stop()
            handle.stop()


def _prove(
    asked: argparse.Namespace,
    chance: random.Random,
    world: Any,
    box: Any,
    more: list[Any],
    sandbox: str,
    product: Product,
    address: str,
) -> int:
    product.run("migrate")
    product.run(
        *("create-user", EMAIL, "--name", "Ana", "--workspace", "Proof", "--role", "owner", "--password-stdin"),
        stdin=PASSWORD,
    )
    product.start("web", "--port", str(product.port))
    product.connect(address=address)
    world.latency(asked.latency, 0.2)
    from workestra.project import postgres

    app = next(iter(world.directory.apps.values()))
    key = (app.client_id, world.directory.person(address=address).id)
    witness = Witness(world=world, key=key, database=postgres.embedded_url(home=product.home))
    product.run("backfill", address, "--range", "all")
    worker = product.start("worker")
    changes = 0
    begun = time.monotonic()
    for number in range(1, asked.kills + 1):
        goal = asked.messages * number // (asked.kills + 2)
        while witness.state()[2] < goal and witness.state()[0] != "done":
            time.sleep(0.05)
        if witness.state()[0] == "done":
            raise SystemExit("it was done before all kills: use more messages")
        inside = number in range(3, 3 + asked.inside)
        how = kill(worker=worker, witness=witness, inside=inside, deadline=time.monotonic() + 60)
        at = witness.state()
        changes += work_in_outlook(box=box, letters=more, chance=chance)
        print(f"kill {number:2}: {how}; {at[2]:,} pulled, {witness.stored():,} rows", flush=True)
        worker = product.start("worker")
    while witness.state()[0] != "done":
        time.sleep(0.2)
        if worker.poll() is not None:
            raise SystemExit("the worker ended by itself")
        if time.monotonic() - begun > 1800:
            raise SystemExit(f"not done after half an hour: {witness.state()}")
    print(f"done after {time.monotonic() - begun:.0f} s; {changes} things were done in Outlook meanwhile", flush=True)
    return _judge(product, sandbox, address, world)


def _judge(product: Product, sandbox: str, address: str, world: Any) -> int:
    """Wait until the live lane has caught up too, then compare; print what differs if anything."""
    counts: dict[str, int] = {}
    told: list[str] = []
    for _ in range(60):
        counts, told = differences(product=product, sandbox=sandbox, address=address)
        if not told and not counts["twice"]:
            break
        time.sleep(2)
    for name, count in counts.items():
        print(f"{name:>14}: {count:,}")
    for line in told[:20]:
        print(line)
    deletions = world.requests.by_method["DELETE"]
    moves = sum(one.method == "POST" and one.path.endswith(("/move", "/copy")) for one in world.requests.entries)
    print(
        f"requests {world.requests.total:,}; 429s {world.requests.by_status[429]}; DELETE {deletions}, moves {moves}"
    )
    good = not told and not counts["twice"] and not deletions and not moves
    print("PROVEN: the store equals the mailbox." if good else "NOT PROVEN.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
