"""One lock for a world: tests and seeding write from threads of their own while the server's loop answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Lockable(Protocol):
    """Has the lock that its verbs take."""

    lock: threading.RLock


S = TypeVar("S", bound=Lockable)


def locked(verb: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Run a method with its object's lock held; it may be taken again by the same thread."""

    @wraps(verb)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return verb(self, *args, **kwargs)

    return guarded
