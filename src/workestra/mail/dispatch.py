"""What may be asked of the queue: names, locks and priorities in one place.

An unknown name would be accepted silently by the queue, so a test checks each of these against the tasks.
"""

from __future__ import annotations

from typing import Any

from workestra.kit.queue import enqueue

PULL = "mail.pull"
HISTORY = "mail.history"
WATCH = "mail.watch"
READ_STATE = "mail.read_state"
CHECK = "mail.check"
TASKS = (PULL, HISTORY, WATCH, READ_STATE, CHECK)

CLICKED = 20  # what a person has just done goes first
SOON = 10  # then what a person or a notice waits for
LATER = 0


def register(app: Any) -> None:
    """Called by the queue's Django app once it is ready."""


def pull(*, workspace: int, connection: int, urgent: bool = False) -> bool:
    """Ask for a live sync of the connection. One waits at most; one more is accepted while one runs."""
    return enqueue(
        task=PULL,
        args={"workspace": workspace, "connection": connection},
        queueing_lock=f"pull:{connection}",
        lock=f"pull:{connection}",
        priority=SOON if urgent else LATER,
    )


def history(*, workspace: int, connection: int) -> bool:
    """Ask for the connection's backfill to go on."""
    return enqueue(
        task=HISTORY,
        args={"workspace": workspace, "connection": connection},
        queueing_lock=f"history:{connection}",
        lock=f"history:{connection}",
        priority=LATER,
    )


def watch(*, workspace: int, connection: int, urgent: bool = False) -> bool:
    """Ask for the subscriptions of the connection's mailbox to be looked after."""
    return enqueue(
        task=WATCH,
        args={"workspace": workspace, "connection": connection},
        queueing_lock=f"watch:{connection}",
        lock=f"watch:{connection}",
        priority=SOON if urgent else LATER,
    )


def read_state(*, workspace: int, connection: int) -> bool:
    """Ask for Outlook to be told what was marked as read or unread."""
    return enqueue(
        task=READ_STATE,
        args={"workspace": workspace, "connection": connection},
        queueing_lock=f"read_state:{connection}",
        lock=f"read_state:{connection}",
        priority=CLICKED,
    )


def check(*, workspace: int, connection: int) -> bool:
    """Ask for the checks of the connection that somebody wants."""
    return enqueue(
        task=CHECK,
        args={"workspace": workspace, "connection": connection},
        queueing_lock=f"check:{connection}",
        lock=f"check:{connection}",
        priority=LATER,
    )
