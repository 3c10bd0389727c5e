"""Clocks that are wrong: what is written down as later than now was written by a clock that was fast.

Promise: a clock that is put back does not make what it wrote before beat what is told from now on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

AHEAD = timedelta(minutes=1)
"""So far may the clocks of our machines be apart without being taken for wrong."""
BACKDATED = timedelta(minutes=5)
"""So far before the moment of signing in does Microsoft date an id_token."""


def since_signing_in(*, issued_at: datetime | None, now: datetime) -> datetime:
    """The moment from which mail is new to somebody who signs in `now`; where our clock is fast, Microsoft's word."""
    if issued_at is not None and now - issued_at > BACKDATED + AHEAD:
        return issued_at
    return now


def impossible(*, moment: datetime | None, now: datetime) -> bool:
    """Whether something cannot have happened at this moment."""
    return moment is not None and moment > now + AHEAD
