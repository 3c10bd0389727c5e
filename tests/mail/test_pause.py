"""Pause and Cancel stop at once: what was in hand is not stored, and is asked for again on Resume (BKF 4, I9)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection as database
from django.db import connections as databases
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import backfill, press, start, work
from tests.mail.test_store_absorb import NOW, _letter, _rows
from tests.sandboxes import Outlook, ref_of

from workestra.kit.hop import hop
from workestra.mail.doors import store as doors_store
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import RunningStep, SliceStep, Step, Stopped
from workestra.mail.flows import streams
from workestra.mail.models import Backfill, Connection, Folder, Slice
from workestra.project import env, postgres
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def _with_mail(ana: Member, outlook: Outlook) -> Connection:
    outlook.history(count=30)
    connection = outlook.connect(ana)
    work(connection)
    return connection


def test_a_pause_during_the_proof_stops_what_it_repairs_and_resume_ends_it(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = _with_mail(ana, outlook)
    real = doors_store.absorb

    async def nothing(**given: Any) -> None:
        """So that the proof has to bring it all."""

    def absorb(**given: Any) -> Any:
        if any(isinstance(step, RunningStep) for step in given.get("steps", ())):
            press(connection, "pause")
        return real(**given)

    with monkeypatch.context() as patched:
        patched.setattr(streams, "pull_range", nothing)
        patched.setattr(doors_store, "absorb", absorb)
        start(connection)
        work(connection)
    assert (backfill(connection).state, backfill(connection).phase) == ("paused", "prove")
    assert store(connection) == {}
    press(connection, "resume")
    work(connection)
    assert backfill(connection).state == "done"
    assert differences(outlook, connection, "ana") == []


def test_what_is_paused_before_its_proof_asks_for_nothing_more(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = _with_mail(ana, outlook)
    asked: list[int] = []

    async def pause(**given: Any) -> None:
        await hop(lambda: press(connection, "pause"))
        asked.append(hands.asked(outlook, "/messages"))

    monkeypatch.setattr(streams, "pull_range", pause)
    start(connection)
    work(connection)
    assert asked == [hands.asked(outlook, "/messages")]


def _in_hand(connection: Connection) -> tuple[Ref, SliceStep]:
    """A running backfill's only slice, and the step with which its page would be stored."""
    ref = ref_of(connection)
    row = backfill(connection)
    with scope(workspace=ref.workspace):
        Backfill.objects.filter(pk=row.pk).update(state="running")
        folder = Folder.objects.create(
            workspace_id=ref.workspace, connection_id=ref.connection, graph_id="f", name="F", role="inbox"
        )
        piece = Slice.objects.create(
            workspace_id=ref.workspace, backfill=row, folder=folder, since=NOW - timedelta(days=9), until=NOW
        )
    step = SliceStep(
        workspace=ref.workspace,
        backfill=row.pk,
        slice=piece.pk,
        was_link="",
        was_pages=0,
        link="",
        oldest=None,
        messages=1,
        stretch=None,
        page_size=50,
    )
    return ref_of(connection), step


@pytest.mark.parametrize("state", ["paused", "held", "waiting", "cancelled", None])
@pytest.mark.parametrize("moves", [True, False])
def test_a_page_is_not_stored_where_the_backfill_does_not_run_any_more(
    ana: Member, outlook: Outlook, state: str | None, moves: bool
) -> None:
    outlook.history(count=3)
    connection = outlook.connect(ana)
    start(connection)
    ref, place = _in_hand(connection)
    step: Step = place if moves else RunningStep(place.backfill)
    with scope(workspace=ref.workspace):
        row = Backfill.objects.filter(pk=place.backfill)
        _ = row.update(state=state) if state else row.delete()
    with pytest.raises(Stopped):
        doors_store.absorb(ref=ref, asked_at=NOW, now=NOW, letters=[_letter(ref, "late")], steps=[step], history=True)
    assert _rows(ref) == {}


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_of_a_page_and_a_press_at_once_whoever_comes_first_counts(ana: Member, outlook: Outlook, verb: str) -> None:
    outlook.history(count=3)
    connection = outlook.connect(ana)
    start(connection)
    ref, step = _in_hand(connection)

    def beside(act: Callable[[], object]) -> Callable[[], list[object]]:
        ended: list[object] = []

        def run() -> None:
            try:
                ended.append(act())
            except Stopped as problem:
                ended.append(problem)
            finally:
                databases.close_all()

        thread = threading.Thread(target=run)
        thread.start()

        def end() -> list[object]:
            thread.join(10)
            return ended

        hands.wait_for(lambda: _blocked() or ended)
        assert ended == [], "it waits for the one before it"
        return end

    with scope(workspace=ref.workspace), database.cursor() as cursor:
        replace(step, link="on").take(cursor=cursor.cursor, now=NOW)
        pressed = beside(lambda: press(connection, verb))
    (row,) = pressed()
    assert isinstance(row, Backfill)
    assert (row.pages, row.pulled) == (1, 1), "the page was in its transaction"
    with scope(workspace=ref.workspace):
        Backfill.objects.filter(pk=row.pk).update(state="running")

    late = replace(step, was_link="on", was_pages=1)
    letters = [_letter(ref, "late")]
    with scope(workspace=ref.workspace):
        press(connection, verb)
        stored = beside(
            lambda: doors_store.absorb(ref=ref, asked_at=NOW, now=NOW, letters=letters, steps=[late], history=True)
        )
    assert isinstance(stored()[0], Stopped)
    assert _rows(ref) == {}


def _blocked() -> bool:
    """Whether some session waits for another's row."""
    with psycopg.connect(postgres.database_url(configured="", home=env.read().home), autocommit=True) as owner:
        row = owner.execute("select count(*) from pg_stat_activity where wait_event_type = 'Lock'").fetchone()
    return bool(row and row[0])
