"""A backfill's life: begun by a person, moved by the worker, paused, resumed and cancelled by people (BKF).

Every change of state is a conditional update; pressing twice, or two people pressing, changes nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, Q

from workestra.kit.live import announce
from workestra.mail import dispatch
from workestra.mail.doors import runs
from workestra.mail.doors.ref import Ref
from workestra.mail.models import Backfill, Connection, Message, Slice
from workestra.rules import replication
from workestra.rules.retrying import Failure
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


class UnknownChoice(Exception):
    """Not one of the ranges that can be chosen."""


def begin(*, member: Member, connection: int, choice: str, now: datetime) -> Backfill | None:
    """Start pulling `choice` of this member's connection; inside the workspace's scope.

    Widening pulls only what is missing: the range that is already here is left out. Where a backfill runs, a
    wider choice takes its place and keeps what it pulled. A choice that is no wider than what is here, or on its
    way, changes nothing. None: the connection is not this member's.

    Raises:
        UnknownChoice: for a word that is not in BKF 1.
    """
    if choice not in replication.CHOICES:
        raise UnknownChoice(choice)
    row = Connection.objects.select_for_update().filter(pk=connection, owner=member).first()
    if row is None or row.state == Connection.State.DISCONNECTED:
        return None
    since = replication.range_start(choice=choice, now=now).replace(microsecond=0)  # as Graph's filters have it
    running = Backfill.objects.filter(connection=row, state__in=replication.OPEN).first()
    if running is not None and running.since <= since:
        _answered(row)
        return running
    until = row.connected_at + timedelta(minutes=5)
    covered = Backfill.objects.filter(connection=row, state="done").order_by("since").first()
    if running is None and covered is not None and covered.since <= since:
        _answered(row)
        return covered
    if running is not None:
        Backfill.objects.filter(pk=running.pk, state__in=replication.OPEN).update(
            state="cancelled", reason="widened", finished_at=now, dismissed=True
        )
        runs.end_backfill(connection=row.pk, backfill=running.pk, state="ended", now=now)
    if covered is not None:
        until = min(until, covered.since)
    backfill = Backfill.objects.create(
        workspace_id=row.workspace_id,
        connection=row,
        requested_by=member,
        choice=choice,
        since=since,
        until=until,
        created_at=now,
    )
    Backfill.objects.filter(connection=row).exclude(pk=backfill.pk).update(dismissed=True)
    row.scope_start = min(row.scope_start, since)
    row.save(update_fields=["scope_start"])
    _answered(row)
    dispatch.history(workspace=row.workspace_id, connection=row.pk)
    _tell(backfill)
    return backfill


def _answered(row: Connection) -> None:
    Connection.objects.filter(pk=row.pk).update(asks_range=False)


def _tell(row: Backfill) -> None:
    announce(workspace=row.workspace_id, topic=f"backfill:{row.pk}")
    announce(workspace=row.workspace_id, topic=f"connection:{row.connection_id}")


def press(*, member: Member, backfill: int, verb: str, now: datetime) -> Backfill | None:
    """A person's pause, resume or cancel; inside the scope. None: not theirs. Pressing in vain is no error."""
    row = Backfill.objects.filter(pk=backfill, connection__owner=member).first()
    if row is None:
        return None
    sources, target = replication.VERBS[verb]
    changes: dict[str, object] = {"state": target, "waiting_until": None}
    if verb == "pause":
        changes["reason"] = ""
    if verb == "resume":
        changes["reason"] = ""
        changes["rate"] = None
        changes["failures"] = 0
    if verb == "cancel":
        changes["finished_at"] = now
    hit = Backfill.objects.filter(pk=backfill, state__in=sources).update(**changes)
    if hit:
        if verb == "resume":
            dispatch.history(workspace=row.workspace_id, connection=row.connection_id)
        if verb == "cancel":
            _forget_the_rest(row)
            runs.end_backfill(connection=row.connection_id, backfill=row.pk, state="ended", now=now)
            dispatch.pull(workspace=row.workspace_id, connection=row.connection_id)
        _tell(row)
    row.refresh_from_db()
    return row


