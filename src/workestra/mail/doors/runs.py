"""The sync log as it is written (HLT 3): true to the request, and bounded.

    asked for -> queued --> running --> done
                              |  \\--> failed      (its error stands; the next try is a run of its own)
                              +-----> ended       (a backfill that was cancelled)

    manual, light, full     a delta sync of every folder, for a person, or by the schedule
    notice                  what Microsoft announced
    first, content, check   first rounds of folders; content read again; ids compared with Outlook's
    backfill, watch         history; subscriptions
    verify, repair          a check that somebody asked for

What waits because Graph asked for it stays running, and counts the time. Short pieces of work that follow one
another within half a minute are told as one. Of each kind the newest are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet

from workestra.kit.live import announce
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.schedule import CHECKS, want
from workestra.mail.models import Folder, Proof, SyncRun
from workestra.tenancy.rows import scope

SYNCS = ("manual", "light", "full")
LIVE = (*SYNCS, "notice", "first", "content", "check")
OPEN = ("queued", "running")
MERGED = ("notice", "first", "content", "check")
TOGETHER = timedelta(seconds=30)
KEPT = 300  # of each kind of a connection


@dataclass(slots=True)
class Tally:
    """What a stretch of work brought and cost."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    requests: int = 0
    batched: int = 0
    seconds: float = 0.0
    found: set[int] = field(default_factory=set)  # folders in which a round found mail that was not here yet

    def taken(self) -> Tally:
        """The numbers so far; they begin anew."""
        part = replace(self)
        self.added = self.changed = self.removed = self.requests = self.batched = 0
        self.seconds = 0.0
        return part


def opened(*, ref: Ref, kind: str, why: str, started: datetime, backfill: int | None = None) -> int:
    """The run that such work belongs to: one that goes on, a short one that has just ended, or a new one. Its id."""
    with scope(workspace=ref.workspace):
        mine = SyncRun.objects.filter(connection_id=ref.connection, kind=kind).order_by("-id")
        mine = mine.filter(backfill__isnull=True) if backfill is None else mine.filter(backfill_id=backfill)
        run = mine.filter(state="running").first()
        if run is None and kind in MERGED:
            run = mine.filter(state="done", finished_at__gt=started - TOGETHER).first()
        if run is None:
            values = {"created_at": started, "started_at": started, "backfill_id": backfill}
            run = SyncRun(workspace_id=ref.workspace, connection_id=ref.connection, kind=kind, why=why, **values)
        if run.state != "running":
            run.state, run.finished_at = "running", None
            run.save()
        _resumed(SyncRun.objects.filter(pk=run.pk), now=started)
        return run.pk


def record(
    *,
    ref: Ref,
    kind: str,
    why: str,
    tally: Tally,
    started: datetime,
    now: datetime,
    over: bool = True,
    backfill: int | None = None,
    run: int | None = None,
) -> None:
    """A stretch of work that began at `started`. `over`: it came to its end, and did not break off. `run`: whose it
    is, where that is known; it is ended elsewhere.
    """
    with scope(workspace=ref.workspace):
        if run is not None:
            add(run=run, tally=tally)
            return
        run = opened(ref=ref, kind=kind, why=why, started=started, backfill=backfill)
        add(run=run, tally=tally)
        if over:
            SyncRun.objects.filter(pk=run).update(state="done", finished_at=now)
            _forget(ref, kind)


def settle(*, ref: Ref, now: datetime) -> None:
    """Nothing is left to do: what a dead worker had under way, and did or nobody needs any more, has ended."""
    with scope(workspace=ref.workspace):
        mine = SyncRun.objects.filter(connection_id=ref.connection, kind__in=MERGED, state="running")
        ids = list(mine.values_list("pk", flat=True))
        if ids:
            mine.filter(pk__in=ids).update(state="ended", finished_at=now)
            _tell(ref, ids)


def add(*, run: int, tally: Tally) -> None:
    """Count what was tally. Inside the scope."""
    SyncRun.objects.filter(pk=run).update(
        added=F("added") + tally.added,
        changed=F("changed") + tally.changed,
        removed=F("removed") + tally.removed,
        requests=F("requests") + tally.requests,
        batched=F("batched") + tally.batched,
        seconds=F("seconds") + tally.seconds,
    )


