"""The embedded PostgreSQL of a home: started by the first process that uses it, stopped by the last (OPS 1).

    join --> (not running: never started, ended, killed) --> initdb, the first time --> pg_ctl start --> in use
    leave, at the end of each process --> (others use it) nothing | (the last one) stop

A user holds a shared lock on a file. The kernel lets go of it however a process ends, so one that was killed
never keeps the server running: a witness, started with the server, looks each second whether anybody uses it
still, and stops it otherwise. The programs come out of a Python package; the data lies in `HOME/postgres`.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from workestra.project import embedded_tools as tools
from workestra.project.embedded_tools import NoServer as NoServer

LONGEST_FOLDER = 90  # bytes of a folder in whose name PostgreSQL can still make its socket
SHORT = "workestra-pg-"
WITNESS = "workestra.project.embedded_witness"

_joined: dict[Path, tuple[int, IO[str]]] = {}


def folder_of(*, home: Path) -> Path:
    """Where the data of a home lies."""
    return home.expanduser().resolve() / "postgres"


def join(*, home: Path) -> Path:
    """Count this process as a user, start the server unless it runs, and return the folder of its socket.

    Raises:
        NoServer: it does not start.
    """
    folder = folder_of(home=home)
    with _one_at_a_time(folder), _undisturbed():
        use(home=home)
        if not running(home=home):
            try:
                _start(folder)
            except OSError as problem:
                raise NoServer(str(problem)) from None
    return _socket_folder(folder)


def use(*, home: Path) -> None:
    """Count this process as a user until it ends, and start nothing: somebody else does that."""
    folder = folder_of(home=home)
    if folder in _joined and _joined[folder][0] == os.getpid():
        return
    users = _opened(folder.parent / "postgres.users")
    fcntl.flock(users, fcntl.LOCK_SH)
    _joined[folder] = (os.getpid(), users)
    atexit.register(leave, home=home)


def leave(*, home: Path) -> None:
    """Use it no longer; the last user stops the server."""
    folder = folder_of(home=home)
    if folder not in _joined or _joined[folder][0] != os.getpid() or not folder.parent.exists():
        return
    with _one_at_a_time(folder), _undisturbed(), _joined.pop(folder)[1] as users:
        if _is_last(users):
            _stop(folder)
            witness = _witness(folder)
            if witness is not None:
                os.kill(witness, signal.SIGKILL)
                _await_end(witness, WITNESS, 5.0)


def watch(*, home: Path) -> None:
    """Be the witness: return once nobody uses the server any more, and it has stopped."""
    folder = folder_of(home=home)
    while folder.parent.exists():
        with _one_at_a_time(folder), _opened(folder.parent / "postgres.users") as users:
            if _is_last(users):
                _stop(folder)
                return
        time.sleep(1)


def running(*, home: Path) -> bool:
    """Whether the server's first process lives. Another program that has got its number is not taken for it."""
    return _postmaster(folder_of(home=home)) is not None


def last_words(*, home: Path) -> str:
    """The last complaint in the server's log, or an empty text."""
    try:
        lines = (folder_of(home=home) / "log").read_text(errors="replace").splitlines()[-40:]
    except OSError:
        return ""
    return next((line for line in reversed(lines) if "FATAL" in line or "PANIC" in line), "")


def is_socket_folder(*, path: str) -> bool:
    """Whether an embedded server has its socket in this folder."""
    name = Path(path).name
    return name == "postgres" or name.startswith(SHORT)


def _socket_folder(folder: Path) -> Path:
    """The data's own folder, or one with a short name where a socket cannot have that one."""
    if len(os.fsencode(folder)) <= LONGEST_FOLDER and "," not in str(folder):
        return folder
    return Path(tempfile.gettempdir()) / (SHORT + hashlib.sha256(os.fsencode(folder)).hexdigest()[:16])


def _postmaster(folder: Path) -> int | None:
    try:
        number = int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return number if _runs(number, str(folder)) else None


def _runs(number: int, word: str) -> bool:
    """Whether a living process has this number, and the word on its command line."""
    try:
        os.kill(number, 0)
    except PermissionError:
        pass
    except OSError:
        return False
    try:
        return os.fsencode(word) in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return not Path("/proc/self").exists()


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _witness(folder: Path) -> int | None:
    """The number of the living witness, if there is one."""
    try:
        number = int((folder.parent / "postgres.users").read_text())
    except (OSError, ValueError):
        return None
    return number if _runs(number, WITNESS) else None


def _start(folder: Path) -> None:
    if folder.exists():
        tools.must_be_ours(folder=folder)
    if not (folder / "PG_VERSION").exists():
        _make(folder)
    socket = _socket_folder(folder)
    if socket != folder:
        socket.mkdir(mode=0o700, exist_ok=True)
        tools.give(folder=socket)
        tools.must_be_ours(folder=socket)
    # PostgreSQL takes a dead server for a living one while its number is in use, by whatever program.
    for left in (folder / "postmaster.pid", socket / ".s.PGSQL.5432.lock"):
        left.unlink(missing_ok=True)
    # The port names the socket's file and nothing else; said aloud, because PGPORT would change it.
    how = f'-h "" -p 5432 -k {shlex.quote(str(socket))}'
    start = ("-w", "-t", "60", "-o", how, "-l", str(folder / "log"), "-D", str(folder), "start")
    tools.run(program="pg_ctl", arguments=start, folder=folder)
    if _witness(folder) is None:
        source = str(Path(__file__).parents[2])
        number = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", WITNESS, str(folder.parent)],
            {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))},
            file_actions=[(os.POSIX_SPAWN_OPEN, one, os.devnull, os.O_RDWR, 0) for one in (0, 1, 2)],
            setsid=True,
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
        )
        (folder.parent / "postgres.users").write_text(str(number))


def _stop(folder: Path) -> None:
    """In good order (SIGINT: sessions are ended, work is rolled back), or at once where that takes too long."""
    number = _postmaster(folder)
    for how, patience in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0)):
        if number is not None and _runs(number, str(folder)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, how)
            _await_end(number, str(folder), patience)


def _await_end(number: int, word: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while _runs(number, word) and time.monotonic() < deadline:
        time.sleep(0.01)


def _make(folder: Path) -> None:
    """Make the data's folder in one step: what an interrupted initdb leaves behind is no server."""
    part = folder.with_name("postgres.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    tools.give(folder=part)
    # The order of words and the language of the log do not follow the machine's locale, which may change.
    how = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8", "--auth=trust")
    tools.run(program="initdb", arguments=(*how, "-U", "postgres", "-D", str(part)), folder=part)
    with contextlib.suppress(FileNotFoundError):
        folder.rmdir()  # an empty one would be in the way
    part.rename(folder)


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Start and stop are done by one process at a time."""
    with _opened(folder.parent / "postgres.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except OSError as problem:
        raise NoServer(f"{path} cannot be opened: {problem.strerror}") from None


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A signal to end waits until the server is up or down: half a start leaves a server that nobody knows of."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    before = {
        number: signal.signal(number, lambda got, frame: caught.append(got))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) not in (signal.SIG_IGN, None)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])
