"""Clocks that are wrong: what is written down as later than now was written by a clock that was fast.

Promise: a clock that is put back does not make what it wrote before beat what is told from now on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

AHEAD = timedelta(minutes=1)
"""So far may the clocks of our machines be apart without being taken for wrong."""


def impossible(*, moment: datetime | None, now: datetime) -> bool:
    """Whether something cannot have happened at this moment."""
    return moment is not None and moment > now + AHEAD
