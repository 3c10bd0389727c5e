"""Clocks that are not Microsoft's: ten minutes off, put right meanwhile, and put forward or back for the summer."""

from __future__ import annotations

import os
import time as machine
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.compare import differences
from tests.mail.hands import Time, backfill, fresh, start, sync, work
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.mail.doors import readstate
from workestra.mail.models import Connection, Message
from workestra.rules.health import Facts, Health, health
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

TEN = timedelta(minutes=10)


def _equal(outlook: Outlook, connection: Connection) -> None:
    assert differences(outlook, connection, "ana") == []
    row = fresh(connection)
    assert (row.state, row.error_code) == ("active", "")
    facts = Facts(error=False, first_done=row.first_done_at is not None, last_success_at=row.last_success_at)
    assert health(facts=facts, now=clock.now()) is Health.HEALTHY


@pytest.mark.parametrize("off", [-TEN, TEN], ids=["behind", "ahead"])
def test_with_a_clock_ten_minutes_off_everything_arrives(
    ana: Member, outlook: Outlook, time: Time, off: timedelta
) -> None:
    time.ahead += off
    outlook.history(count=30)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    assert backfill(connection).state == "done"
    outlook.deliver()
    sync(connection)
    _equal(outlook, connection)
    time.passes(hours=2)  # the access token is refreshed
    sync(connection)
    _equal(outlook, connection)


@pytest.mark.parametrize("off", [-TEN, TEN], ids=["behind", "ahead"])
def test_mail_that_comes_right_after_connecting_arrives_although_no_history_is_wanted(
    ana: Member, outlook: Outlook, time: Time, off: timedelta
) -> None:
    time.ahead += off
    connection = outlook.connect(ana)
    work(connection)
    item = outlook.deliver()
    sync(connection)
    with scope(workspace=connection.workspace_id):
        [row] = Message.objects.filter(connection=connection)
    assert row.immutable_id == outlook.mailbox("ana").immutable_id(item)


def test_what_changes_after_a_fast_clock_was_put_right_is_followed(ana: Member, outlook: Outlook, time: Time) -> None:
    time.ahead += TEN
    items = outlook.history(count=6)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    time.ahead -= TEN
    box = outlook.mailbox("ana")
    box.mark_read(items[0], not items[0].is_read)
    box.move(items[1], "archive")
    box.purge(items[2])
    box.update(items[3], letter=outlook.letter(at=items[3].letter.received_at))
    sync(connection)
    _equal(outlook, connection)


def test_a_mark_in_outlook_counts_after_a_fast_clock_was_put_right(ana: Member, outlook: Outlook, time: Time) -> None:
    time.ahead += TEN
    [item] = outlook.history(count=1)
    outlook.mailbox("ana").mark_read(item, False)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    with scope(workspace=connection.workspace_id):
        thread = Message.objects.get(connection=connection).thread_id
        readstate.mark(member=ana, thread_id=thread, is_read=True, now=clock.now())
    work(connection)
    assert item.is_read
    time.ahead -= TEN
    outlook.mailbox("ana").mark_read(item, False)
    sync(connection)
    _equal(outlook, connection)


def test_a_mark_made_where_the_clock_is_ahead_of_the_workers_reaches_outlook_at_once(
    ana: Member, outlook: Outlook
) -> None:
    [item] = outlook.history(count=1)
    outlook.mailbox("ana").mark_read(item, False)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    with scope(workspace=connection.workspace_id):
        thread = Message.objects.get(connection=connection).thread_id
        readstate.mark(member=ana, thread_id=thread, is_read=True, now=clock.now() + timedelta(seconds=30))
    work(connection)
    assert item.is_read


@pytest.fixture
def berlin() -> Iterator[None]:
    """A server whose own zone has a summer time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    machine.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    machine.tzset()


@pytest.mark.parametrize(
    "change", [datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)], ids=["spring", "autumn"]
)
@pytest.mark.usefixtures("berlin")
def test_a_change_to_or_from_summer_time_changes_nothing(
    ana: Member, outlook: Outlook, time: Time, change: datetime, settings: Any
) -> None:
    time.passes(seconds=(change - timedelta(hours=3) - clock.now()).total_seconds())
    connection = outlook.connect(ana)
    for minutes in range(0, 300, 20):
        outlook.deliver(at=change - timedelta(minutes=150 - minutes))
    start(connection, "30d")
    for _ in range(6):
        time.passes(hours=1)
        work(connection)
        row = fresh(connection)
        assert row.last_success_at is not None
        assert timedelta() <= clock.now() - row.last_success_at < timedelta(hours=1)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)
