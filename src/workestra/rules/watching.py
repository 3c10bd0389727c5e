"""Subscriptions + now -> what to do about each (SYN 1, 3, 4).

none, expired or reported removed  -> Create (and a delta sync, for what was missed)
Graph asked to be reauthorised     -> Renew (which reauthorises too)
under 24 hours left, or half of a short life -> Renew
otherwise                          -> nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

RENEW_BEFORE = timedelta(hours=24)
AFTER_PROBLEM = timedelta(minutes=10)


class Action(StrEnum):
    """What a subscription needs."""

    NOTHING = "nothing"
    CREATE = "create"
    RENEW = "renew"


@dataclass(frozen=True, slots=True)
class Watched:
    """What is stored of a subscription."""

    exists: bool
    created_at: datetime | None
    expires_at: datetime | None
    reauthorize: bool
    problem_at: datetime | None


def action(*, watched: Watched, now: datetime) -> Action:
    """What to do now. After a refusal nothing is tried for ten minutes."""
    if watched.problem_at is not None and now - watched.problem_at < AFTER_PROBLEM:
        return Action.NOTHING
    if not watched.exists or watched.expires_at is None or watched.expires_at <= now:
        return Action.CREATE
    life = watched.expires_at - (watched.created_at or now)
    if watched.reauthorize or watched.expires_at - now < min(RENEW_BEFORE, life / 2):
        return Action.RENEW
    return Action.NOTHING


def push_possible(*, public_url: str, public_loopback: bool, graph_loopback: bool) -> bool:
    """Whether Microsoft could reach us: a public https address, or both of us on this machine."""
    if public_loopback:
        return graph_loopback
    return public_url.startswith("https://")
