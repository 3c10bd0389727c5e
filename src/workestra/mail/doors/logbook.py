"""The sync log as it is read, and how folders compared last (HLT 3, BKF 8). Inside the workspace's scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Sum

from workestra.mail import dispatch
from workestra.mail.doors import runs, viewer
from workestra.mail.doors.schedule import CHECKS
from workestra.mail.models import Connection, Folder, Proof, SyncRun
from workestra.tenancy.models import Member

PAGE = 25


@dataclass(frozen=True, slots=True)
class LogRow:
    """One run. `seconds` were spent at work, `throttled_seconds` waiting because Microsoft asked for it."""

    id: int
    kind: str
    why: str
    state: str
    who: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float
    throttled_seconds: float
    throttled: bool
    added: int
    changed: int
    removed: int
    requests: int
    batched: int
    joined: int | None
    error_code: str
    error_detail: dict[str, Any]
    equal: bool | None
    compared: int


@dataclass(frozen=True, slots=True)
class FolderProof:
    """How a folder compared with Outlook's. `left`: the differences that are still there."""

    folder: int
    name: str
    at: datetime
    since: datetime
    outlook: int
    held: int
    missing: int
    surplus: int
    different: int
    left: int

    @property
    def differences(self) -> int:
        """All that were found."""
        return self.missing + self.surplus + self.different

    @property
    def held_now(self) -> int:
        """How many were held once what was found had been repaired."""
        return self.outlook if not self.left else self.held


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check that somebody asked for, with what it has found so far. `total`: about how many messages there are."""

    run: LogRow
    repair: bool
    bodies: bool
    folders: tuple[FolderProof, ...]
    total: int
    asks: int  # messages that stay until a person agrees that they leave
    refused: tuple[str, ...]  # folders that could not be compared

    @property
    def left(self) -> int:
        """The differences that are still there."""
        return sum(one.left for one in self.folders)


@dataclass(frozen=True, slots=True)
class SweepAsked:
    """A folder of which Outlook lost `gone` messages that we hold: too many to let them leave without a question."""

    name: str
    gone: int


def _row(run: SyncRun) -> LogRow:
    return LogRow(
        id=run.pk,
        kind=run.kind,
        why=run.why,
        state=run.state,
        who=str(run.requested_by) if run.requested_by else "",
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        seconds=run.seconds,
        throttled_seconds=run.throttled_seconds,
        throttled=run.throttled_at is not None,
        added=run.added,
        changed=run.changed,
        removed=run.removed,
        requests=run.requests,
        batched=run.batched,
        joined=run.joined_id,
        error_code=run.error_code,
        error_detail=run.error_detail,
        equal=run.equal,
        compared=run.compared,
    )


def log(*, member: Member, connection_id: int, before: int | None = None, size: int = PAGE) -> list[LogRow]:
    """The newest runs of a connection that this member may see, or those before one of them."""
    mine = SyncRun.objects.filter(connection__in=viewer.visible(member=member), connection_id=connection_id)
    rows = mine.select_related("requested_by__user").order_by("-id")
    return [_row(run) for run in (rows if before is None else rows.filter(pk__lt=before))[:size]]


def _proof(row: Proof) -> FolderProof:
    return FolderProof(
        folder=row.folder_id,
        name=row.folder.name,
        at=row.at,
        since=row.since,
        outlook=row.outlook,
        held=row.held,
        missing=row.missing,
        surplus=row.surplus,
        different=row.different,
        left=row.left,
    )


def proofs(*, member: Member, connection_id: int) -> list[FolderProof]:
    """How each folder compared last over the whole range. What was pulled later, and compared apart, is added: the
    time is then that of the older look.
    """
    if not viewer.visible(member=member).filter(pk=connection_id).exists():
        return []
    found = []
    for folder in Folder.objects.filter(connection_id=connection_id, tracked=True, gone_at=None).order_by("name"):
        rows = Proof.objects.filter(folder=folder).select_related("folder")
        whole = rows.filter(until=None).order_by("-id").first()
        if whole is None:
            continue
        total = _proof(whole)
        for part in rows.filter(pk__gt=whole.pk).exclude(until=None).order_by("id"):
            if part.until == total.since:
                total = _sum(total, _proof(part))
        found.append(total)
    return found


def _sum(one: FolderProof, part: FolderProof) -> FolderProof:
    return FolderProof(
        folder=one.folder,
        name=one.name,
        at=one.at,
        since=part.since,
        outlook=one.outlook + part.outlook,
        held=one.held + part.held,
        missing=one.missing + part.missing,
        surplus=one.surplus + part.surplus,
        different=one.different + part.different,
        left=one.left + part.left,
    )


def last_check(*, member: Member, connection_id: int) -> CheckView | None:
    """The newest check that somebody asked for."""
    mine = SyncRun.objects.filter(connection__in=viewer.visible(member=member), connection_id=connection_id)
    run = mine.filter(kind__in=CHECKS).select_related("requested_by__user").order_by("-id").first()
    if run is None:
        return None
    return _check(run)


def check(*, run: int) -> CheckView:
    """One check, for the command line."""
    return _check(SyncRun.objects.select_related("requested_by__user").get(pk=run))


def _check(run: SyncRun) -> CheckView:
    rows = Proof.objects.filter(run=run).select_related("folder").order_by("folder__name", "id")
    tracked = Folder.objects.filter(connection_id=run.connection_id, tracked=True, gone_at=None)
    sums = tracked.aggregate(total=Sum("total"), asks=Sum("sweep_asks"))
    return CheckView(
        run=_row(run),
        repair=run.kind == "repair",
        bodies=run.bodies,
        folders=tuple(_proof(one) for one in rows),
        total=sums["total"] or 0,
        asks=sums["asks"] or 0,
        refused=tuple(run.error_detail.get("refused", ())),
    )


def sweeps_asked(*, member: Member, connection_id: int) -> list[SweepAsked]:
    """The folders about which a person is asked."""
    rows = Folder.objects.filter(connection__in=viewer.visible(member=member), connection_id=connection_id)
    rows = rows.filter(tracked=True, gone_at=None, sweep_asks__gt=0).order_by("name")
    return [SweepAsked(name=row.name, gone=row.sweep_asks) for row in rows]


def agree(*, member: Member, connection_id: int) -> None:
    """A person lets leave what Outlook lost: as many as they were asked about, and no more."""
    rows = Folder.objects.filter(connection_id=connection_id, connection__owner=member, sweep_asks__gt=0)
    rows.update(sweep_agreed=F("sweep_asks"))


def ask_check(*, member: Member, connection_id: int, repair: bool, now: datetime) -> int | None:
    """A person wants the mailbox compared with Outlook. Pressing again while one waits or runs gives the same. None:
    not this member's, or nothing syncs.
    """
    row = Connection.objects.select_for_update().filter(pk=connection_id, owner=member).first()
    if row is None or row.state != Connection.State.ACTIVE:
        return None
    under_way = SyncRun.objects.filter(connection=row, kind="repair" if repair else "verify", state__in=runs.OPEN)
    run = under_way.values_list("pk", flat=True).first()
    if run is None:
        run = runs.ask_check(
            workspace=row.workspace_id,
            connection=row.pk,
            repair=repair,
            bodies=False,
            member=member.pk,
            now=now,
        )
    dispatch.check(workspace=row.workspace_id, connection=row.pk)
    return run
