"""Subscriptions + now -> what to do about each (SYN 1, 3, 4).

none, expired or reported removed  -> Create (and a delta sync, for what was missed)
Graph asked to be reauthorised     -> Renew (which reauthorises too)
under 24 hours left, or half of a short life -> Renew
otherwise                          -> nothing

Microsoft does not promise that notices come (Graph: "missed"). Where a sync finds new mail, and in all the time since
the sync before it no notice came at all although the subscription lived, that is remembered; if none comes in the
minutes that a notice may take, push is silent, until the next notice comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

RENEW_BEFORE = timedelta(hours=24)
AFTER_PROBLEM = timedelta(minutes=10)
GRACE = timedelta(minutes=5)  # Graph: a notice of a message takes three minutes at the most
SILENT_EVERY = timedelta(minutes=2)
SILENT_SELDOM = timedelta(minutes=8)
"""How often a mailbox is looked at whose push is silent: while mail comes, and in the end while none does."""


class Action(StrEnum):
    """What a subscription needs."""

    NOTHING = "nothing"
    CREATE = "create"
    RENEW = "renew"


class Push(StrEnum):
    """How new mail of a mailbox comes to be known (SYN 6)."""

    PUSH = "push"  # Microsoft announces it
    SILENT = "silent"  # it should, and does not
    STARTING = "starting"  # that is being set up
    UNREACHED = "unreached"  # Microsoft tried, and got no proper answer from this server
    REFUSED = "refused"  # Microsoft would not, for another reason
    SCHEDULE = "schedule"  # it is not attempted: no address of ours, or a shared mailbox


HANDSHAKE = "handshake"
"""The problem of a subscription for which Microsoft could not validate our address."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is stored of a subscription."""

    exists: bool
    created_at: datetime | None
    expires_at: datetime | None
    reauthorize: bool
    problem_at: datetime | None
    problem: str = ""
    last_notice_at: datetime | None = None
    untold_at: datetime | None = None  # mail came untold, the first time
    found_at: datetime | None = None  # the last time


def _alive(watched: Watched, now: datetime) -> bool:
    return watched.exists and watched.expires_at is not None and watched.expires_at > now


def _quiet_since(watched: Watched, moment: datetime) -> bool:
    return watched.last_notice_at is None or watched.last_notice_at < moment


def untold(*, watched: Watched, since: datetime | None, now: datetime) -> bool:
    """New mail was found that came after `since`, the sync before this one: whether no notice told of anything."""
    if since is None or watched.created_at is None or watched.created_at > since:
        return False
    return _alive(watched, now) and _quiet_since(watched, since)


def doubtful(*, watched: Watched, now: datetime) -> bool:
    """Whether mail came untold since the subscription was made, and no notice since."""
    at, made = watched.untold_at, watched.created_at
    if at is None or made is None or at < made:
        return False
    return _alive(watched, now) and _quiet_since(watched, at)


def silent(*, watched: Watched, now: datetime) -> bool:
    """Whether push is proven silent."""
    at = watched.untold_at
    return at is not None and doubtful(watched=watched, now=now) and now - at >= GRACE


def look_again(*, watched: Watched, now: datetime) -> datetime | None:
    """When to look at the mailbox the next time because of this subscription; None: as planned."""
    if watched.untold_at is None or not doubtful(watched=watched, now=now):
        return None
    if not silent(watched=watched, now=now):
        return watched.untold_at + GRACE
    quiet = now - (watched.found_at or watched.untold_at)
    return now + min(max(quiet / 4, SILENT_EVERY), SILENT_SELDOM)


def push(*, inbox: Watched | None, possible: bool, now: datetime) -> Push:
    """`inbox`: the Inbox's subscription, None before the first try. `possible`: whether it is attempted at all."""
    if not possible:
        return Push.SCHEDULE
    if inbox is None:
        return Push.STARTING
    if _alive(inbox, now):
        return Push.SILENT if silent(watched=inbox, now=now) else Push.PUSH
    if inbox.problem_at is None:
        return Push.STARTING
    return Push.UNREACHED if inbox.problem == HANDSHAKE else Push.REFUSED


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
