"""The whole product and its sandbox as `workestra demo` starts them, on ports and in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY = "Ctrl-C ends everything."
LONGEST_START = 180.0


@dataclass(frozen=True)
class Stack:
    """Where everything listens."""

    page: str
    sandbox: str
    email: str
    password: str

    def outlook(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the sandbox's control API."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.sandbox}/_sandbox{path}",
            method=method,
            data=json.dumps(body or {}).encode() if method != "GET" else None,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def is_read(self, subject: str) -> bool:
        """Whether Outlook has the person's letter with this subject as read."""
        address = f"{self.sandbox}/_sandbox/mailboxes/{self.email}/truth"
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=20) as answer:
            lines = [json.loads(line) for line in answer]
        [found] = [one for one in lines if one["subject"] == subject]
        return bool(found["isRead"])

    def deliver(self, subject: str, **more: Any) -> dict[str, Any]:
        """A letter arrives in the mailbox of the person who signs in."""
        letter = {
            "subject": subject,
            "from": {"address": "dora@outside.example", "name": "Dora Quill"},
            "to": [self.email],
        }
        found: dict[str, Any] = self.outlook("POST", f"/mailboxes/{self.email}/letters", letter | more)
        return found

    def in_outlook(self, verb: str, message: dict[str, Any], **more: Any) -> None:
        """The person marks, moves or deletes a message in Outlook."""
        self.outlook("POST", f"/mailboxes/{self.email}/messages/{verb}", {"id": message["id"], **more})


class Process:
    """`workestra demo` in a process group; `stop` ends it as Ctrl-C does."""

    def __init__(self, *, messages: int) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="workestra-journey-")
        env = {
            name: value for name, value in os.environ.items() if not name.startswith(("WORKESTRA_", "_WORKESTRA_"))
        }
        command = [sys.executable, "-m", "workestra.project.cli", "demo", "--no-color"]
        command += ["--home", self._home.name, "--port", "8600", "--messages", str(messages)]
        self._process = subprocess.Popen(
            command,
            env=env | {"PYTHONUNBUFFERED": "1"},
            cwd=Path(__file__).resolve().parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._lines.extend(iter(self._process.stdout.readline, ""))

    def ready(self) -> Stack:
        """Wait until everything answers. Raises AssertionError with what was said."""
        end = time.monotonic() + LONGEST_START
        while time.monotonic() < end and not any(READY in line for line in self._lines):
            assert self._process.poll() is None, "".join(self._lines)
            time.sleep(0.2)
        said = "".join(self._lines)
        assert READY in said, said

        def after(label: str) -> str:
            found = re.search(rf"^\s*{label}\s+(\S+)", said, re.MULTILINE)
            assert found, said
            return found[1]

        return Stack(page=after("Open"), sandbox=after("Sandbox"), email=after("Sign in"), password=after("Password"))

    def stop(self) -> None:
        """Ctrl-C, and wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(10)
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._home.cleanup()