def spent(*, ref: Ref, run: int, tally: Tally) -> None:
    """Count what was spent, in a transaction of its own."""
    with scope(workspace=ref.workspace):
        add(run=run, tally=tally)


def begin(*, ref: Ref, now: datetime) -> list[int]:
    """Take every sync that waits, and those that a dead worker or a pause left running; the first of all is nobody's
    wish. The first does the work; for the others it is done together with it. Their ids.
    """
    with scope(workspace=ref.workspace):
        rows = SyncRun.objects.filter(connection_id=ref.connection, kind__in=SYNCS, state__in=OPEN)
        if not ref.first_done and not rows.exists():
            want(workspace=ref.workspace, connection=ref.connection, kind="light", now=now, why="connected")
        ids = list(rows.order_by("id").values_list("pk", flat=True))
        mine = SyncRun.objects.filter(pk__in=ids)
        mine.filter(started_at__isnull=True).update(started_at=now)
        mine.update(state="running")
        mine.filter(pk__in=ids[1:]).update(joined=ids[0] if ids else None)
        _resumed(mine, now=now)
        _tell(ref, ids)
    return ids


def kinds(*, ref: Ref, ids: Collection[int]) -> set[str]:
    """What kinds these are: manual is what a person asked for, full the daily one that looks at everything."""
    with scope(workspace=ref.workspace):
        return set(SyncRun.objects.filter(pk__in=ids).values_list("kind", flat=True))


def cost(*, ref: Ref, ids: list[int], tally: Tally) -> None:
    """What a sync brought is told of each of its runs; what it cost, of the first alone."""
    with scope(workspace=ref.workspace):
        for number, one in enumerate(ids):
            free = Tally(added=tally.added, changed=tally.changed, removed=tally.removed, seconds=tally.seconds)
            add(run=one, tally=free if number else tally)


def done(*, ref: Ref, ids: Collection[int], now: datetime) -> None:
    """These came to their end. Inside the scope."""
    SyncRun.objects.filter(pk__in=list(ids)).update(state="done", finished_at=now)
    for kind in SYNCS:
        _forget(ref, kind)
    _tell(ref, ids)


def fail(*, ref: Ref, kinds: Collection[str], code: str, detail: Mapping[str, Any], now: datetime) -> None:
    """What was under way of these kinds failed. Inside the scope."""
    rows = SyncRun.objects.filter(connection_id=ref.connection, kind__in=kinds, state__in=OPEN)
    ids = list(rows.values_list("pk", flat=True))
    mine = SyncRun.objects.filter(pk__in=ids)
    _resumed(mine, now=now)
    mine.update(state="failed", finished_at=now, error_code=code, error_detail=dict(detail))
    _tell(ref, ids)


def fail_one(*, run: int, code: str, detail: Mapping[str, Any], now: datetime) -> None:
    """This one failed. Inside the scope."""
    mine = SyncRun.objects.filter(pk=run, state__in=OPEN)
    _resumed(mine, now=now)
    mine.update(state="failed", finished_at=now, error_code=code, error_detail=dict(detail))


def stumbled(*, ref: Ref, code: str, detail: Mapping[str, Any]) -> None:
    """A try of a backfill failed; it goes on later, and its last error is told."""
    with scope(workspace=ref.workspace):
        rows = SyncRun.objects.filter(connection_id=ref.connection, kind="backfill", state="running")
        rows.update(error_code=code, error_detail=dict(detail))


def throttled(*, ref: Ref, kinds: Collection[str], now: datetime) -> None:
    """What is under way of these kinds waits, because Graph asked for it."""
    with scope(workspace=ref.workspace):
        rows = SyncRun.objects.filter(connection_id=ref.connection, kind__in=kinds, state="running")
        rows.filter(throttled_at__isnull=True).update(throttled_at=now)


