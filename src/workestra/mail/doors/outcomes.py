"""How a sync ended, written on the connection: what health is later decided from (HLT 1)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from workestra.kit.live import announce
from workestra.mail.doors import backfills, runs, schedule, watches
from workestra.mail.doors.ref import Ref
from workestra.mail.models import Connection, SyncRun
from workestra.rules.retrying import Failure
from workestra.tenancy.rows import scope


def succeed(*, ref: Ref, ids: Collection[int], found: Collection[int], now: datetime) -> None:
    """A live sync came to its end: health is good again, and whoever waits for these runs is told. `found`: the
    folders in which it met mail that was not here yet.
    """
    with scope(workspace=ref.workspace):
        row = Connection.objects.filter(pk=ref.connection)
        before = row.values_list("last_success_at", flat=True).first()
        _listen(ref, found, before, now)
        was = row.values_list("error_code", flat=True).first()
        row.update(last_success_at=now)
        # Where the backfill met the end of the sign-in meanwhile, that error stands.
        row.filter(state=Connection.State.ACTIVE).update(error_code="", error_detail={}, error_at=None, failures=0)
        first = row.filter(first_done_at__isnull=True).update(first_done_at=now)
        runs.done(ref=ref, ids=ids, now=now)
        if was or first:
            announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")


def _listen(ref: Ref, found: Collection[int], before: datetime | None, now: datetime) -> None:
    """Whether Microsoft told of what was found; where it does not, the mailbox is looked at more often."""
    if ref.kind != Connection.Kind.PERSONAL:
        return
    roles = {folder.role for folder in ref.folders if folder.id in found}
    again = watches.found(mailbox=ref.mailbox, resources=roles, since=before, now=now)
    if again is not None:
        schedule.sooner(connection_id=ref.connection, at=again)


def postpone(*, ref: Ref, until: datetime) -> None:
    """Throttled: nothing failed, it goes on at `until`."""
    schedule.wake(connection_id=ref.connection, at=until)


def fail(*, ref: Ref, failure: Failure, kinds: Collection[str], now: datetime) -> timedelta | None:
    """A sync failed: the runs of these kinds with it. Returns how long to wait before the next try, None where only a
    person can help.
    """
    with scope(workspace=ref.workspace):
        row = Connection.objects.select_for_update().filter(pk=ref.connection).first()
        if row is None:
            return None
        row.failures += 1
        pause = failure.wait(failures=row.failures)
        spent = failure.shows(failures=row.failures)
        if spent:
            row.error_code, row.error_detail, row.error_at = failure.code, failure.detail, now
            if failure.sign_in and row.state == Connection.State.ACTIVE:
                row.state = Connection.State.SIGN_IN
        row.save()
        syncs = SyncRun.objects.filter(connection_id=ref.connection, kind__in=runs.SYNCS, state__in=runs.OPEN)
        again = sorted({"full" if kind == "full" else "light" for kind in syncs.values_list("kind", flat=True)})
        runs.fail(ref=ref, kinds=kinds, code=failure.code, detail=failure.detail, now=now)
        if not spent and runs.SYNCS[0] in kinds:
            for kind in again:
                schedule.want(workspace=ref.workspace, connection=ref.connection, kind=kind, now=now, why="retry")
        if failure.sign_in:
            backfills.hold(ref=ref, reason=failure.code)
        announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
    if failure.sign_in:
        return None
    schedule.wake(connection_id=ref.connection, at=now + pause)
    return pause
