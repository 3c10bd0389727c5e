"""A folder that cannot be read costs nothing else; once it can be read, it is whole."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.compare import differences, store
from tests.mail.hands import Time, backfill, fresh, start, sync, work
from tests.sandboxes import Outlook

from m365sandbox.faults import Fault
from workestra.graph.errors import AccessDenied
from workestra.kit import clock
from workestra.mail import dispatch
from workestra.mail.doors import cards, logbook
from workestra.mail.flows import prove, pull, walk
from workestra.mail.models import Connection, Folder
from workestra.rules import replication
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def ago(**by: float) -> Any:
    return clock.now().replace(microsecond=0) - timedelta(**by)


def address(name: str) -> str:
    return re.escape(name.rstrip("="))


def refused(row: Connection) -> list[str]:
    """The folders that are put aside, as the row shows them."""
    with scope(workspace=row.workspace_id):
        card = cards.connection_card(member=row.owner, connection_id=row.pk, now=clock.now())
    assert card is not None
    return list(card.refused)


def check(row: Connection, *, repair: bool = False) -> logbook.CheckView:
    """A check that its owner asks for, to its end."""
    with scope(workspace=row.workspace_id):
        run = logbook.ask_check(member=row.owner, connection_id=row.pk, repair=repair, now=clock.now())
    assert run is not None
    work(row)
    with scope(workspace=row.workspace_id):
        return logbook.check(run=run)


def at_rest(member: Member, outlook: Outlook) -> Connection:
    """A connection with 30 days of mail, followed and compared."""
    row = outlook.connect(member)
    start(row, "30d")
    work(row)
    sync(row)
    assert differences(outlook, row, "ana") == []
    return row


def refuses_its_list(outlook: Outlook, folder: Any) -> Fault:
    """The folder's delta is read, its list is not."""
    return outlook.world.faults.add(
        Fault(rf"GET .*{address(folder.id)}.*/messages\?", "status", status=403, times=None)
    )


def unproven(row: Connection) -> list[str]:
    """Folders that are still to be compared."""
    with scope(workspace=row.workspace_id):
        return list(Folder.objects.filter(connection=row, prove=True).values_list("name", flat=True))


@pytest.fixture
def two(outlook: Outlook) -> tuple[Any, Any]:
    """A folder that will not be readable, with a letter, and another one; five letters in the Inbox."""
    box = outlook.mailbox("ana")
    bad, good = box.add_folder("Bad"), box.add_folder("Good")
    outlook.history(count=5, days=20)
    outlook.deliver(folder=bad.id, at=ago(days=4))
    outlook.deliver(folder=good.id, at=ago(days=3))
    return bad, good


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_one_folder_that_cannot_be_read_costs_no_other(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any], status: int
) -> None:
    bad, good = two
    fault = outlook.world.faults.add(
        Fault(rf"GET .*{address(bad.id)}.*/messages", "status", status=status, times=None)
    )
    row = outlook.connect(ana)
    start(row, "30d")
    for _ in range(6):
        work(row)
        time.passes(minutes=5)
    assert (len(store(row)), backfill(row).state) == (6, "done")
    assert refused(row) == ["Bad"]
    assert fresh(row).error_code == ""
    late = outlook.deliver(folder=good.id, at=clock.now().replace(microsecond=0))
    sync(row)
    assert outlook.mailbox("ana").immutable_id(late) in store(row)

    outlook.world.faults.clear(fault.id)
    sync(row)
    assert refused(row) == []
    assert differences(outlook, row, "ana") == []


def test_what_the_whole_mailbox_refuses_is_no_folder_s(ana: Member, outlook: Outlook, two: tuple[Any, Any]) -> None:
    row = outlook.connect(ana)
    outlook.world.faults.add(Fault(r"GET .*/messages", "status", status=403, times=None))
    start(row, "30d")
    work(row)
    assert refused(row) == []
    assert backfill(row).state == "waiting"
    assert fresh(row).error_code == "permission_denied"


def test_a_folder_that_is_refused_later_is_no_failure_of_the_sync(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any]
) -> None:
    bad, _ = two
    row = at_rest(ana, outlook)
    fault = outlook.world.faults.add(Fault(rf"GET .*{address(bad.id)}.*/messages", "status", status=403, times=None))
    outlook.deliver(folder=bad.id, at=clock.now().replace(microsecond=0))
    before = len(store(row))
    sync(row, "full")
    assert (refused(row), len(store(row)), fresh(row).error_code) == (["Bad"], before, "")  # what is here stays
    outlook.world.faults.clear(fault.id)
    sync(row)
    assert (refused(row), differences(outlook, row, "ana")) == ([], [])


