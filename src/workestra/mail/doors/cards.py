"""Connections as the settings page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from workestra.mail.doors import schedule, viewer, watches
from workestra.mail.models import Backfill, Connection, Folder, Slice, Subscription, SyncRun
from workestra.rules import replication
from workestra.rules.health import Facts, Health, health, worst
from workestra.rules.watching import Push, Watched, push
from workestra.tenancy.models import Member


@dataclass(frozen=True, slots=True)
class BackfillCard:
    """A backfill as its card shows it. Rates are messages a minute."""

    id: int
    connection_id: int
    choice: str
    state: str
    pulled: int
    estimate: int | None
    percent: int | None
    rate_per_minute: int | None
    eta_seconds: int | None
    started_at: datetime | None
    finished_at: datetime | None
    waiting_until: datetime | None
    reason_code: str
    back_to: datetime | None  # everything of the range that is newer is here
    already: int
    fresh: int
    dismissed: bool
    checking: bool


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    """A connection as its row shows it."""

    id: int
    name: str
    address: str
    kind: str
    owner_name: str
    is_mine: bool
    health: str
    error_code: str
    error_detail: dict[str, Any]
    error_at: datetime | None
    last_success_at: datetime | None
    next_sync_at: datetime | None
    push: str
    push_expires_at: datetime | None
    syncing: bool
    backfill: BackfillCard | None
    range_since: datetime | None
    connected_at: datetime
    asks_range: bool
    throttled_until: datetime | None
    left_out: tuple[str, ...]
    refused: tuple[str, ...]  # folders that Microsoft does not let us read just now
    asks: int  # messages that Outlook lost, about which a person is asked
    last_notice_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailboxChoice:
    """A mailbox in a selector."""

    id: int
    address: str
    name: str


def _health(row: Connection, now: datetime) -> Health:
    facts = Facts(
        error=bool(row.error_code) or row.state == Connection.State.SIGN_IN,
        first_done=row.first_done_at is not None,
        last_success_at=row.last_success_at,
    )
    return health(facts=facts, now=now)


# Of a backfill the newest moment of the slices that are not done.
EDGE = Subquery(
    Slice.objects.filter(backfill=OuterRef("pk"), done=False, folder__gone_at=None, folder__refused="")
    .order_by()
    .values("backfill")
    .annotate(edge=Max(Coalesce("reached", "until")))
    .values("edge")
)


def _back_to(row: Backfill, edge: datetime | None) -> datetime | None:
    """Down to where all streams have come. `edge`: the newest moment at which one is still at work."""
    if edge is not None:
        return edge if edge < row.until else None
    return row.oldest_at if row.phase == "prove" and row.state != "cancelled" else None


def _backfill(row: Backfill) -> BackfillCard:
    moving = row.state == "running" and row.phase == "pull"
    percent = None
    if row.estimate:
        percent = min(100 if row.state == "done" else 99, row.pulled * 100 // row.estimate)
    elif row.state == "done":
        percent = 100
    return BackfillCard(
        id=row.pk,
        connection_id=row.connection_id,
        choice=row.choice,
        state=row.state,
        pulled=row.pulled,
        estimate=row.estimate,
        percent=percent,
        rate_per_minute=round(row.rate * 60) if row.rate and moving else None,
        eta_seconds=replication.eta_seconds(
            estimate=row.estimate, pulled=row.pulled, rate=row.rate if moving else None, pages=row.pages
        ),
        started_at=row.started_at,
        finished_at=row.finished_at,
        waiting_until=row.waiting_until,
        reason_code=row.reason,
        back_to=_back_to(row, getattr(row, "edge", None)),
        already=row.already,
        fresh=max(0, row.pulled - row.already),
        dismissed=row.dismissed,
        checking=row.phase == "prove" and row.state == "running",
    )


def _future(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None


def _push(row: Connection, inbox: Watched | None, now: datetime) -> dict[str, Any]:
    possible = row.kind == Connection.Kind.PERSONAL and watches.push_possible()
    how = push(inbox=inbox, possible=possible, now=now)
    return {"push": str(how), "push_expires_at": inbox.expires_at if inbox and how is Push.PUSH else None}


def connection_cards(*, member: Member, now: datetime) -> list[ConnectionCard]:
    """The member's connections, in the order in which they were made. A fixed number of queries."""
    rows = list(viewer.visible(member=member).select_related("owner__user", "mailbox").order_by("id"))
    return _cards(rows, member, now)


