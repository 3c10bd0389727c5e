"""What is due: one statement a tick, whatever the number of connections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from workestra.kit import clock
from workestra.mail import dispatch
from workestra.mail.doors.slots import LONGEST_PAUSE
from workestra.mail.models import Backfill, Connection, ReadChange, Schedule, SyncRun
from workestra.rules.replication import LIVE
from workestra.tenancy.rows import scope

FULL_EVERY = timedelta(hours=22)
WATCH_EVERY = timedelta(minutes=30)
BATCH = 200
CHECKS = ("verify", "repair")

# What lies further ahead than it can have been put is due, too: a clock was put back since.
# Each connection has its own place in the interval, from its id: no herd at the full hour.
CLAIM = """
update mail_schedule s set
    light_at = case when due.light
        then %(now)s + %(light)s::interval * (0.9 + 0.2 * ((s.connection_id * 7919) %% 1000) / 1000.0)
        else s.light_at end,
    full_at = case when due.full
        then %(now)s + %(full)s::interval * (0.9 + 0.15 * ((s.connection_id * 104729) %% 1000) / 1000.0)
        else s.full_at end,
    watch_at = case when due.watch then %(now)s + %(watch)s::interval else s.watch_at end,
    wake_at = case when due.wake then null else s.wake_at end
from (
    select connection_id, light_at <= %(now)s or light_at > %(far)s + 1.1 * %(light)s::interval as light,
           full_at <= %(now)s or full_at > %(far)s + 1.1 * %(full)s::interval as full,
           watch_at <= %(now)s or watch_at > %(far)s + %(watch)s::interval as watch,
           coalesce(wake_at <= %(now)s or wake_at > %(far)s + %(pause)s::interval, false) as wake
    from mail_schedule
    where active and (
        light_at <= %(now)s or full_at <= %(now)s or watch_at <= %(now)s or wake_at <= %(now)s
        or light_at > %(far)s + 1.1 * %(light)s::interval or full_at > %(far)s + 1.1 * %(full)s::interval
        or watch_at > %(far)s + %(watch)s::interval or wake_at > %(far)s + %(pause)s::interval)
    order by light_at limit %(batch)s for update skip locked
) due
where s.connection_id = due.connection_id
returning s.connection_id, s.workspace_id, due.light, due.full, due.watch, due.wake
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A connection and what is due for it."""

    connection: int
    workspace: int
    light: bool
    full: bool
    watch: bool
    wake: bool


def tick(*, now: datetime) -> int:
    """Claim what is due and enqueue it. Safe in any number of processes. Returns how many were due."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                CLAIM,
                {
                    "now": now,
                    "far": now + clock.SKEW,
                    "pause": _interval(LONGEST_PAUSE),
                    "light": _interval(timedelta(minutes=settings.WORKESTRA.light_sync_minutes)),
                    "full": _interval(FULL_EVERY),
                    "watch": _interval(WATCH_EVERY),
                    "batch": BATCH,
                },
            )
            due = [Due(*row) for row in cursor.fetchall()]
        for one in due:
            with scope(workspace=one.workspace):
                if one.light or one.full or (one.wake and _failing(one.connection)):
                    want(
                        workspace=one.workspace,
                        connection=one.connection,
                        kind="full" if one.full else "light",
                        now=now,
                        why="schedule" if one.light or one.full else "retry",
                    )
                if one.light or one.full or one.wake:
                    dispatch.pull(workspace=one.workspace, connection=one.connection)
                if one.wake or _pulling(one.connection):
                    dispatch.history(workspace=one.workspace, connection=one.connection)
                if _untold(one.connection, now):
                    dispatch.read_state(workspace=one.workspace, connection=one.connection)
                if (one.wake or one.full) and _checking(one.connection):
                    dispatch.check(workspace=one.workspace, connection=one.connection)
                if one.watch:
                    dispatch.watch(workspace=one.workspace, connection=one.connection)
    return len(due)


def _failing(connection: int) -> bool:
    """Whether an error shows: only a sync that succeeds can take it back."""
    return Connection.objects.filter(pk=connection, state=Connection.State.ACTIVE).exclude(error_code="").exists()


def _pulling(connection: int) -> bool:
    """Whether a backfill of it should be running: its job is asked for again, in case it was lost."""
    return Backfill.objects.filter(connection_id=connection, state__in=LIVE).exists()


def _untold(connection: int, now: datetime) -> bool:
    """Whether Outlook has still to be told of something that was marked here: its job may have been lost."""
    waiting = ReadChange.objects.filter(connection_id=connection, accepted_at=None, refused="")
    return waiting.exclude(due_at__gt=now, due_at__lte=now + LONGEST_PAUSE).exists()


def _checking(connection: int) -> bool:
    """Whether somebody asked for a check that is not done yet."""
    return SyncRun.objects.filter(connection_id=connection, kind__in=CHECKS, state__in=("queued", "running")).exists()


def _interval(span: timedelta) -> str:
    return f"{span.total_seconds()} seconds"


def want(
    *, workspace: int, connection: int, kind: str, now: datetime, member: int | None = None, why: str = "schedule"
) -> int:
    """A waiting run of this kind, made if there is none. Inside the workspace's scope. Returns its id."""
    run, _ = SyncRun.objects.get_or_create(
        workspace_id=workspace,
        connection_id=connection,
        kind=kind,
        state="queued",
        defaults={"created_at": now, "requested_by_id": member, "why": why},
    )
    return run.pk


def wake(*, connection_id: int, at: datetime) -> None:
    """Look after this connection again at `at`, or earlier where that was asked before."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "update mail_schedule set wake_at = least(coalesce(wake_at, %s), %s) where connection_id = %s",
            [at, at, connection_id],
        )


def sooner(*, connection_id: int, at: datetime) -> None:
    """The next light sync of this connection at `at`, or earlier where that was planned."""
    Schedule.objects.filter(connection_id=connection_id, light_at__gt=at).update(light_at=at)


def watch_soon(*, connection_id: int, at: datetime) -> None:
    """Look after the subscriptions of this connection at `at`, or earlier where that was planned."""
    Schedule.objects.filter(connection_id=connection_id, watch_at__gt=at).update(watch_at=at)


def hand_out_notices(*, now: datetime) -> int:
    """Enqueue one job for each connection that has unread notices. Returns how many connections."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "with picked as (select id from mail_notice where not queued and (retry_at is null"
            " or retry_at not between %s and %s)"
            " order by id limit 5000 for update skip locked)"
            " update mail_notice n set queued = true from picked where n.id = picked.id"
            " returning n.workspace_id, n.connection_id, n.change",
            [now, now + LONGEST_PAUSE],
        )
        rows = cursor.fetchall()
        pulls = {(workspace, one) for workspace, one, _ in rows}
        watches = {(workspace, one) for workspace, one, change in rows if change in LIFECYCLE}
        for workspace, one in sorted(pulls):
            dispatch.pull(workspace=workspace, connection=one, urgent=True)
        for workspace, one in sorted(watches):
            dispatch.watch(workspace=workspace, connection=one, urgent=True)
    return len(pulls)


LIFECYCLE = ("reauthorizationRequired", "subscriptionRemoved", "missed")


def next_at(*, connections: Iterable[int]) -> dict[int, datetime]:
    """When each connection is looked after next."""
    rows = Schedule.objects.filter(connection_id__in=list(connections), active=True)
    return {row.connection_id: min(row.light_at, row.full_at) for row in rows}