def _resumed(rows: QuerySet[SyncRun], *, now: datetime) -> None:
    """Count the time for which these waited."""
    for run in rows.filter(throttled_at__isnull=False):
        assert run.throttled_at is not None
        waited = max(0.0, (now - run.throttled_at).total_seconds())
        SyncRun.objects.filter(pk=run.pk).update(throttled_seconds=F("throttled_seconds") + waited, throttled_at=None)


def end_backfill(*, connection: int, backfill: int, state: str, now: datetime) -> None:
    """The backfill is done, or was cancelled ("ended"). Inside the scope."""
    SyncRun.objects.filter(connection_id=connection, backfill_id=backfill, state="running").update(
        state=state, finished_at=now, throttled_at=None
    )


def ask_check(
    *, workspace: int, connection: int, repair: bool, bodies: bool, member: int | None, now: datetime
) -> int:
    """A check that waits to be done, made if there is none like it. Inside the scope. Its id."""
    run, _ = SyncRun.objects.get_or_create(
        workspace_id=workspace,
        connection_id=connection,
        kind="repair" if repair else "verify",
        bodies=bodies,
        state="queued",
        defaults={"created_at": now, "requested_by_id": member, "why": "person"},
    )
    return run.pk


@dataclass(frozen=True, slots=True)
class Check:
    """A check to be done."""

    id: int
    repair: bool
    bodies: bool


def next_check(*, ref: Ref, now: datetime, only: int | None = None) -> Check | None:
    """The check to do now: one that a dead worker or a pause left, else the oldest that waits; or `only` that one."""
    with scope(workspace=ref.workspace):
        rows = SyncRun.objects.filter(connection_id=ref.connection, kind__in=CHECKS, state__in=OPEN)
        rows = rows if only is None else rows.filter(pk=only)
        run = rows.order_by("-state", "id").first()
        if run is None:
            return None
        mine = SyncRun.objects.filter(pk=run.pk)
        _resumed(mine, now=now)
        mine.update(state="running", started_at=run.started_at or now, compared=0)
        _tell(ref, [run.pk])
        return Check(id=run.pk, repair=run.kind == "repair", bodies=run.bodies)


def compared(*, ref: Ref, run: int, messages: int) -> None:
    """A check has seen so many messages more."""
    with scope(workspace=ref.workspace):
        SyncRun.objects.filter(pk=run).update(compared=F("compared") + messages)
        announce(workspace=ref.workspace, topic=f"run:{run}")


def checked(*, ref: Ref, run: int, refused: Sequence[int], now: datetime) -> None:
    """A check came to its end. `refused`: folders that could not be compared; what is equal is so as a whole."""
    with scope(workspace=ref.workspace):
        names = list(Folder.objects.filter(pk__in=refused).order_by("name").values_list("name", flat=True))
        SyncRun.objects.filter(pk=run, state="running").update(
            state="done",
            finished_at=now,
            equal=not names and not Proof.objects.filter(run_id=run, left__gt=0).exists(),
            error_detail={"refused": names} if names else {},
        )
        kind = SyncRun.objects.values_list("kind", flat=True).get(pk=run)
        _forget(ref, kind)
        _tell(ref, [run])


def left(*, ref: Ref, run: int, folder: int, differences: int) -> None:
    """What a repair did not end in this folder."""
    with scope(workspace=ref.workspace):
        Proof.objects.filter(run_id=run, folder_id=folder).update(left=differences)


def proven(*, ref: Ref, run: int) -> set[int]:
    """The folders that this run has compared already."""
    with scope(workspace=ref.workspace):
        return set(Proof.objects.filter(run_id=run).values_list("folder_id", flat=True))


def _forget(ref: Ref, kind: str) -> None:
    rows = SyncRun.objects.filter(connection_id=ref.connection, kind=kind).exclude(state__in=OPEN)
    old = list(rows.order_by("-id").values_list("pk", flat=True)[KEPT : KEPT + 100])
    if old:
        SyncRun.objects.filter(pk__in=old).delete()


def _tell(ref: Ref, ids: Collection[int]) -> None:
    for one in ids:
        announce(workspace=ref.workspace, topic=f"run:{one}")
    if ids:
        announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