def test_a_refusal_that_passes_is_over_in_a_minute(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any]
) -> None:
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    time.passes(minutes=20)
    fault = outlook.world.faults.add(Fault(r"GET .*/messages/delta", "status", status=403))
    work(row)
    assert (fault.hits, len(refused(row))) == (1, 1)
    time.passes(seconds=70)
    work(row)
    assert refused(row) == []


def test_history_goes_on_with_a_folder_that_was_refused_for_a_moment(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "PAGE", 20)
    monkeypatch.setattr(replication, "ROOM", 0)
    outlook.history(count=120, days=20)
    inbox = outlook.mailbox("ana").folder("inbox")
    outlook.deliver(folder="archive", at=ago(days=2))
    row = outlook.connect(ana)
    work(row)
    full = rf"GET .*{address(inbox.id)}.*/messages\?.*filter.*body"
    outlook.world.faults.add(Fault(full, "status", status=403, times=1, skip=1))
    outlook.world.requests.reset()
    start(row, "30d")
    work(row)
    assert (backfill(row).state, differences(outlook, row, "ana")) == ("done", [])
    assert not [one for one in outlook.world.requests.last(1000) if one.batched and "/messages" in one.path]


def test_a_folder_whose_comparison_fails_is_compared_again_with_the_next_daily_sync(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any]
) -> None:
    bad, _ = two
    row = at_rest(ana, outlook)
    fault = refuses_its_list(outlook, bad)
    sync(row, "full")
    assert refused(row) == ["Bad"]
    hits = fault.hits
    for _ in range(3):
        sync(row)
    assert (refused(row), fault.hits) == (["Bad"], hits)  # a list that fails is not asked for with each sync
    outlook.world.faults.clear(fault.id)
    sync(row, "full")
    assert refused(row) == []
    with scope(workspace=row.workspace_id):
        assert not Folder.objects.filter(connection=row, prove=True).exists()


@pytest.mark.parametrize("status", [403, 500])
def test_a_check_says_which_folder_it_could_not_compare(
    ana: Member, outlook: Outlook, two: tuple[Any, Any], status: int
) -> None:
    bad, _ = two
    row = at_rest(ana, outlook)
    fault = outlook.world.faults.add(
        Fault(rf"GET .*{address(bad.id)}.*/messages", "status", status=status, times=None)
    )
    seen = check(row)
    assert (seen.run.state, seen.run.equal, seen.refused, seen.left) == ("done", False, ("Bad",), 0)
    assert {"Good", "Inbox"} <= {one.name for one in seen.folders}
    assert "Bad" not in {one.name for one in seen.folders}
    outlook.world.faults.clear(fault.id)
    sync(row)
    with scope(workspace=row.workspace_id):
        assert logbook.check(run=seen.run.id).refused == ("Bad",)  # what a check found stays what it found
    assert check(row).run.equal


def test_a_comparison_over_which_outlook_stumbles_holds_up_no_other(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any]
) -> None:
    bad, _ = two
    row = at_rest(ana, outlook)
    outlook.world.faults.add(Fault(rf"GET .*{address(bad.id)}.*/messages\?", "status", status=500, times=None))
    sync(row, "full")
    assert (refused(row), fresh(row).error_code) == (["Bad"], "")
    assert not unproven(row)


def test_a_first_round_over_which_outlook_stumbles_holds_up_no_other(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any]
) -> None:
    bad, _ = two
    row = outlook.connect(ana)
    outlook.world.faults.add(Fault(rf"GET .*{address(bad.id)}.*/messages/delta", "status", status=500, times=None))
    start(row, "30d")
    work(row)
    with scope(workspace=row.workspace_id):
        waiting = Folder.objects.filter(connection=row, tracked=True, ready_at=None)
        assert [one.name for one in waiting] == ["Bad"]
    assert differences(outlook, row, "ana") == []  # its list brought what it holds


@pytest.mark.parametrize("status", [403, 500])
def test_a_delta_that_is_away_for_every_folder_is_the_mailbox_s_failure(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any], status: int
) -> None:
    row = at_rest(ana, outlook)
    outlook.deliver(at=ago(days=60))
    outlook.world.faults.add(Fault(r"GET .*delta", "status", status=status, times=None))
    for _ in range(4):
        sync(row)
        time.passes(minutes=5)
    assert (refused(row), bool(fresh(row).error_code)) == ([], True)
    start(row, "90d")
    work(row)
    assert (backfill(row).state, backfill(row).pulled) == ("done", 1)  # history needs no delta


