"""How a connection is doing: one function, from stored facts and a clock (HLT 1).

signed out, or the last sync failed        -> Error
never had a successful sync                -> Never synced
last success 25 hours ago or longer        -> Stale
otherwise                                  -> Healthy
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FRESH = timedelta(hours=25)


class Health(StrEnum):
    """In the order of a badge's worry, worst first."""

    ERROR = "error"
    STALE = "stale"
    NEVER = "never"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored of a connection. `error` is set once retries are spent, cleared by a success."""

    error: bool
    first_done: bool
    last_success_at: datetime | None


def health(*, facts: Facts, now: datetime) -> Health:
    """The state to show. A last success in the future (a clock that was wrong) counts as just now."""
    if facts.error:
        return Health.ERROR
    if not facts.first_done or facts.last_success_at is None:
        return Health.NEVER
    if now - facts.last_success_at >= FRESH:
        return Health.STALE
    return Health.HEALTHY


def worst(states: Iterable[Health]) -> Health | None:
    """The one that needs attention first: Error > Stale > Never synced > Healthy. None of none."""
    order = list(Health)
    return min(states, key=order.index, default=None)
