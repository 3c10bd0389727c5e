"""Subscriptions as stored: what the watch flow reads and writes, and what the endpoint checks against."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import transaction

from workestra.kit import loopback
from workestra.mail.models import Subscription
from workestra.rules import watching

RESOURCES = ("inbox", "sentitems")


@dataclass(frozen=True, slots=True)
class Row:
    """One subscription of a mailbox."""

    id: int
    resource: str
    graph_id: str | None
    watched: watching.Watched


def push_possible() -> bool:
    """Whether subscriptions make sense for this server."""
    env = settings.WORKESTRA
    return watching.push_possible(
        public_url=env.public_url,
        public_loopback=loopback.is_loopback(url=env.public_url),
        graph_loopback=loopback.is_loopback(url=env.graph_url),
    )


def digest(*, secret: str) -> bytes:
    """What is kept of a clientState."""
    return hashlib.sha256(secret.encode()).digest()


def rows(*, mailbox: int) -> list[Row]:
    """The mailbox's subscriptions, each resource once."""
    with transaction.atomic():
        for resource in RESOURCES:
            Subscription.objects.get_or_create(mailbox_id=mailbox, resource=resource)
        found = list(Subscription.objects.filter(mailbox_id=mailbox).order_by("id"))
    return [
        Row(
            id=row.pk,
            resource=row.resource,
            graph_id=row.graph_id,
            watched=watched(row=row),
        )
        for row in found
    ]


def watched(*, row: Subscription) -> watching.Watched:
    """What the rules want to know of it."""
    return watching.Watched(
        exists=row.graph_id is not None,
        created_at=row.created_at,
        expires_at=row.expires_at,
        reauthorize=row.reauthorize_at is not None,
        problem_at=row.problem_at,
        problem=row.problem,
        last_notice_at=row.last_notice_at,
        untold_at=row.untold_at,
        found_at=row.found_at,
    )


def found(*, mailbox: int, resources: Collection[str], since: datetime | None, now: datetime) -> datetime | None:
    """A sync found new mail in these folders that was not here when the one before it ended. Returns when to look
    again because notices may have fallen silent; None: as planned.
    """
    if not push_possible():
        return None
    again: list[datetime] = []
    for row in Subscription.objects.filter(mailbox_id=mailbox):
        here = watched(row=row)
        if row.resource in resources and watching.untold(watched=here, since=since, now=now):
            first = here.untold_at if watching.doubtful(watched=here, now=now) else now
            Subscription.objects.filter(pk=row.pk).update(untold_at=first, found_at=now)
            here = replace(here, untold_at=first, found_at=now)
        at = watching.look_again(watched=here, now=now)
        again += [at] if at is not None else []
    return min(again, default=None)


def before_create(*, row: int, secret: str) -> None:
    """Keep the digest before Graph is asked: notices may come before the answer does."""
    Subscription.objects.filter(pk=row).update(secret_digest=digest(secret=secret), graph_id=None)


def created(
    *, row: int, secret: str, graph_id: str, expires_at: datetime, workspace: int, connection: int, now: datetime
) -> bool:
    """Graph made it with this secret. False: another connection of the mailbox asked for one meanwhile."""
    hit = Subscription.objects.filter(pk=row, secret_digest=digest(secret=secret)).update(
        graph_id=graph_id,
        expires_at=expires_at,
        via_workspace_id=workspace,
        via_connection_id=connection,
        created_at=now,
        checked_at=now,
        reauthorize_at=None,
        problem="",
        problem_at=None,
    )
    return hit == 1


def renewed(*, row: int, expires_at: datetime, workspace: int, connection: int, now: datetime) -> None:
    """Graph lets it live on."""
    Subscription.objects.filter(pk=row).update(
        created_at=now,  # its life counts from here: what is short is not renewed at every look
        expires_at=expires_at,
        via_workspace_id=workspace,
        via_connection_id=connection,
        checked_at=now,
        reauthorize_at=None,
        problem="",
        problem_at=None,
    )


def gone(*, row: int) -> None:
    """Graph does not know it any more."""
    Subscription.objects.filter(pk=row).update(graph_id=None, expires_at=None, reauthorize_at=None)


def doubt(*, tenant_id: str, object_id: str, now: datetime) -> None:
    """Somebody had to sign in again: Graph may have ended what it was asked before. The next look asks it."""
    Subscription.objects.filter(mailbox__tenant_id=tenant_id, mailbox__object_id=object_id).update(
        reauthorize_at=now, problem="", problem_at=None
    )


def refused(*, row: int, code: str, now: datetime) -> None:
    """It could not be made or renewed."""
    Subscription.objects.filter(pk=row).update(problem=code[:64], problem_at=now, checked_at=now)
