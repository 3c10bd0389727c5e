"""A folder that cannot be read, or a message that no list gives, costs nothing else; once readable it is whole."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.compare import differences, store
from tests.mail.hands import Time, backfill, fresh, start, sync, work
from tests.sandboxes import Outlook

from m365sandbox.faults import Fault
from m365sandbox.graph.errors import GraphError as Broken
from workestra.kit import clock
from workestra.mail.doors import cards, logbook
from workestra.mail.models import Connection, Folder
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

STUMBLES = Broken(500, "ErrorInternalServerError", "An internal server error occurred.")


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
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    assert differences(outlook, row, "ana") == []
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


def test_a_folder_whose_comparison_fails_is_compared_again_with_the_next_daily_sync(
    ana: Member, outlook: Outlook, time: Time, two: tuple[Any, Any]
) -> None:
    bad, _ = two
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    # The delta of the folder is read, its list is not.
    fault = outlook.world.faults.add(
        Fault(rf"GET .*{address(bad.id)}.*/messages\?", "status", status=403, times=None)
    )
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


def test_a_check_says_which_folder_it_could_not_compare(ana: Member, outlook: Outlook, two: tuple[Any, Any]) -> None:
    bad, _ = two
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    outlook.world.faults.add(Fault(rf"GET .*{address(bad.id)}.*/messages", "status", status=403, times=None))
    with scope(workspace=row.workspace_id):
        run = logbook.ask_check(member=row.owner, connection_id=row.pk, repair=False, now=clock.now())
    assert run is not None
    work(row)
    with scope(workspace=row.workspace_id):
        seen = logbook.check(run=run)
    assert (seen.run.state, seen.run.equal, seen.refused, seen.left) == ("done", False, ("Bad",), 0)
    assert {"Good", "Inbox"} <= {one.name for one in seen.folders}
    assert "Bad" not in {one.name for one in seen.folders}


def test_a_broken_message_costs_a_history_no_other(ana: Member, outlook: Outlook, time: Time) -> None:
    items = outlook.history(count=240, days=25)
    bad = [items[7], items[130], items[131], items[239]]
    for one in bad:
        one.odd["body"] = STUMBLES
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    box = outlook.mailbox("ana")
    missing = {box.immutable_id(one) for one in bad}
    assert backfill(row).state == "done"
    assert {box.immutable_id(one) for one in items} - set(store(row)) == missing
    assert refused(row) == []
    with scope(workspace=row.workspace_id):
        proofs = logbook.proofs(member=row.owner, connection_id=row.pk)
    assert sum(one.left for one in proofs) == len(bad)  # it says so

    for one in bad:
        one.odd.clear()  # Microsoft mends them
    sync(row, "full")
    assert differences(outlook, row, "ana") == []