def test_a_repair_that_reads_the_folder_again_ends_the_refusal(
    ana: Member, outlook: Outlook, two: tuple[Any, Any]
) -> None:
    bad, _ = two
    row = at_rest(ana, outlook)
    fault = outlook.world.faults.add(Fault(rf"GET .*{address(bad.id)}.*/messages", "status", status=403, times=None))
    sync(row)
    outlook.world.faults.clear(fault.id)
    check(row, repair=True)
    assert refused(row) == []


def test_a_folder_that_heals_while_all_others_are_refused_is_read(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any]
) -> None:
    _, good = two
    row = at_rest(ana, outlook)
    one = outlook.world.faults.add(Fault(rf"GET .*{address(good.id)}.*/messages", "status", status=403, times=None))
    sync(row)
    assert refused(row) == ["Good"]
    outlook.world.faults.add(Fault(rf"GET (?!.*{address(good.id)}).*/messages", "status", status=403, times=None))
    sync(row)
    outlook.world.faults.clear(one.id)
    late = outlook.deliver(folder=good.id, at=clock.now().replace(microsecond=0))
    time.passes(minutes=10)
    sync(row)
    assert outlook.mailbox("ana").immutable_id(late) in store(row)


def test_a_folder_that_was_left_out_and_is_wanted_again_is_read_anew(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any]
) -> None:
    bad, _ = two
    row = at_rest(ana, outlook)
    fault = refuses_its_list(outlook, bad)
    sync(row, "full")
    assert refused(row) == ["Bad"]
    for chosen in (False, True):
        with scope(workspace=row.workspace_id):
            Folder.objects.filter(connection=row, name="Bad").update(chosen=chosen)
        outlook.world.faults.clear(fault.id)
        sync(row, "manual")
    assert (refused(row), differences(outlook, row, "ana")) == ([], [])


def test_pages_of_a_new_round_that_wear_out_are_no_refusal(
    ana: Member, outlook: Outlook, two: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "FIRST_PAGE", 2)
    row = at_rest(ana, outlook)
    inbox = outlook.mailbox("ana").folder("inbox")
    outlook.world.cursors.expire(owner=outlook.mailbox("ana").owner_id, folder=None)
    fault = outlook.world.faults.add(Fault(rf"GET .*{address(inbox.id)}.*delta.*skiptoken", "status", status=410))
    sync(row)
    assert (fault.hits, refused(row)) == (1, [])


def test_pages_of_a_new_round_that_always_wear_out_are_asked_for_after_a_while(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "FIRST_PAGE", 2)
    row = at_rest(ana, outlook)
    outlook.world.cursors.expire(owner=outlook.mailbox("ana").owner_id, folder=None)
    fault = outlook.world.faults.add(Fault(r"GET .*delta.*skiptoken", "status", status=410, times=40))
    sync(row)
    assert fault.hits < 10
    for _ in range(8):
        time.passes(minutes=40)
        work(row)
    outlook.world.faults.clear(fault.id)
    sync(row)
    assert (refused(row), differences(outlook, row, "ana")) == ([], [])


def test_what_is_announced_and_fails_within_longer_work_is_not_that_folder_s_refusal(
    ana: Member, outlook: Outlook, two: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = at_rest(ana, outlook)
    calls: list[int] = []

    async def refuses(**given: Any) -> None:
        calls.append(1)
        if len(calls) < 3:
            raise AccessDenied(code="ErrorAccessDenied", message="", status=403)

    def announced(**given: Any) -> list[Any]:
        return [object()] if len(calls) < 3 else []

    sync(row)
    monkeypatch.setattr(prove, "PAGE", 2)
    monkeypatch.setattr(prove, "SPARE", 0)
    with scope(workspace=row.workspace_id):
        Folder.objects.filter(connection=row, name="Good").update(prove=True)
    real = pull.notices.unread
    told = iter([[]])  # the turn itself finds nothing
    monkeypatch.setattr(pull.notices, "unread", lambda **given: next(told, None) or announced(**given))
    monkeypatch.setattr(pull.notice, "work_off", refuses)
    with scope(workspace=row.workspace_id):
        dispatch.pull(workspace=row.workspace_id, connection=row.pk)
    work(row)
    monkeypatch.setattr(pull.notices, "unread", real)
    assert calls
    assert refused(row) == []