def _forget_the_rest(row: Backfill) -> None:
    """What was pulled stays; the range is again what it was before, so that nothing pulls the rest later."""
    done = Backfill.objects.filter(connection_id=row.connection_id, state="done")
    since = done.aggregate(since=Min("since"))["since"] or row.connection.connected_at
    Connection.objects.filter(pk=row.connection_id).update(scope_start=since)
    Slice.objects.filter(backfill=row).delete()


def dismiss(*, member: Member, backfill: int) -> Backfill | None:
    """Put the card of a backfill that ended away."""
    row = Backfill.objects.filter(pk=backfill, connection__owner=member).first()
    if row is not None:
        Backfill.objects.filter(pk=backfill, state__in=replication.FINAL).update(dismissed=True)
        row.refresh_from_db()
        _tell(row)
    return row


@dataclass(frozen=True, slots=True)
class Work:
    """A backfill as its worker sees it."""

    id: int
    state: str
    phase: str
    since: datetime
    until: datetime
    page_size: int
    waiting_until: datetime | None
    failures: int  # tries in a row that went wrong
    bound: datetime | None  # where the mail begins that an earlier backfill brought; None: nobody brought any


def current(*, ref: Ref) -> Work | None:
    """The backfill that may be worked on now, if there is one."""
    with scope(workspace=ref.workspace):
        row = Backfill.objects.filter(connection_id=ref.connection, state__in=replication.LIVE).first()
        bound = None if row is None or row.until > row.connection.connected_at else row.until
    if row is None:
        return None
    return Work(
        id=row.pk,
        state=row.state,
        phase=row.phase,
        since=row.since,
        until=row.until,
        page_size=row.page_size,
        waiting_until=row.waiting_until,
        failures=row.failures,
        bound=bound,
    )


def start(*, ref: Ref, work: Work, now: datetime) -> bool:
    """queued or waiting -> running. False: somebody paused or cancelled it meanwhile."""
    with scope(workspace=ref.workspace):
        rows = Backfill.objects.filter(pk=work.id, state__in=replication.LIVE)
        hit = rows.update(state="running", waiting_until=None, reason="")
        Backfill.objects.filter(pk=work.id, started_at__isnull=True).update(started_at=now)
        if hit:
            announce(workspace=ref.workspace, topic=f"backfill:{work.id}")
    return hit == 1


def plan(
    *, ref: Ref, work: Work, stretches: Sequence[replication.Stretch], estimate: int | None, now: datetime
) -> bool:
    """Lay the slices down and go on to pulling. False: somebody else did, or it was cancelled."""
    with scope(workspace=ref.workspace):
        hit = Backfill.objects.filter(pk=work.id, phase="plan", state__in=replication.LIVE).update(
            phase="pull", estimate=estimate, page_size=replication.PAGE, failures=0, reason=""
        )
        if hit:
            Slice.objects.bulk_create(
                Slice(
                    workspace_id=ref.workspace,
                    backfill_id=work.id,
                    folder_id=one.folder,
                    since=one.since,
                    until=one.until,
                )
                for one in stretches
            )
            announce(workspace=ref.workspace, topic=f"backfill:{work.id}")
    return hit == 1


def slices(*, ref: Ref, work: Work) -> list[Slice]:
    """The slices still to be walked, newest first."""
    with scope(workspace=ref.workspace):
        rows = Slice.objects.filter(backfill_id=work.id, done=False, folder__gone_at__isnull=True)
        return list(rows.select_related("folder").order_by("-until", "id"))


def renew_slice(*, ref: Ref, piece: Slice) -> Slice | None:
    """The slice as it stands now, or None when it is done."""
    with scope(workspace=ref.workspace):
        return Slice.objects.select_related("folder").filter(pk=piece.pk, done=False).first()


def restart_slice(*, ref: Ref, piece: Slice, page_size: int) -> None:
    """Its next link is worn out or its pages are too large: go on from the oldest message seen."""
    with scope(workspace=ref.workspace):
        until = piece.until if piece.reached is None else replication.second_after(moment=piece.reached)
        Slice.objects.filter(pk=piece.pk, done=False, link=piece.link, pages=piece.pages).update(
            link="", until=min(until, piece.until)
        )
        Backfill.objects.filter(pk=piece.backfill_id).update(page_size=page_size)


