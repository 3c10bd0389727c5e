"""A mailbox against the store: every kind of difference is found, mended through the one way in, and told (OPS 2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.compare import differences
from tests.mail import hands
from tests.mail.hands import start, sync, work
from tests.sandboxes import Outlook, ref_of, run

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail import dispatch
from workestra.mail.doors import runs
from workestra.mail.flows.verify import verify
from workestra.mail.models import Connection, Folder, Message, Proof, SyncRun
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


@pytest.fixture
def full(ana: Member, outlook: Outlook) -> Connection:
    """A connection with sixty letters of history."""
    outlook.history(count=60)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    assert differences(outlook, connection, "ana") == []
    return connection


def check(connection: Connection, *, repair: bool = False, bodies: bool = False) -> SyncRun:
    """Ask for a check and let a worker do it."""
    with scope(workspace=connection.workspace_id):
        wanted = runs.ask_check(
            workspace=connection.workspace_id,
            connection=connection.pk,
            repair=repair,
            bodies=bodies,
            member=connection.owner_id,
            now=clock.now(),
        )
        dispatch.check(workspace=connection.workspace_id, connection=connection.pk)
    work(connection)
    return next(one for one in hands.runs(connection) if one.pk == wanted)


def proof(connection: Connection, check: SyncRun, role: str = "inbox") -> dict[str, int]:
    """What a check found in a folder."""
    with scope(workspace=connection.workspace_id):
        row = Proof.objects.get(run=check, folder__role=role)
        return {name: getattr(row, name) for name in ("outlook", "held", "missing", "surplus", "different", "left")}


def harm(connection: Connection, **how: Any) -> str:
    """Spoil the newest stored message behind everybody's back. Its immutable id."""
    with scope(workspace=connection.workspace_id):
        row = Message.objects.filter(connection_id=connection.pk, removed_at=None).latest("received_at")
        Message.objects.filter(pk=row.pk).update(**how)
    return row.immutable_id


def test_an_equal_mailbox_is_equal(full: Connection) -> None:
    done = check(full)
    assert (done.state, done.equal, done.compared) == ("done", True, 60)
    found = proof(full, done)
    assert found == {"outlook": 60, "held": 60, "missing": 0, "surplus": 0, "different": 0, "left": 0}


@pytest.mark.parametrize(
    ("how", "counted"),
    [
        ({"is_read": None}, "different"),
        ({"flag": "flagged"}, "different"),
        ({"categories": ["Nonsense"]}, "different"),
        ({"removed_at": clock.now()}, "missing"),
        ({"immutable_id": "never-there"}, "surplus"),
    ],
)
def test_each_difference_is_found_and_left_alone_unless_it_is_to_be_repaired(
    full: Connection, outlook: Outlook, how: dict[str, Any], counted: str
) -> None:
    if "is_read" in how:
        with scope(workspace=full.workspace_id):
            newest = Message.objects.filter(connection_id=full.pk).latest("received_at")
        how = {"is_read": not newest.is_read}
    harm(full, **how)
    wrong = differences(outlook, full, "ana") if "flag" not in how else ["flags are not in this comparison"]
    found = check(full)
    assert found.equal is False
    assert proof(full, found)[counted] == 1
    assert differences(outlook, full, "ana") == (wrong if "flag" not in how else [])
    mended = check(full, repair=True)
    assert (mended.kind, mended.equal) == ("repair", True)
    assert proof(full, mended)[counted] == 1
    assert proof(full, mended)["left"] == 0
    assert differences(outlook, full, "ana") == []
    assert check(full).equal is True


def test_a_message_that_lies_in_the_wrong_folder_is_found_in_both_and_goes_home(
    full: Connection, outlook: Outlook
) -> None:
    with scope(workspace=full.workspace_id):
        archive = Folder.objects.get(connection_id=full.pk, role="archive")
    harm(full, folder=archive)
    found = check(full)
    assert proof(full, found)["different"] == 1
    assert proof(full, found, "archive")["surplus"] == 1
    assert check(full, repair=True).equal is True
    assert differences(outlook, full, "ana") == []


def test_a_message_that_no_list_names_and_that_lies_where_we_hold_it_is_no_difference(
    full: Connection, outlook: Outlook
) -> None:
    outlook.deliver(at=datetime(1600, 5, 5, tzinfo=UTC))  # before the time in which Outlook's lists begin
    sync(full)
    found = check(full)
    assert (found.equal, proof(full, found)["held"]) == (True, 61)
    assert proof(full, found)["outlook"] == 61
    assert check(full, repair=True).equal is True
    assert proof(full, found)["held"] == 61


