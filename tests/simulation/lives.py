"""Processes of the product inside one process: each has a life, and a life can end at any await or durable step.

A dead one does nothing more: what it hands to a thread is not run, what it asks for does not leave, and nothing of
what it would clean up is cleaned up. That is kill -9, without the process.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any


class Killed(BaseException):
    """This life is over. Not an Exception: no handler of the product's takes it for a failure."""


@dataclass(eq=False)
class Life:
    """One process. `skew`: how far its clock is off, in seconds. `steps_left`: dies there, None: not planned."""

    name: str
    skew: float = 0.0
    dead: bool = False
    steps_left: int | None = None
    before: bool = False  # dies before the step takes effect, else after
    held: set[str] = field(default_factory=set)  # its request slots
    holds: asyncio.Event = field(default_factory=asyncio.Event)  # it has some
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def start(self, work: Any) -> asyncio.Task[Any]:
        """A task that lives and dies with it."""
        context = copy_context()
        context.run(current.set, self)
        task = asyncio.get_running_loop().create_task(work, context=context)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def kill(self) -> None:
        """Now."""
        self.dead = True
        for task in list(self.tasks):
            task.cancel()


current: ContextVar[Life | None] = ContextVar("life", default=None)


class Holders:
    """Stands in for the set of slots that a process holds: each life has its own."""

    def add(self, holder: str) -> None:
        """The life that runs took a slot."""
        life = current.get()
        if life is not None:
            life.held.add(holder)
            life.holds.set()  # the loop stands still while this thread runs

    def discard(self, holder: str) -> None:
        """It gave it back."""
        life = current.get()
        if life is not None:
            life.held.discard(holder)

    def __iter__(self) -> Any:
        return iter(())