def may_go_on(*, ref: Ref, work: Work) -> bool:
    """Whether the backfill is still running: read between pages."""
    with scope(workspace=ref.workspace):
        return Backfill.objects.filter(pk=work.id, state="running").exists()


def tell_progress(*, ref: Ref, work: Work) -> None:
    """Let open cards read again."""
    announce(workspace=ref.workspace, topic=f"backfill:{work.id}")


def to_phase(*, ref: Ref, work: Work, was: str, phase: str) -> bool:
    """Move on to the next phase, once."""
    with scope(workspace=ref.workspace):
        return Backfill.objects.filter(pk=work.id, phase=was, state__in=replication.LIVE).update(phase=phase) == 1


def wait_all(*, ref: Ref, until: datetime) -> None:
    """running or queued -> waiting: Graph asked for a pause."""
    with scope(workspace=ref.workspace):
        for row in Backfill.objects.filter(connection_id=ref.connection, state__in=replication.LIVE):
            Backfill.objects.filter(pk=row.pk, state__in=replication.LIVE).update(
                state="waiting", waiting_until=until, rate=None, reason=""
            )
            _tell(row)


def stumble(*, ref: Ref, failure: Failure, now: datetime) -> datetime | None:
    """A try failed -> waiting, longer each time, with the reason where people are told. Returns when to go on, None
    where nobody waits for it any more.
    """
    with scope(workspace=ref.workspace):
        rows = Backfill.objects.select_for_update().filter(connection_id=ref.connection, state__in=replication.LIVE)
        row = rows.first()
        if row is None:
            return None
        row.failures += 1
        row.state, row.rate, row.waiting_until = "waiting", None, now + failure.wait(failures=row.failures)
        row.reason = failure.code if failure.shows(failures=row.failures) else ""
        row.save(update_fields=["failures", "state", "rate", "waiting_until", "reason"])
        _tell(row)
        return row.waiting_until


def hold(*, ref: Ref, reason: str) -> None:
    """-> held: a person has to sign in first. Inside the scope."""
    for row in Backfill.objects.filter(connection_id=ref.connection, state__in=replication.LIVE):
        Backfill.objects.filter(pk=row.pk, state__in=replication.LIVE).update(state="held", reason=reason, rate=None)
        _tell(row)


def release(*, workspace: int, connection: int) -> None:
    """held -> queued: the person signed in again. Inside the scope.

    One that was resumed meanwhile is queued already, but its job found the sign-in missing.
    """
    Backfill.objects.filter(connection_id=connection, state="held").update(state="queued", reason="")
    if Backfill.objects.filter(connection_id=connection, state__in=replication.LIVE).exists():
        dispatch.history(workspace=workspace, connection=connection)


def finish(*, ref: Ref, work: Work, now: datetime) -> None:
    """running -> done, with the sum of what is here."""
    with scope(workspace=ref.workspace):
        # Counted, not added up: what moved while it was pulled was met twice, what was deleted is gone.
        # Mail from the future belongs to the range that reaches up to the connecting.
        row = Backfill.objects.select_related("connection").get(pk=work.id)
        open_end = work.until > row.connection.connected_at
        ahead = Q(received_at__gt=now + timedelta(minutes=5)) if open_end else Q(pk__in=())
        here = Message.objects.filter(
            ahead | Q(received_at__lt=work.until),
            connection_id=ref.connection,
            removed_at__isnull=True,
            received_at__gte=work.since,
        )
        hit = Backfill.objects.filter(pk=work.id, state="running", phase="prove").update(
            state="done",
            finished_at=now,
            rate=None,
            pulled=here.count(),
            already=here.filter(stored_at__lt=row.created_at).count(),
        )
        if hit:
            runs.end_backfill(connection=ref.connection, backfill=work.id, state="done", now=now)
            Slice.objects.filter(backfill_id=work.id).delete()
            dispatch.pull(workspace=ref.workspace, connection=ref.connection)  # proofs waited for it
            announce(workspace=ref.workspace, topic=f"backfill:{work.id}")
            announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