def test_a_spoiled_body_is_found_where_bodies_are_compared(full: Connection, outlook: Outlook) -> None:
    harm(full, body=b"no zstd at all")
    assert check(full).equal is True, "ids and state are as in Outlook"
    found = check(full, bodies=True)
    assert found.equal is False
    assert proof(full, found)["different"] == 1
    assert check(full, repair=True, bodies=True).equal is True
    assert check(full, bodies=True).equal is True


def test_rows_that_were_lost_come_back(full: Connection, outlook: Outlook) -> None:
    with scope(workspace=full.workspace_id):
        some = Message.objects.filter(connection_id=full.pk).order_by("id").values_list("pk", flat=True)[:25]
        Message.objects.filter(pk__in=list(some)).delete()
    mended = check(full, repair=True)
    assert proof(full, mended) | {"left": 0} == {
        "outlook": 60, "held": 35, "missing": 25, "surplus": 0, "different": 0, "left": 0
    }  # fmt: skip
    assert mended.added == 25
    assert differences(outlook, full, "ana") == []


def test_a_check_sends_nothing_that_could_change_the_mailbox(full: Connection, outlook: Outlook) -> None:
    harm(full, is_read=True, categories=["x"], flag="complete")
    outlook.world.requests.reset()
    check(full, repair=True)
    sent = {(one.method, one.path) for one in outlook.world.requests.last(20_000)}
    assert {method for method, path in sent if "$batch" not in path} == {"GET"}


def test_a_check_that_microsoft_slows_goes_on_and_one_that_fails_says_why(
    full: Connection, outlook: Outlook, time: Any
) -> None:
    outlook.world.faults.add(Fault(r"GET .*/messages\?", "status", status=429, headers={"Retry-After": "9"}))
    waiting = check(full)
    assert (waiting.state, waiting.throttled_at is not None) == ("running", True)
    time.passes(seconds=10)
    work(full)
    assert hands.runs(full)[-1].equal is True
    outlook.world.faults.add(Fault(r"GET .*/messages\?", "status", status=500, times=9))
    failed = check(full)
    assert failed.state == "failed"
    assert failed.error_code
    assert hands.fresh(full).error_code == "", "a check that failed is no failed sync"


def test_a_check_takes_no_more_than_its_pages_and_four_at_once(full: Connection, outlook: Outlook) -> None:
    outlook.world.requests.reset()
    check(full)
    pages = hands.asked(outlook, "/messages")
    with scope(workspace=full.workspace_id):
        folders = Folder.objects.filter(connection_id=full.pk, tracked=True, gone_at=None).count()
    assert pages == folders
    assert max(outlook.world.requests.max_in_flight.values()) <= 4


def test_a_page_of_one_second_and_worn_out_links_are_compared_once(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workestra.mail.flows import prove

    monkeypatch.setattr(prove, "PAGE", 10)
    monkeypatch.setattr(prove, "SPARE", 0)
    at = clock.now().replace(microsecond=0) - timedelta(days=2)
    for _ in range(25):
        outlook.deliver(at=at)
    outlook.history(count=30)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    outlook.world.faults.add(
        Fault(r"GET .*/messages\?.*skip", "status", status=410, body='{"error":{"code":"SyncStateNotFound"}}')
    )
    done = check(connection)
    assert done.equal is True
    assert proof(connection, done)["outlook"] == 55


def test_one_check_alone_can_be_done_without_a_worker(full: Connection) -> None:
    with scope(workspace=full.workspace_id):
        wanted = runs.ask_check(
            workspace=full.workspace_id, connection=full.pk, repair=False, bodies=False, member=None, now=clock.now()
        )
    run(verify(ref=ref_of(full), only=wanted))
    assert next(one for one in hands.runs(full) if one.pk == wanted).equal is True


def test_a_check_whose_process_was_killed_is_done_by_a_worker_within_a_day(
    full: Connection, time: hands.Time
) -> None:
    with scope(workspace=full.workspace_id):
        wanted = runs.ask_check(
            workspace=full.workspace_id, connection=full.pk, repair=False, bodies=False, member=None, now=clock.now()
        )
    assert runs.next_check(ref=ref_of(full), only=wanted, now=clock.now()) is not None  # and nothing more is heard
    time.passes(hours=25)
    work(full)
    done = next(one for one in hands.runs(full) if one.pk == wanted)
    assert (done.state, done.equal) == ("done", True)


def test_a_check_that_waits_when_the_sign_in_ends_is_done_after_the_next(full: Connection, outlook: Outlook) -> None:
    with scope(workspace=full.workspace_id):
        Connection.objects.filter(pk=full.pk).update(state=Connection.State.SIGN_IN, error_code="token_revoked")
    waits = check(full)
    assert waits.state == "queued"
    outlook.connect(full.owner)
    work(full)
    done = next(one for one in hands.runs(full) if one.pk == waits.pk)
    assert (done.state, done.equal) == ("done", True)
