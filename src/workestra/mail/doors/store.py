"""The only way in for mail: `absorb` takes one page and makes it rows, in one transaction.

Promise: absorbing a page twice, after a crash, or out of order ends in the same rows. What is new, changed or
gone is decided by `rules.reconcile`; the place that the walk has reached moves with the page or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import psycopg
from django.db import connection as database

from workestra.kit.live import announce
from workestra.mail import dispatch
from workestra.mail.doors import arranged, branches, copies, heard, threads
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import Step
from workestra.mail.doors.upsert import upsert
from workestra.mail.intake import Letter, Mark, merged
from workestra.rules.reconcile import Answer, Held, Plan, reconcile
from workestra.rules.threading import Named, lone_key
from workestra.tenancy.rows import scope

T = TypeVar("T")

MARK = (
    "update mail_message set doubted = doubted or change_key <> %s or %s = '', change_key = %s, folder_id = %s,"
    " is_read = coalesce(%s, is_read), flag = coalesce(%s, flag), categories = coalesce(%s, categories),"
    " removed_at = null, asked_at = %s"
    " where workspace_id = %s and connection_id = %s and immutable_id = %s and asked_at < %s"
)
# What was asked for later than now: a clock was put back since, or another machine's is ahead. Nobody can tell whose
# answer is the later one, so this one is taken, and the content is read once more.
AHEAD = (
    "update mail_message set asked_at = %s where workspace_id = %s and connection_id = %s and immutable_id = any(%s)"
    " and asked_at > %s"
)
DOUBT = (
    "update mail_message set doubted = true where workspace_id = %s and connection_id = %s and immutable_id = any(%s)"
    " and asked_at = %s and removed_at is null"
)
MOMENT = timedelta(microseconds=1)
MOST_TOPICS = 20


@dataclass(slots=True)
class Outcome:
    """What a page brought. `added` are immutable ids; `fetch` those whose content is still to be asked for."""

    added: list[str] = field(default_factory=list)
    changed: int = 0
    removed: int = 0
    fetch: list[str] = field(default_factory=list)


def retrying(*, work: Callable[[], T], times: int = 5) -> T:
    """Run `work` again after a deadlock, a serialisation failure, or a thread that was joined away meanwhile.

    Absorbing is idempotent, so a second run is always right.
    """
    from django.db.utils import IntegrityError, OperationalError

    for attempt in range(1, times + 1):
        try:
            return work()
        except (OperationalError, IntegrityError, psycopg.OperationalError, psycopg.IntegrityError) as problem:
            state = getattr(problem, "sqlstate", None) or getattr(problem.__cause__, "sqlstate", None)
            if state not in ("40001", "40P01", "23503", "55P03") or attempt == times:
                raise
            time.sleep(0.02 * attempt)
    raise AssertionError  # pragma: no cover


def cursor() -> psycopg.Cursor[Any]:
    """psycopg's own cursor on Django's connection: parameters travel apart, batches are pipelined."""
    database.ensure_connection()
    database.connection.prepare_threshold = 2  # Django switches this off; planning a wide upsert costs a third of it
    return psycopg.Cursor(database.connection)


def _held(some: psycopg.Cursor[Any], ref: Ref, ids: Sequence[str]) -> dict[str, Held]:
    # No join: with young statistics the planner would walk the whole folder for it instead of the ids.
    some.execute(
        "select immutable_id, change_key, folder_id, asked_at, removed_at is not null, doubted from mail_message"
        " where workspace_id = %s and connection_id = %s and immutable_id = any(%b)",
        (ref.workspace, ref.connection, list(ids)),
    )
    folders = {folder.id: folder.graph_id for folder in ref.folders}
    return {row[0]: Held(row[0], row[1], folders.get(row[2], ""), *row[3:]) for row in some.fetchall()}


def _settled(
    some: psycopg.Cursor[Any], ref: Ref, ids: Sequence[str], asked_at: datetime, now: datetime
) -> tuple[dict[str, Held], list[str]]:
    """As `_held`, and which of these rows were ahead of now: they count as asked for just before this answer."""
    held = _held(some, ref, ids) if ids else {}
    ahead = sorted(one for one, row in held.items() if row.asked_at > now)
    if ahead:
        some.execute(AHEAD, (asked_at - MOMENT, ref.workspace, ref.connection, ahead, now))
        held = _held(some, ref, ids)
    return held, ahead


def compare(*, ref: Ref, marks: Iterable[Mark], gone: Iterable[str], asked_at: datetime, now: datetime) -> Plan:
    """What a light page would need: `fetch` names the messages whose content has to be asked for first."""
    answers = [*_light(merged(marks=marks)), *_gone(gone)]
    with scope(workspace=ref.workspace):
        held, _ = _settled(cursor(), ref, [answer.immutable_id for answer in answers], asked_at, now)
    return reconcile(held=held, answers=answers, asked_at=asked_at, tracked=frozenset(ref.by_graph_id))


def _light(marks: Iterable[Mark]) -> list[Answer]:
    return [Answer(m.immutable_id, m.change_key, m.folder, full=False) for m in marks]


def _gone(ids: Iterable[str]) -> list[Answer]:
    return [Answer(one, "", "", full=False) for one in ids]


def absorb(
    *,
    ref: Ref,
    asked_at: datetime,
    now: datetime,
    letters: Sequence[Letter] = (),
    marks: Sequence[Mark] = (),
    gone: Sequence[str] = (),
    steps: Sequence[Step] = (),
    history: bool = False,
) -> Outcome:
    """Store one page. `asked_at`: the moment before it was asked for. `history`: tells nobody of new mail.

    Raises:
        LostRace, Stopped: from a step; nothing of the page is stored then.
    """
    return retrying(work=lambda: _absorb(ref, asked_at, now, letters, marks, gone, steps, history=history))


def _absorb(
    ref: Ref,
    asked_at: datetime,
    now: datetime,
    letters: Sequence[Letter],
    marks: Sequence[Mark],
    gone: Sequence[str],
    steps: Sequence[Step],
    *,
    history: bool,
) -> Outcome:
    full = {one.immutable_id: one for one in letters}
    light = {one.immutable_id: one for one in merged(marks=marks) if one.immutable_id not in full}
    answers = [
        *(Answer(one.immutable_id, one.change_key, one.folder, full=True) for one in full.values()),
        *_light(light.values()),
        *_gone(one for one in gone if one not in full and one not in light),
    ]
    with scope(workspace=ref.workspace):
        some = cursor()
        ref = branches.hold(cursor=some, ref=ref)
        held, ahead = _settled(some, ref, [answer.immutable_id for answer in answers], asked_at, now)
        plan = reconcile(held=held, answers=answers, asked_at=asked_at, tracked=frozenset(ref.by_graph_id))
        before = _threads_of(some, ref, [*plan.change, *plan.mark, *plan.remove])
        touched, joined = _write(some, ref, plan, full, light, asked_at, now)
        touched |= before
        written = {one: full[one].is_read for one in plan.change} | {one: light[one].is_read for one in plan.mark}
        if ahead:
            some.execute(DOUBT, (ref.workspace, ref.connection, ahead, asked_at))
            dispatch.pull(workspace=ref.workspace, connection=ref.connection)
        heard.told(cursor=some, connection=ref.connection, states=written, asked_at=asked_at, now=now)
        heard.gone(cursor=some, connection=ref.connection, ids=plan.remove)
        copies.refresh(cursor=some, workspace=ref.workspace, copies=[(one, ref.connection) for one in touched])
        copies.refresh_threads(cursor=some, workspace=ref.workspace, threads=joined)
        for step in steps:
            step.take(cursor=some, now=now)
        _tell(ref, touched | joined, history=history)
    return Outcome(
        added=plan.add, changed=len(plan.change) + len(plan.mark), removed=len(plan.remove), fetch=plan.fetch
    )


def _threads_of(some: psycopg.Cursor[Any], ref: Ref, ids: Sequence[str]) -> set[int]:
    if not ids:
        return set()
    some.execute(
        "select distinct thread_id from mail_message"
        " where workspace_id = %s and connection_id = %s and immutable_id = any(%s)",
        (ref.workspace, ref.connection, list(ids)),
    )
    return {row[0] for row in some.fetchall()}


def _write(
    some: psycopg.Cursor[Any],
    ref: Ref,
    plan: Plan,
    full: dict[str, Letter],
    light: dict[str, Mark],
    asked_at: datetime,
    now: datetime,
) -> tuple[set[int], set[int]]:
    """Perform the plan. Returns (threads touched, threads into which others were joined)."""
    touched: set[int] = set()
    joined: set[int] = set()
    content = [full[one] for one in sorted([*plan.add, *plan.change])]
    if content:
        named = [
            Named(one.immutable_id, one.keys or (lone_key(connection=ref.connection, immutable_id=one.immutable_id),))
            for one in content
        ]
        place, joined = threads.assign(cursor=some, workspace=ref.workspace, messages=named, now=now)
        upsert(cursor=some, ref=ref, letters=content, threads=place, asked_at=asked_at, now=now)
        roots = set(place.values())
        joined |= arranged.arrange(cursor=some, workspace=ref.workspace, roots=sorted(roots))
        touched |= roots
    if plan.mark:
        folders = {graph_id: folder.id for graph_id, folder in ref.by_graph_id.items()}
        some.executemany(
            MARK,
            [
                (
                    *(light[one].change_key,) * 3,
                    *(folders[light[one].folder], light[one].is_read, light[one].flag),
                    *(light[one].categories, asked_at, ref.workspace, ref.connection, one, asked_at),
                )
                for one in sorted(plan.mark)
            ],
        )
    if plan.remove:
        some.execute(
            "update mail_message set removed_at = %s, asked_at = %s, change_key = ''"
            " where workspace_id = %s and connection_id = %s and immutable_id = any(%s) and asked_at < %s",
            (now, asked_at, ref.workspace, ref.connection, sorted(plan.remove), asked_at),
        )
    return touched, joined


def _tell(ref: Ref, touched: set[int], *, history: bool) -> None:
    if touched:
        announce(workspace=ref.workspace, topic="inbox")
    if not history and len(touched) <= MOST_TOPICS:
        for thread in touched:
            announce(workspace=ref.workspace, topic=f"thread:{thread}")


def known(*, ref: Ref, ids: Sequence[str], folder: str = "") -> list[str]:
    """Those of these ids that the store holds for this connection, in this folder (Graph's id) if one is given."""
    if not ids:
        return []
    with scope(workspace=ref.workspace):
        rows = _held(cursor(), ref, ids)
    return sorted(one for one, row in rows.items() if folder in ("", row.folder))
