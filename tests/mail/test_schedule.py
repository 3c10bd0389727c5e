"""What is due is asked for once, by however many workers (OPS 5, SYN 5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connections as databases
from django.db import transaction
from tests.mail import hands
from tests.mail.hands import todo
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.mail.doors import schedule
from workestra.mail.models import Connection, Schedule
from workestra.tenancy.models import Member

LATER = timedelta(minutes=15)  # no look is planned further ahead than this


@pytest.fixture
def quiet(ana: Member, outlook: Outlook) -> Connection:
    """A connection for which nothing is due and nothing waits, nor for any other one."""
    later = clock.now() + LATER
    Schedule.objects.update(light_at=later, full_at=later, watch_at=later, wake_at=None)
    connection = outlook.connect(ana)
    hands.work(connection)
    _due(connection, light_at=later, full_at=later, watch_at=later, wake_at=None)
    return connection


def _due(connection: Connection, **when: datetime | None) -> None:
    Schedule.objects.filter(connection_id=connection.pk).update(**when)


@pytest.mark.parametrize(
    ("field", "jobs", "kinds"),
    [
        ("light_at", ["mail.pull"], ["light"]),
        ("full_at", ["mail.pull"], ["full"]),
        ("watch_at", ["mail.watch"], []),
        ("wake_at", ["mail.history", "mail.pull"], []),
    ],
)
def test_what_is_due_is_asked_for_once(quiet: Connection, field: str, jobs: list[str], kinds: list[str]) -> None:
    before = len(hands.runs(quiet))
    _due(quiet, **{field: clock.now()})
    assert schedule.tick(now=clock.now()) == 1
    assert schedule.tick(now=clock.now()) == 0
    assert sorted(todo(quiet)) == jobs
    assert [one.kind for one in hands.runs(quiet)[before:]] == kinds


def test_two_workers_that_tick_at_once_share_the_work(quiet: Connection, outlook: Outlook, cleo: Member) -> None:
    other = outlook.connect(cleo, "cleo")
    hands.work(other)
    for one in (quiet, other):
        now = clock.now()
        _due(one, light_at=now, full_at=now + LATER, watch_at=now + LATER, wake_at=None)

    def tick(_: int) -> int:
        try:
            return schedule.tick(now=clock.now())
        finally:
            databases.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(tick, range(6))) == 2
    assert todo(quiet) == todo(other) == ["mail.pull"]


def test_a_tick_that_is_rolled_back_leaves_everything_due(quiet: Connection) -> None:
    _due(quiet, light_at=clock.now())
    with pytest.raises(LookupError), transaction.atomic():
        assert schedule.tick(now=clock.now()) == 1
        raise LookupError
    assert todo(quiet) == []
    assert schedule.tick(now=clock.now()) == 1


def test_what_is_not_yet_due_is_left_alone(quiet: Connection) -> None:
    _due(quiet, light_at=clock.now() + timedelta(seconds=5))
    assert schedule.tick(now=clock.now()) == 0


def test_a_connection_that_is_not_looked_after_is_never_due(quiet: Connection) -> None:
    _due(quiet, light_at=clock.now(), full_at=clock.now())
    Schedule.objects.filter(connection_id=quiet.pk).update(active=False)
    assert schedule.tick(now=clock.now()) == 0
    assert todo(quiet) == []


def test_the_next_time_lies_at_a_place_of_its_own_around_the_interval(
    quiet: Connection, outlook: Outlook, ben: Member, cleo: Member
) -> None:
    some = [quiet, outlook.connect(ben, "ben"), outlook.connect(cleo, "cleo")]
    now = clock.now()
    for one in some:
        _due(one, light_at=now, full_at=now + LATER, watch_at=now + LATER, wake_at=None)
    schedule.tick(now=now)
    steps = [Schedule.objects.get(connection_id=one.pk).light_at - now for one in some]
    assert all(timedelta(minutes=13) < step < timedelta(minutes=17) for step in steps)
    assert len(set(steps)) == len(steps)


def test_after_a_long_standstill_each_connection_is_synced_once_not_once_per_missed_time(quiet: Connection) -> None:
    _due(quiet, light_at=clock.now() - timedelta(days=3), full_at=clock.now() - timedelta(days=2))
    assert schedule.tick(now=clock.now()) == 1
    row = Schedule.objects.get(connection_id=quiet.pk)
    assert row.light_at > clock.now()
    assert row.full_at > clock.now() + timedelta(hours=18)
    assert schedule.tick(now=clock.now()) == 0


def test_an_earlier_wake_is_not_put_off_by_a_later_one(quiet: Connection) -> None:
    soon, later = clock.now() + timedelta(seconds=5), clock.now() + timedelta(minutes=5)
    for at in (later, soon, later):
        schedule.wake(connection_id=quiet.pk, at=at)
    assert Schedule.objects.get(connection_id=quiet.pk).wake_at == soon
