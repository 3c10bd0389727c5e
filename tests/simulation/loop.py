"""An event loop whose time is virtual: waiting costs nothing, and what happens next is the same every time.

Nobody sleeps: where no task can go on, the clock jumps to the next timer. What is handed to threads runs at once,
one piece after another, while the loop stands still; its answer comes a little later, by a drawn delay, so that
tasks meet in ever new orders. Sockets to PostgreSQL are waited for in real time without the clock moving.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

REAL_WAIT = 30.0  # seconds for an answer of PostgreSQL

Through = Callable[[Callable[[], Any], "asyncio.Future[Any]"], None]


class Stuck(Exception):
    """Every task waits for something that nobody will do."""


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        if len(self.get_map()) > 1:  # besides the loop's own pipe, somebody waits for a socket
            events = super().select(REAL_WAIT)
            if not events:
                raise Stuck("PostgreSQL does not answer")
            return list(events)
        events = super().select(0)
        if not events:
            if timeout is None:
                raise Stuck("nothing is due any more")
            self.loop.moment += max(0.0, timeout)
        return list(events)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds since its start are `moment`. `through` decides how the work for threads is done."""

    def __init__(self) -> None:
        self.moment = 0.0
        self.through: Through = self.at_once
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Virtual seconds."""
        return self.moment

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Do it now; see `through`."""
        future = self.create_future()
        self.through(lambda: func(*args), future)
        return future

    @staticmethod
    def done(work: Callable[[], Any]) -> Future[Any]:
        """Run it while no loop is to be seen, as in a thread of its own."""
        ran: Future[Any] = Future()
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        try:
            ran.set_result(work())
        except Exception as problem:
            ran.set_exception(problem)
        finally:
            asyncio._set_running_loop(loop)
        return ran

    def at_once(self, work: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        """Without any fault or delay."""
        settle(future, self.done(work))


def settle(future: asyncio.Future[Any], ran: Future[Any]) -> None:
    """Hand the outcome of a thread to whoever awaits it, unless they left."""
    if future.done():
        return
    problem = ran.exception()
    if problem is not None:
        future.set_exception(problem)
    else:
        future.set_result(ran.result())
