"""A clock that is put back: nothing that happens meanwhile is lost, and nothing stands still (SYN, I11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection as database
from tests.compare import differences
from tests.mail.hands import Time, backfill, start, sync, todo, work
from tests.mail.test_store_absorb import NOW, _connected, _letter, _rows
from tests.sandboxes import Outlook, ref_of

from workestra.kit import clock
from workestra.mail.doors import grants, readstate, schedule, slots, store
from workestra.mail.models import Connection, Grant, ReadChange, ThreadCopy
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

BACK = timedelta(hours=3)


@pytest.fixture
def full(ana: Member, outlook: Outlook, time: Time) -> Connection:
    """A connection with mail that was asked for by a clock that was put back since."""
    outlook.history(count=12)
    connection = outlook.connect(ana)
    work(connection)
    time.ahead += BACK
    start(connection)
    work(connection)
    sync(connection)
    time.ahead -= BACK
    return connection


def test_what_changes_after_a_clock_was_put_back_shows_at_once(full: Connection, outlook: Outlook) -> None:
    box = outlook.mailbox("ana")
    items = list(box.folder("inbox").index.items())
    box.mark_read(items[0], not items[0].is_read)
    box.flag(items[1], "flagged")
    box.update(items[2], letter=replace(items[2].letter, body=lambda: ("html", "<p>Said otherwise</p>")))
    box.move(items[3], "archive")
    box.purge(items[4])
    sync(full)
    assert differences(outlook, full, "ana") == []
    with scope(workspace=full.workspace_id):
        assert not full.message_set.filter(asked_at__gt=clock.now(), change_key="").exists()


def test_a_late_answer_that_was_taken_is_asked_for_once_more(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    ahead = NOW + BACK
    store.absorb(ref=ref, asked_at=ahead, now=ahead, letters=[_letter(ref, "m", subject="New", changeKey="k2")])
    old = _letter(ref, "m", subject="Old", changeKey="k1")
    now = NOW + timedelta(seconds=1)
    store.absorb(ref=ref, asked_at=NOW, now=now, letters=[old], history=True)
    row = _rows(ref)["m"]
    assert (row.asked_at, row.doubted) == (NOW, True)
    with database.cursor() as cursor:
        cursor.execute(
            "select count(*) from procrastinate_jobs where status = 'todo' and task_name = 'mail.pull'"
            " and (args->>'connection')::bigint = %s",
            [ref.connection],
        )
        assert cursor.fetchone() == (1,)
    store.absorb(ref=ref, asked_at=now, now=now, letters=[_letter(ref, "m", subject="New", changeKey="k2")])
    row = _rows(ref)["m"]
    assert (row.subject, row.doubted) == ("New", False)


def test_a_mark_that_outlook_took_does_not_hide_what_it_says_later(
    full: Connection, outlook: Outlook, time: Time
) -> None:
    box = outlook.mailbox("ana")
    item = next(one for one in box.folder("inbox").index.items() if not one.is_read)
    with scope(workspace=full.workspace_id):
        message = full.message_set.get(immutable_id=box.immutable_id(item))
        thread = ThreadCopy.objects.get(connection=full, thread_id=message.thread_id).thread_id
    time.ahead += BACK
    with scope(workspace=full.workspace_id):
        readstate.mark(member=full.owner, thread_id=thread, is_read=True, now=clock.now())
    work(full)
    assert item.is_read
    time.ahead -= BACK
    box.mark_read(item, False)
    sync(full)
    assert differences(outlook, full, "ana") == []
    with scope(workspace=full.workspace_id):
        assert not ReadChange.objects.filter(message=message).exists()


def _slot(full: Connection, now: datetime) -> bool:
    return slots.take(mailbox=full.mailbox_id, holder="other", count=1, first=False, now=now)


def _held(full: Connection, now: datetime) -> None:
    assert slots.take(mailbox=full.mailbox_id, holder="dead", count=slots.SLOTS, first=False, now=now)
    slots._held.discard("dead")


def _wanted(full: Connection, now: datetime) -> None:
    _held(full, now)
    assert not slots.take(mailbox=full.mailbox_id, holder="first", count=1, first=True, now=now, click=True)
    slots.give_back(mailbox=full.mailbox_id, holder="dead")


def _throttled(full: Connection, now: datetime) -> None:
    slots.throttle(mailbox=full.mailbox_id, until=now + timedelta(minutes=1))


@pytest.mark.parametrize("before", [_held, _wanted, _throttled])
def test_what_was_held_before_a_clock_was_put_back_is_free(
    full: Connection, before: Callable[[Connection, datetime], None]
) -> None:
    now = clock.now()
    before(full, now + BACK)
    assert not _slot(full, now + BACK)
    assert _slot(full, now)
    assert slots.keep(mailbox=full.mailbox_id, holder="other", now=now)
    assert slots.throttled_until(mailbox=full.mailbox_id, now=now) is None
    slots.give_back(mailbox=full.mailbox_id, holder="other")


def test_a_lease_on_a_refresh_is_free(full: Connection) -> None:
    now = clock.now()
    with scope(workspace=full.workspace_id):
        version = Grant.objects.get(connection=full).version

    def lease(holder: str, at: datetime) -> bool:
        who = {"workspace": full.workspace_id, "connection": full.pk, "holder": holder}
        return grants.take_lease(**who, version=version, now=at)  # type: ignore[arg-type]

    assert lease("dead", now + BACK)
    assert not lease("other", now + BACK)
    assert lease("other", now)
    assert not lease("third", now)


def test_what_was_scheduled_is_due_once_and_then_in_its_time(full: Connection, time: Time) -> None:
    time.ahead += timedelta(days=30)
    work(full)
    time.ahead -= timedelta(days=30)
    while schedule.tick(now=clock.now()):
        pass
    assert "mail.pull" in todo(full)
    assert "mail.watch" in todo(full)
    (at,) = schedule.next_at(connections=[full.pk]).values()
    assert at < clock.now() + timedelta(minutes=20)


def test_a_history_that_waits_goes_on(full: Connection, ana: Member) -> None:
    start(full, "12m")
    with scope(workspace=ana.workspace_id):
        row = backfill(full)
        row.state, row.waiting_until = "waiting", clock.now() + BACK
        row.save()
    work(full)
    assert backfill(full).state == "done"
    assert ref_of(full).history_until is None


@pytest.mark.parametrize(
    ("ahead", "due"),
    [
        (timedelta(0), True),
        (timedelta(seconds=1), False),
        (timedelta(minutes=11), False),
        (timedelta(minutes=12), True),
    ],
)
def test_what_lies_further_ahead_than_it_can_is_due(ahead: timedelta, due: bool) -> None:
    assert clock.due(NOW + ahead, now=NOW, longest=timedelta(minutes=10)) is due
