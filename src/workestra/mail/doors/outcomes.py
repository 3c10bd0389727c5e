"""How a sync ended, written on the connection: what health is later decided from (HLT 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workestra.kit.live import announce
from workestra.mail.doors import backfills, schedule
from workestra.mail.doors.ref import Ref
from workestra.mail.models import Connection, SyncRun
from workestra.tenancy.rows import scope

RETRIES = 3
LONGEST_PAUSE = timedelta(minutes=30)


@dataclass(slots=True)
class Tally:
    """What a run brought so far."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    requests: int = 0


def begin_runs(*, ref: Ref, now: datetime) -> list[SyncRun]:
    """Take every waiting run, and those that a dead worker left running."""
    with scope(workspace=ref.workspace):
        rows = list(SyncRun.objects.filter(connection_id=ref.connection, state__in=("queued", "running")))
        SyncRun.objects.filter(pk__in=[row.pk for row in rows]).update(state="running", started_at=now)
        for row in rows:
            announce(workspace=ref.workspace, topic=f"run:{row.pk}")
        if rows:
            announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
    return rows


def succeed(*, ref: Ref, runs: list[SyncRun], tally: Tally, now: datetime) -> None:
    """A live sync came to its end: health is good again, and whoever waits is told."""
    with scope(workspace=ref.workspace):
        row = Connection.objects.filter(pk=ref.connection)
        was = row.values_list("error_code", flat=True).first()
        row.update(last_success_at=now)
        # Where the backfill met the end of the sign-in meanwhile, that error stands.
        row.filter(state=Connection.State.ACTIVE).update(error_code="", error_detail={}, error_at=None, failures=0)
        first = row.filter(first_done_at__isnull=True).update(first_done_at=now)
        SyncRun.objects.filter(pk__in=[run.pk for run in runs]).update(
            state="done",
            finished_at=now,
            added=tally.added,
            changed=tally.changed,
            removed=tally.removed,
            requests=tally.requests,
        )
        if runs or was or first:
            announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
        for run in runs:
            announce(workspace=ref.workspace, topic=f"run:{run.pk}")


def postpone(*, ref: Ref, until: datetime) -> None:
    """Throttled: nothing failed, it goes on at `until`."""
    schedule.wake(connection_id=ref.connection, at=until)


def fail(
    *, ref: Ref, code: str, detail: Mapping[str, Any], sign_in: bool, passing: bool, now: datetime
) -> timedelta | None:
    """A sync failed. `passing`: it may help to try again; the error shows once retries are spent.

    Returns how long to wait before the next try, None where only a person can help.
    """
    with scope(workspace=ref.workspace):
        row = Connection.objects.select_for_update().filter(pk=ref.connection).first()
        if row is None:
            return None
        row.failures += 1
        pause = min(LONGEST_PAUSE, timedelta(seconds=5 * 2 ** min(row.failures, 12)))
        spent = not passing or row.failures >= RETRIES
        if spent:
            row.error_code, row.error_detail, row.error_at = code, dict(detail), now
            if sign_in and row.state == Connection.State.ACTIVE:
                row.state = Connection.State.SIGN_IN
        row.save()
        waiting = SyncRun.objects.filter(connection_id=ref.connection, state__in=("queued", "running"))
        if spent or waiting.filter(kind="manual").exists():
            ids = list(waiting.values_list("pk", flat=True))
            waiting.update(state="failed", finished_at=now, error_code=code, error_detail=dict(detail))
            for one in ids:
                announce(workspace=ref.workspace, topic=f"run:{one}")
        if sign_in:
            backfills.hold(ref=ref, reason=code)
        announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
    if sign_in:
        return None
    schedule.wake(connection_id=ref.connection, at=now + pause)
    return pause
