"""The judges are judged: each sees the breach that it is there for, and none where there is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from m365sandbox.requests_log import Asked
from tests.mail.hands import start, sync, work
from tests.sandboxes import Outlook
from tests.simulation.checkers import backfills, convergence, cursors, health, readstate, requests
from tests.simulation.ledger import Ledger
from workestra.kit import clock
from workestra.mail.models import Backfill, Connection, Folder, Message, ReadChange, Slice, ThreadCopy
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def synced(outlook: Outlook, ana: Member) -> Connection:
    identity = outlook.handle.app.state.identity
    from workestra.mail.flows.microsoft import SCOPES

    for person in outlook.world.directory.people.values():
        identity.consents.grant(person=person, app_id=outlook.client_id, names=frozenset(SCOPES))
    outlook.history(count=5, days=10)
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    return row


def breaches(outlook: Outlook, row: Connection) -> list[str]:
    return convergence.verdict(box=outlook.mailbox("ana"), connection=row).words


def test_a_store_that_equals_the_mailbox_has_no_breach(outlook: Outlook, synced: Connection) -> None:
    box = outlook.mailbox("ana")
    assert breaches(outlook, synced) == []
    assert cursors.passed(world=outlook.world, box=box, connection=synced) == []
    assert health.unwell(connection=synced, now=clock.now()) == []


def test_mail_that_is_missing_surplus_or_different_is_named(outlook: Outlook, synced: Connection) -> None:
    item = outlook.deliver()
    lost = outlook.mailbox("ana").immutable_id(item)
    with scope(workspace=synced.workspace_id):
        first, second = Message.objects.filter(connection=synced).order_by("id")[:2]
        Message.objects.filter(pk=first.pk).update(subject="something else")
        Message.objects.filter(pk=second.pk).update(immutable_id="nobody's")
    words = breaches(outlook, synced)
    assert f"I2 lost {lost}" in words
    assert f"I2 lost {second.immutable_id}" in words
    assert "I1 unexpected nobody's" in words
    assert any(one.startswith(f"I1 different {first.immutable_id}") for one in words)


def test_a_list_that_counts_wrongly_is_named(outlook: Outlook, synced: Connection) -> None:
    with scope(workspace=synced.workspace_id):
        copies = list(ThreadCopy.objects.filter(connection=synced).order_by("id"))
        ThreadCopy.objects.filter(pk=copies[0].pk).update(messages=7)
        copies[1].delete()
    words = breaches(outlook, synced)
    assert any(f"thread {copies[0].thread_id} counts (7, " in one for one in words)
    assert f"I3 doubled thread {copies[1].thread_id} has mail and is in no list" in words


def test_a_cursor_that_has_passed_missing_mail_is_named(outlook: Outlook, synced: Connection) -> None:
    with scope(workspace=synced.workspace_id):
        gone = Message.objects.filter(connection=synced, folder__role="inbox").order_by("id").first()
        assert gone is not None
        Message.objects.filter(pk=gone.pk).update(removed_at=clock.now())
    words = cursors.passed(world=outlook.world, box=outlook.mailbox("ana"), connection=synced)
    assert words == [f"I8 Inbox has passed {gone.immutable_id}, which is not there"]


def test_nothing_is_said_of_a_cursor_that_is_no_longer_known(outlook: Outlook, synced: Connection) -> None:
    with scope(workspace=synced.workspace_id):
        Message.objects.filter(connection=synced).update(removed_at=clock.now())
        assert Folder.objects.filter(connection=synced).exclude(cursor="").exists()
    outlook.world.cursors.expire(owner=outlook.mailbox("ana").owner_id)
    assert cursors.passed(world=outlook.world, box=outlook.mailbox("ana"), connection=synced) == []


@pytest.mark.parametrize(
    "change",
    [
        {"error_code": "sync_failed"},
        {"first_done_at": None},
        {"last_success_at": NOW},
        {"state": Connection.State.SIGN_IN},
    ],
)
def test_a_connection_that_is_not_well_is_named(synced: Connection, change: dict[str, object]) -> None:
    with scope(workspace=synced.workspace_id):
        Connection.objects.filter(pk=synced.pk).update(**change)
    said = health.unwell(connection=synced, now=clock.now())
    assert said
    assert all(one.startswith("I11 ") for one in said)


def asked(method: str, path: str, *, second: float = 0, in_flight: int = 1) -> Asked:
    return Asked(NOW + timedelta(seconds=second), method, path, "", 200, "box", "app", in_flight, 0)


def test_requests_that_delete_or_move_mail_are_named() -> None:
    entries = [
        asked("GET", "/me/messages"),
        asked("DELETE", "/subscriptions/1"),
        asked("POST", "/subscriptions"),
        asked("DELETE", "/me/messages/1"),
        asked("POST", "/me/messages/1/move"),
        asked("DELETE", "/me/mailFolders/1"),
    ]
    assert requests.forbidden(entries=entries) == [
        "I5 DELETE /me/messages/1",
        "I5 POST /me/messages/1/move",
        "I5 DELETE /me/mailFolders/1",
    ]


def test_too_many_requests_are_named() -> None:
    assert requests.unbounded(entries=[asked("GET", "/me", second=n / 20) for n in range(10_000)]) == []
    (said,) = requests.unbounded(entries=[asked("GET", "/me", second=n / 20) for n in range(10_001)])
    assert "more than 10000 requests in ten minutes" in said
    (said,) = requests.unbounded(entries=[asked("GET", "/me", in_flight=5)])
    assert said.startswith("I13 5 requests at once")


def test_a_mark_that_is_put_to_outlook_at_rest_is_named() -> None:
    entries = [asked("GET", "/me/messages/1"), asked("PATCH", "/subscriptions/1"), asked("PATCH", "/me/messages/1")]
    assert readstate.patched(entries=entries) == ["I6 at rest PATCH /me/messages/1"]


def test_a_backfill_that_goes_backwards_or_on_after_its_end_is_named(synced: Connection) -> None:
    witness = backfills.Witness()
    with scope(workspace=synced.workspace_id):
        row = Backfill.objects.get(connection=synced)
        Backfill.objects.filter(pk=row.pk).update(state="running", pulled=50, pages=5)
    assert witness.look(connection=synced) == []

    def told(**change: object) -> list[str]:
        with scope(workspace=synced.workspace_id):
            Backfill.objects.filter(pk=row.pk).update(**change)
        return witness.look(connection=synced)

    assert told(pulled=60, pages=6) == []
    assert told(pulled=55) == [f"I9 backfill {row.pk} fell from 60 to 55 messages"]
    assert told(state="paused", pages=9) == []
    assert told(pages=10) == [f"I9 paused backfill {row.pk} pulled 1 more pages"]
    assert told(state="cancelled") == []
    assert told(state="running") == [f"I9 backfill {row.pk} went from cancelled to running"]


def test_a_backfill_that_loses_its_place_is_named(synced: Connection) -> None:
    witness = backfills.Witness()
    with scope(workspace=synced.workspace_id):
        row = Backfill.objects.get(connection=synced)
        Backfill.objects.filter(pk=row.pk).update(state="running")
        folder = Folder.objects.filter(connection=synced).order_by("id")[0]
        place = {"reached": NOW, "pages": 3, "link": "next"}
        one = Slice.objects.create(
            workspace_id=synced.workspace_id, backfill=row, folder=folder, since=NOW - DAY, until=NOW + DAY, **place
        )

    def told(**change: object) -> list[str]:
        with scope(workspace=synced.workspace_id):
            Slice.objects.filter(pk=one.pk).update(**change)
        return witness.look(connection=synced)

    assert told() == []
    assert told(pages=4, reached=NOW - HOUR) == []
    assert told(link="", until=NOW - HOUR + SECOND) == []
    assert told(until=NOW) == [
        f"I9 slice {one.pk} reached 01 23:00:00 and begins again at its top",
        f"I9 slice {one.pk} went back: "
        f"_Place(backfill={row.pk}, until={NOW - HOUR + SECOND!r}, reached={NOW - HOUR!r},"
        f" pages=4, done=False), _Place(backfill={row.pk}, until={NOW!r}, reached={NOW - HOUR!r},"
        " pages=4, done=False)",
    ]
    assert told(done=True) == []
    assert len(told(done=False, link="x")) == 1
    with scope(workspace=synced.workspace_id):
        Slice.objects.filter(pk=one.pk).delete()
    assert told() == [f"I9 backfill {row.pk} forgot its slice {one.pk}"]


def test_a_mark_that_a_sooner_one_beat_is_named(outlook: Outlook, synced: Connection) -> None:
    box, ledger = outlook.mailbox("ana"), Ledger()
    first, second, third, *_ = box.truth()
    ids = [box.immutable_id(one) for one in (first, second, third)]
    ledger.outlook(one=ids[0], is_read=True, at=1, on_its_way=False)
    ledger.here(ids=ids[:2], is_read=True, at=2)
    ledger.here(ids=ids[2:], is_read=True, at=3, sure=False)
    for item in (first, second, third):
        box.mark_read(item, False)

    def said() -> list[str]:
        return readstate.overruled(box=box, connection=synced, ledger=ledger)

    assert said() == [f"I6 {one} was marked as read here at 2 s, and is not" for one in ids[:2]]
    ledger.outlook(one=ids[0], is_read=False, at=4, on_its_way=False)
    ledger.outlook(one=ids[1], is_read=True, at=5, on_its_way=True)
    assert said() == []


def test_a_change_that_still_waits_is_named(synced: Connection) -> None:
    with scope(workspace=synced.workspace_id):
        row = Message.objects.filter(connection=synced).order_by("id")[0]
        change = ReadChange.objects.create(
            message=row,
            workspace_id=synced.workspace_id,
            connection=synced,
            member=synced.owner,
            wanted=True,
            was=False,
            number=1,
            pressed_at=NOW,
            due_at=NOW,
        )
    assert readstate.waiting(connection=synced) == [f"I6 {row.immutable_id} still waits"]
    with scope(workspace=synced.workspace_id):
        ReadChange.objects.filter(pk=change.pk).update(accepted_at=NOW)
    assert readstate.waiting(connection=synced) == []
