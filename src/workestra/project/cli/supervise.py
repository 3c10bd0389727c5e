"""Child processes that live and die with this one.

    start --> running --> died --> (restart: a pause that doubles) --> running
                 \\--> stop: SIGTERM to all, some seconds, SIGKILL to the rest

Each child leads a process group of its own, so that Ctrl-C in the terminal reaches this process alone and the
children end in good order; where Linux can do it, a child is also ended when this process is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from workestra.project.parent import end_with_parent

PATIENCE = 8.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
GOOD_LIFE = 60.0


class Ended(BaseException):
    """A signal asked this process to end. Not an Exception: nothing but the top may swallow it."""

    def __init__(self, *, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def signals_end() -> Iterator[None]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP raises Ended; later ones wait for the orderly end."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, frame: FrameType | None) -> None:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        raise Ended(number=number)

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def pause_after(*, failures: int) -> float:
    """Seconds to wait before something that failed this often in a row is started again."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 16)) if failures else 0.0


@dataclass(slots=True)
class Child:
    """One process. `log`: where its output goes; None: where ours goes. `restart`: start it again if it dies."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path | None = None
    restart: bool = True
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    next_at: float = field(default=float("inf"))

    def start(self) -> None:
        """Start it."""
        parent = os.getpid()

        def before() -> None:
            # Signals that the parent ignores would be ignored by the child, too.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            end_with_parent(parent=parent, number=signal.SIGTERM)

        with contextlib.ExitStack() as stack:
            out = stack.enter_context(self.log.open("ab")) if self.log else None
            self.process = subprocess.Popen(
                list(self.command),
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT if out else None,
                start_new_session=True,
                preexec_fn=before,
            )
        self.started_at, self.next_at = time.monotonic(), float("inf")

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        """A signal to the child and to whatever it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def last_words(self, *, lines: int = 15) -> str:
        """The end of its log."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Supervisor:
    """Starts children, restarts those that die, ends all. `say` is told what happens, a sentence at a time."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self._say = say
        self.children: list[Child] = []

    def start(self, child: Child) -> None:
        """Start and keep it."""
        self.children.append(child)
        child.start()

    def fallen(self) -> Child | None:
        """A child that died and has not been started again, if there is one."""
        return next((one for one in self.children if not one.alive), None)

    def watch(self) -> Child:
        """Restart what dies. Returns only when a child dies that is not to be restarted: that child."""
        while True:
            for child in self.children:
                if child.alive:
                    continue
                if not child.restart:
                    return child
                self._revive(child)
            time.sleep(0.2)

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        if child.next_at == float("inf"):
            child.failures = 0 if now - child.started_at > GOOD_LIFE else child.failures + 1
            pause = pause_after(failures=child.failures)
            status = child.process.returncode if child.process else None
            child.next_at = now + pause
            self._say(f"{child.name} ended with status {status}; it starts again in {pause:.0f} s")
            child.send(signal.SIGKILL)  # whatever it left behind would be in the way of the next
        elif now >= child.next_at:
            child.start()

    def stop(self) -> None:
        """End every child: asked first, killed after some seconds. Returns when all are gone."""
        for child in self.children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while any(child.alive for child in self.children) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in self.children:
            child.send(signal.SIGKILL)  # the rest of its group too, if the leader left somebody behind
            if child.process is not None:
                child.process.wait()
