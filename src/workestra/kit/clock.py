"""The only place that asks what time it is.

A machine's clock may be put back: by its time service, or when a virtual machine goes on from a snapshot. What was
written down for later then lies further ahead than it ever could, and counts as due: whoever compares says how far
ahead it may lie (`due`, and the same in SQL).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SKEW = timedelta(minutes=1)  # by which clocks of several machines may disagree


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def due(moment: datetime, *, now: datetime, longest: timedelta) -> bool:
    """Whether the moment has come, which was at most `longest` ahead when it was written down."""
    return not now < moment <= now + longest + SKEW
