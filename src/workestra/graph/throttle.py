"""How long to wait: what Microsoft asks for, or a back-off where it asks for nothing.

RFC 9110 section 10.2.3 (Retry-After); Graph: "Microsoft Graph throttling guidance". Nothing is kept here:
who waits, and for which mailbox, is the caller's to store.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 86_400.0
"""Seconds. A wait above a day is taken for nonsense and cut."""


def parse_retry_after(*, value: str | None, now: datetime | None) -> float | None:
    """Seconds to wait, from seconds, decimals ("2.128") or an HTTP date; None where absent or unreadable.

    `now` is the moment of the answer; its own Date header is the best source, for it shares Microsoft's
    clock.
    """
    text = (value or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = http_date(text)
        if moment is None or now is None:
            return None
        seconds = (moment - now).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def http_date(value: str | None) -> datetime | None:
    """The moment that an HTTP date names, with its zone; None where it cannot be read."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def back_off(*, attempt: int, random: Callable[[], float], base: float = 1.0, cap: float = 300.0) -> float:
    """Seconds before attempt number `attempt` + 1 (the first failure is attempt 1), with full jitter.

    `random` gives a number of [0, 1), as `random.random` does.
    """
    return random() * min(cap, base * 2.0 ** min(max(attempt - 1, 0), 32))


def wait_after(*, retry_after: float | None, attempt: int, random: Callable[[], float]) -> float:
    """Seconds to wait after a failure: never less than Microsoft asked for, spread so that waiters do not
    meet.
    """
    if retry_after is None:
        return back_off(attempt=attempt, random=random)
    return retry_after + random() * min(1.0, 0.1 + retry_after * 0.1)
