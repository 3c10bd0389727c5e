"""The buttons of a backfill, pressed at the worst moments (BKF)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import backfill, press, start, sync, work
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import queries, schedule
from workestra.mail.doors import store as doors_store
from workestra.mail.flows import history as flows
from workestra.mail.flows.pull import pull
from workestra.mail.models import Backfill, Connection
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


@pytest.fixture
def between_pages(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], list[int]]:
    """Have something happen right after this many pages of history were stored; gives the page numbers."""

    def arrange(after: int, act: Callable[[], object]) -> list[int]:
        pages: list[int] = []
        real = doors_store.absorb

        def absorb(**given: Any) -> Any:
            outcome = real(**given)
            if given.get("history") and given.get("letters"):
                pages.append(len(given["letters"]))
                if len(pages) == after:
                    act()
            return outcome

        monkeypatch.setattr(doors_store, "absorb", absorb)
        return pages

    return arrange


def _with_mail(ana: Member, outlook: Outlook, count: int = 300, days: int = 60) -> Connection:
    outlook.history(count=count, days=days)
    connection = outlook.connect(ana)
    work(connection)
    return connection


def test_backfill_ends_equal_to_the_mailbox(ana: Member, outlook: Outlook) -> None:
    connection = _with_mail(ana, outlook)
    start(connection)
    work(connection)
    done = backfill(connection)
    assert (done.state, done.pulled, done.estimate) == ("done", 300, 300)
    assert differences(outlook, connection, "ana") == []


def test_after_a_pause_no_page_is_stored_and_resume_goes_on_to_the_end(
    ana: Member, outlook: Outlook, between_pages: Any
) -> None:
    connection = _with_mail(ana, outlook, count=2500)
    at_the_press: list[tuple[int, int]] = []

    def pause() -> None:
        row = press(connection, "pause")
        assert row is not None
        at_the_press.append((row.pages, row.pulled))

    between_pages(1, pause)
    start(connection)
    work(connection)
    paused = backfill(connection)
    assert paused.state == "paused"
    assert [(paused.pages, paused.pulled)] == at_the_press
    held = len(store(connection))
    assert held < 2500
    work(connection)
    assert len(store(connection)) == held
    press(connection, "resume")
    work(connection)
    assert backfill(connection).state == "done"
    assert differences(outlook, connection, "ana") == []


def test_cancel_keeps_what_came_is_final_and_nothing_pulls_the_rest(
    ana: Member, outlook: Outlook, between_pages: Any
) -> None:
    connection = _with_mail(ana, outlook, count=2500)
    between_pages(1, lambda: press(connection, "cancel"))
    start(connection)
    work(connection)
    came = store(connection)
    assert 0 < len(came) < 2500
    press(connection, "resume")
    press(connection, "pause")
    assert backfill(connection).state == "cancelled"
    sync(connection, "full")
    assert store(connection) == came


def test_after_a_cancel_the_same_range_can_be_pulled_anew(ana: Member, outlook: Outlook, between_pages: Any) -> None:
    connection = _with_mail(ana, outlook)
    between_pages(1, lambda: press(connection, "cancel"))
    start(connection)
    work(connection)
    start(connection)
    work(connection)
    assert backfill(connection).state == "done"
    assert differences(outlook, connection, "ana") == []


def test_pressing_twice_changes_nothing_more(ana: Member, outlook: Outlook) -> None:
    connection = _with_mail(ana, outlook, count=5)
    first = start(connection)
    assert start(connection).pk == first.pk
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        for _ in range(2):
            row = press(connection, verb)
            assert row is not None
            assert row.state == state
    assert hands.todo(connection).count("mail.history") == 1


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_a_teammate_cannot_press_the_buttons(ana: Member, ben: Member, outlook: Outlook, verb: str) -> None:
    connection = _with_mail(ana, outlook, count=1)
    start(connection)
    if verb == "resume":
        press(connection, "pause")
    before = backfill(connection).state
    assert press(connection, verb, member=ben) is None
    assert backfill(connection).state == before


def test_widening_pulls_only_what_is_missing(ana: Member, outlook: Outlook) -> None:
    connection = _with_mail(ana, outlook, count=200, days=80)
    start(connection, "30d")
    work(connection)
    first = backfill(connection).pulled
    start(connection, "90d")
    work(connection)
    second = backfill(connection)
    assert second.state == "done"
    assert first > 0
    assert second.pulled == 200 - first
    assert differences(outlook, connection, "ana") == []


def test_the_requests_of_a_widened_range_cover_the_new_part_alone(ana: Member, outlook: Outlook) -> None:
    connection = _with_mail(ana, outlook, count=200, days=80)
    start(connection, "30d")
    work(connection)
    here_since = backfill(connection).since
    outlook.world.requests.reset()
    start(connection, "90d")
    work(connection)
    asked = [unquote(one.query) for one in outlook.world.requests.last(20_000) if one.path.endswith("/messages")]
    bounds = [re.search(r"receivedDateTime lt (\S+?)(&|$| )", one.replace("+", " ")) for one in asked]
    assert bounds
    assert all(bounds), "an open end would ask for what is here"
    assert all(datetime.fromisoformat(one[1]) <= here_since for one in bounds if one)
    assert differences(outlook, connection, "ana") == []


def test_widening_while_another_runs_keeps_what_an_earlier_one_finished(ana: Member, outlook: Outlook) -> None:
    connection = _with_mail(ana, outlook, count=120, days=300)
    start(connection, "30d")
    work(connection)
    first = backfill(connection).pulled
    start(connection, "90d")
    start(connection, "12m")
    work(connection)
    last = backfill(connection)
    assert (last.state, last.choice, last.pulled) == ("done", "12m", 120 - first)
    assert differences(outlook, connection, "ana") == []


@pytest.mark.parametrize("finished", [True, False])
def test_a_narrower_choice_changes_nothing(ana: Member, outlook: Outlook, finished: bool) -> None:
    connection = _with_mail(ana, outlook, count=20)
    start(connection, "90d")
    if finished:
        work(connection)
    else:
        press(connection, "pause")
    before = hands.asked(outlook, "/messages")
    start(connection, "30d")
    work(connection)
    with scope(workspace=ana.workspace_id):
        assert Backfill.objects.filter(connection_id=connection.pk).count() == 1
    assert hands.asked(outlook, "/messages") == before


def test_history_is_not_counted_as_unread_and_new_mail_is(ana: Member, outlook: Outlook) -> None:
    connection = _with_mail(ana, outlook, count=20)
    start(connection)
    work(connection)
    with scope(workspace=ana.workspace_id):
        assert queries.unread_count(member=ana) == 0
    outlook.deliver(at=clock.now() + timedelta(seconds=5))
    sync(connection)
    with scope(workspace=ana.workspace_id):
        assert queries.unread_count(member=ana) == 1


def test_progress_only_grows(ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = _with_mail(ana, outlook)
    seen: list[tuple[int, int, Any]] = []
    real = doors_store.absorb

    def absorb(**given: Any) -> Any:
        outcome = real(**given)
        row = backfill(connection)
        seen.append((row.pulled, row.pages, row.oldest_at))
        return outcome

    monkeypatch.setattr(doors_store, "absorb", absorb)
    start(connection)
    work(connection)
    counted = [one for one in seen if one[1]]
    assert [one[:2] for one in counted] == sorted(one[:2] for one in counted)
    assert [one[2] for one in counted] == sorted((one[2] for one in counted), reverse=True)
    assert backfill(connection).pulled == 300


def test_mail_that_comes_during_a_backfill_is_there_at_its_end(
    ana: Member, outlook: Outlook, between_pages: Any
) -> None:
    connection = _with_mail(ana, outlook)
    between_pages(1, lambda: outlook.deliver(at=clock.now() + timedelta(seconds=3)))
    start(connection)
    work(connection)
    sync(connection)
    assert differences(outlook, connection, "ana") == []
    assert len(store(connection)) == 301


def test_a_letter_that_is_moved_during_a_backfill_is_stored_once_where_it_is_now(
    ana: Member, outlook: Outlook, between_pages: Any
) -> None:
    connection = _with_mail(ana, outlook)
    box = outlook.mailbox("ana")
    items = sorted(box.folder("inbox").index.items(), key=lambda one: one.letter.received_at)

    def tidy() -> None:
        for item in (items[0], items[100], items[-1]):
            box.move(item, "archive")
        box.purge(items[50])

    between_pages(1, tidy)
    start(connection)
    work(connection)
    sync(connection)
    assert differences(outlook, connection, "ana") == []


def test_a_folder_that_is_deleted_during_a_backfill_is_left_out_and_the_rest_comes(
    ana: Member, outlook: Outlook, between_pages: Any
) -> None:
    box = outlook.mailbox("ana")
    folder = box.add_folder("Customers")
    for days in range(1, 41):
        outlook.deliver(folder=folder.id, at=clock.now() - timedelta(days=days))
    connection = _with_mail(ana, outlook)

    def clear_away() -> None:
        box.delete_folder(folder.id)
        box.delete_folder(folder.id)

    between_pages(1, clear_away)
    start(connection)
    work(connection)
    assert (backfill(connection).state, backfill(connection).reason) == ("done", "")
    assert differences(outlook, connection, "ana") == []


def _sync_now(connection: Connection) -> None:
    with scope(workspace=connection.workspace_id):
        schedule.want(workspace=connection.workspace_id, connection=connection.pk, kind="manual", now=clock.now())


@pytest.mark.parametrize("target", ["archive", "a new folder"])
def test_what_moves_past_the_proof_of_a_backfill_is_found_when_it_ends(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    connection = _with_mail(ana, outlook, count=20, days=20)
    sync(connection)
    box = outlook.mailbox("ana")
    items: list[Any] = []
    real_pull, real_proof = flows.streams.pull_range, flows.prove.folder

    async def pulled(**given: Any) -> None:
        await real_pull(**given)
        items.append(outlook.deliver(at=clock.now().replace(microsecond=0) - timedelta(days=9)))

    async def proven(**given: Any) -> Any:
        found = await real_proof(**given)
        if len(items) == 1:  # the first folder is done
            role = given["folder"].role
            items.append(box.add_folder("Fresh").id if target == "a new folder" else role)
            box.move(items[0], items[1])
            await hop(lambda: _sync_now(connection))
            await pull(ref=given["ref"])
        return found

    monkeypatch.setattr(flows.streams, "pull_range", pulled)
    monkeypatch.setattr(flows.prove, "folder", proven)
    start(connection, "30d")
    work(connection)
    assert backfill(connection).state == "done"
    assert differences(outlook, connection, "ana") == []