def connection_card(*, member: Member, connection_id: int, now: datetime) -> ConnectionCard | None:
    """One of the member's connections, or None."""
    rows = list(viewer.visible(member=member).select_related("owner__user", "mailbox").filter(pk=connection_id))
    return _cards(rows, member, now)[0] if rows else None


def _cards(rows: list[Connection], member: Member, now: datetime) -> list[ConnectionCard]:
    ids = [row.pk for row in rows]
    newest: dict[int, Backfill] = {}
    for backfill in (
        Backfill.objects.filter(connection_id__in=ids, dismissed=False).annotate(edge=EDGE).order_by("id")
    ):
        newest[backfill.connection_id] = backfill
    busy = set(
        SyncRun.objects.filter(connection_id__in=ids, state__in=("queued", "running"), kind="manual").values_list(
            "connection_id", flat=True
        )
    )
    subscriptions = list(Subscription.objects.filter(mailbox_id__in=[row.mailbox_id for row in rows]))
    notified: dict[int, datetime] = {}
    for each in subscriptions:
        if each.last_notice_at is not None:
            notified[each.mailbox_id] = max(each.last_notice_at, notified.get(each.mailbox_id, each.last_notice_at))
    inboxes = {one.mailbox_id: watches.watched(row=one) for one in subscriptions if one.resource == "inbox"}
    planned = schedule.next_at(connections=ids)
    asks: dict[int, int] = {}
    for one in Folder.objects.filter(connection_id__in=ids, tracked=True, gone_at=None, sweep_asks__gt=0):
        asks[one.connection_id] = asks.get(one.connection_id, 0) + one.sweep_asks
    left_out: dict[int, list[str]] = {}
    for folder in Folder.objects.filter(connection_id__in=ids, tracked=False, gone_at=None, total__gt=0):
        left_out.setdefault(folder.connection_id, []).append(folder.name)
    refused: dict[int, list[str]] = {}
    for folder in Folder.objects.filter(connection_id__in=ids, tracked=True, gone_at=None).exclude(refused=""):
        refused.setdefault(folder.connection_id, []).append(folder.name)
    return [
        ConnectionCard(
            id=row.pk,
            name=row.name,
            address=row.address,
            kind=row.kind,
            owner_name=str(row.owner),
            is_mine=row.owner_id == member.pk,
            health=str(_health(row, now)),
            error_code=row.error_code,
            error_detail=row.error_detail,
            error_at=row.error_at,
            last_success_at=row.last_success_at,
            next_sync_at=planned.get(row.pk) if row.state == Connection.State.ACTIVE else None,
            **_push(row, inboxes.get(row.mailbox_id), now),
            syncing=row.pk in busy,
            backfill=_backfill(newest[row.pk]) if row.pk in newest else None,
            range_since=row.scope_start if row.scope_start < row.connected_at else None,
            connected_at=row.connected_at,
            asks_range=row.asks_range,
            throttled_until=_future(row.mailbox.throttled_until, now),
            last_notice_at=notified.get(row.mailbox_id),
            asks=asks.get(row.pk, 0),
            left_out=tuple(left_out.get(row.pk, ())),
            refused=tuple(refused.get(row.pk, ())),
        )
        for row in rows
    ]


def worst_health(*, member: Member, now: datetime) -> str | None:
    """The state of the connection that needs attention first, or None without connections."""
    some = worst(_health(row, now) for row in viewer.visible(member=member))
    return str(some) if some is not None else None


def attention(*, member: Member, now: datetime) -> list[str]:
    """Addresses of connections that are in error or stale."""
    bad = (Health.ERROR, Health.STALE)
    return [row.address for row in viewer.visible(member=member).order_by("id") if _health(row, now) in bad]


def mailboxes(*, member: Member) -> list[MailboxChoice]:
    """The member's mailboxes, for a selector."""
    return [
        MailboxChoice(id=row.pk, address=row.address, name=row.name)
        for row in viewer.visible(member=member).order_by("id")
    ]
