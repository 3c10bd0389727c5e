"""The folder of a demo: its secrets, its lock and its logs."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from workestra.project import env_checks
from workestra.project.cli.problem import Code, Problem

NAMES = SECRET_KEY, TOKEN_KEYS, PASSWORD = "WORKESTRA_SECRET_KEY", "WORKESTRA_TOKEN_KEYS", "DEMO_PASSWORD"


@dataclass(slots=True)
class Home:
    """A demo's folder. As a context it lets go of its lock at the end."""

    folder: Path
    secrets: dict[str, str]
    _lock: IO[str]

    def __enter__(self) -> Home:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    @property
    def password(self) -> str:
        """With which the people of the demo sign in to Workestra."""
        return self.secrets[PASSWORD]

    def log(self, name: str) -> Path:
        """A child's log, begun anew."""
        path = self.folder / "log" / f"{name}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        return path


def open_home(*, folder: Path) -> Home:
    """Make or reuse the folder, and lock it.

    Raises:
        Problem: another demo runs there, it is the home of an installation that is no demo, or none can be.
    """
    folder = folder.expanduser().absolute()
    try:
        env_checks.home(folder)
        env_checks.must_be_writable(folder)
    except ValueError as problem:
        raise Problem(f"--home {problem}. Choose another folder.", code=Code.USAGE) from None
    kept = folder / "demo.env"
    if (folder / "postgres").exists() and not kept.exists():
        raise Problem(
            f"{folder} is the home of an installation, not of a demo. Choose another folder with --home.",
            code=Code.USAGE,
        )
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "demo.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Problem(f"A demo is running in {folder} already. End it, or choose another --home.") from None
    try:
        return Home(folder, _secrets(kept), lock)
    except BaseException:
        lock.close()
        raise


def _secrets(path: Path) -> dict[str, str]:
    """Read the secrets of this demo, or make them. The file is its owner's alone."""
    if path.exists():
        lines = (line.partition("=") for line in path.read_text().splitlines() if line and not line.startswith("#"))
        found = {name: value for name, _, value in lines}
        if not all(found.get(name) for name in NAMES):
            raise Problem(f"{path} is damaged. Delete {path.parent} to begin anew, or choose another --home.")
        return found
    made = {
        SECRET_KEY: secrets.token_urlsafe(50),
        TOKEN_KEYS: "demo:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        PASSWORD: f"paper-boat-{secrets.token_hex(3)}",
    }
    text = "# Secrets of this demo, made by `workestra demo`. Delete the folder to begin anew.\n"
    text += "".join(f"{name}={value}\n" for name, value in made.items())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return made
