"""What a member does to connections: the buttons of the settings page. Inside the workspace's scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workestra.mail import dispatch
from workestra.mail.doors import backfills, schedule
from workestra.mail.doors.backfills import UnknownChoice
from workestra.mail.models import Backfill, Connection, SyncRun
from workestra.tenancy.models import Member

__all__ = [
    "RunView",
    "UnknownChoice",
    "cancel_backfill",
    "dismiss_backfill",
    "pause_backfill",
    "resume_backfill",
    "skip_range",
    "start_backfill",
    "sync_now",
    "sync_run",
]


@dataclass(frozen=True, slots=True)
class RunView:
    """A sync as its toast tells of it."""

    id: int
    connection_id: int
    state: str
    added: int
    changed: int
    removed: int
    error_code: str
    error_detail: dict[str, Any]


def start_backfill(*, member: Member, connection_id: int, choice: str, now: datetime) -> Backfill | None:
    """Begin pulling history. None: no such connection of this member's. Raises UnknownChoice."""
    return backfills.begin(member=member, connection=connection_id, choice=choice, now=now)


def skip_range(*, member: Member, connection_id: int) -> None:
    """The range dialog was closed: only new mail from now on."""
    Connection.objects.filter(pk=connection_id, owner=member).update(asks_range=False)


def pause_backfill(*, member: Member, backfill_id: int, now: datetime) -> Backfill | None:
    """Pause within one page."""
    return backfills.press(member=member, backfill=backfill_id, verb="pause", now=now)


def resume_backfill(*, member: Member, backfill_id: int, now: datetime) -> Backfill | None:
    """Go on from the same page."""
    return backfills.press(member=member, backfill=backfill_id, verb="resume", now=now)


def cancel_backfill(*, member: Member, backfill_id: int, now: datetime) -> Backfill | None:
    """Keep what was pulled, forget the rest."""
    return backfills.press(member=member, backfill=backfill_id, verb="cancel", now=now)


def dismiss_backfill(*, member: Member, backfill_id: int, now: datetime) -> Backfill | None:
    """Put away the card of a backfill that ended."""
    return backfills.dismiss(member=member, backfill=backfill_id)


def sync_now(*, member: Member, connection_id: int, now: datetime) -> int | None:
    """Ask for a delta sync now. Pressing again while one waits gives the same run. None: not this member's."""
    row = Connection.objects.filter(pk=connection_id, owner=member).first()
    if row is None or row.state == Connection.State.DISCONNECTED:
        return None
    run = schedule.want(
        workspace=row.workspace_id, connection=row.pk, kind="manual", now=now, member=member.pk, why="person"
    )
    if row.state == Connection.State.ACTIVE:
        dispatch.pull(workspace=row.workspace_id, connection=row.pk, urgent=True)
        dispatch.watch(workspace=row.workspace_id, connection=row.pk)
    else:
        SyncRun.objects.filter(pk=run).update(
            state="failed",
            finished_at=now,
            error_code=row.error_code or "token_expired",
            error_detail=row.error_detail,
        )
    return run


def sync_run(*, member: Member, run_id: int) -> RunView | None:
    """A run of one of this member's connections."""
    row = SyncRun.objects.filter(pk=run_id, connection__owner=member).first()
    if row is None:
        return None
    return RunView(
        id=row.pk,
        connection_id=row.connection_id,
        state=row.state,
        added=row.added,
        changed=row.changed,
        removed=row.removed,
        error_code=row.error_code,
        error_detail=row.error_detail,
    )
