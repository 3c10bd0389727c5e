"""Messages over which Outlook stumbles, wherever they are met: each costs only itself, and comes once mended."""

from __future__ import annotations

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
from workestra.mail.flows import history
from workestra.mail.models import Connection, Message
from workestra.rules import replication
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

STUMBLES = Broken(500, "ErrorInternalServerError", "An internal server error occurred.")


def ago(**by: float) -> Any:
    return clock.now().replace(microsecond=0) - timedelta(**by)


def breaks(item: Any) -> str:
    """Have Outlook stumble over it from now on."""
    item.odd["body"] = STUMBLES
    return str(item)


def refused(row: Connection) -> list[str]:
    """The folders that are put aside."""
    with scope(workspace=row.workspace_id):
        card = cards.connection_card(member=row.owner, connection_id=row.pk, now=clock.now())
    assert card is not None
    return list(card.refused)


def passes(row: Connection, time: Time, *, hours: float) -> None:
    """Time with a worker that runs."""
    for _ in range(int(hours * 12)):
        work(row)
        time.passes(minutes=5)
    work(row)


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


def test_what_is_older_than_a_broken_one_is_pulled_and_not_left_to_the_comparison(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unproven(**given: Any) -> bool:
        return False

    monkeypatch.setattr(history, "prove_range", unproven)
    monkeypatch.setattr(replication, "portions", lambda messages: [messages])
    items = outlook.history(count=240, days=25)
    breaks(items[200])
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    assert len(store(row)) == 239


def test_one_that_is_new_when_a_mailbox_is_connected_holds_up_nothing(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    outlook.history(count=5, days=20)
    breaks(outlook.deliver(at=ago(minutes=1)))
    row = outlook.connect(ana)
    start(row, "30d")
    passes(row, time, hours=1)
    late = outlook.deliver(at=clock.now().replace(microsecond=0))
    sync(row)
    assert outlook.mailbox("ana").immutable_id(late) in store(row)
    assert (refused(row), fresh(row).error_code) == ([], "")


def test_an_old_one_in_a_new_folder_holds_up_neither_this_nor_the_next(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    outlook.history(count=5, days=20)
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    box = outlook.mailbox("ana")
    first, second = box.add_folder("New"), box.add_folder("Newer")
    breaks(outlook.deliver(folder=first.id, at=ago(days=9)))
    good = [outlook.deliver(folder=one.id, at=ago(days=8)) for one in (first, second)]
    sync(row, "manual")
    passes(row, time, hours=0.5)
    assert {box.immutable_id(one) for one in good} <= set(store(row))


def test_one_that_came_while_its_folder_could_not_be_read_keeps_it_no_longer_aside(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    box = outlook.mailbox("ana")
    folder = box.add_folder("Projects")
    outlook.history(count=5, days=20)
    outlook.deliver(folder=folder.id, at=ago(days=3))
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    part = folder.id.rstrip("=")
    fault = outlook.world.faults.add(Fault(rf"GET .*{part}.*/messages", "status", status=403, times=None))
    sync(row)
    assert refused(row) == ["Projects"]
    breaks(outlook.deliver(folder=folder.id, at=clock.now().replace(microsecond=0)))
    good = outlook.deliver(folder=folder.id, at=clock.now().replace(microsecond=0))
    outlook.world.faults.clear(fault.id)
    passes(row, time, hours=0.5)
    assert outlook.mailbox("ana").immutable_id(good) in store(row)
    assert refused(row) == []


def test_one_among_doubted_ones_leaves_no_doubt_of_the_others(ana: Member, outlook: Outlook, time: Time) -> None:
    items = outlook.history(count=60, days=20)
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    breaks(items[20])
    with scope(workspace=row.workspace_id):
        Message.objects.filter(connection=row).update(doubted=True)
    sync(row)
    with scope(workspace=row.workspace_id):
        assert Message.objects.filter(connection=row, doubted=True).count() == 1


@pytest.mark.parametrize("count", [12, 60])
def test_where_outlook_gives_ids_and_no_message_history_waits(
    ana: Member, outlook: Outlook, time: Time, count: int
) -> None:
    items = outlook.history(count=count, days=20)
    for one in items:
        breaks(one)
    row = outlook.connect(ana)
    start(row, "30d")
    passes(row, time, hours=2)
    assert (backfill(row).state, store(row)) == ("waiting", {})
    for one in items:
        one.odd.clear()
    time.passes(hours=1)
    work(row)
    assert (backfill(row).state, backfill(row).pulled) == ("done", count)


@pytest.mark.parametrize("slices", [2, 8])
def test_slices_that_fail_are_left_to_the_comparison_after_some_tries(
    ana: Member, outlook: Outlook, time: Time, monkeypatch: pytest.MonkeyPatch, slices: int
) -> None:
    monkeypatch.setattr(
        replication, "portions", lambda messages: [max(1, messages // slices)] * min(slices, messages)
    )
    folder = outlook.mailbox("ana").add_folder("Bad")
    for n in range(60):
        outlook.deliver(folder=folder.id, at=ago(days=1 + n / 4))
    outlook.history(count=20, days=25)
    row = outlook.connect(ana)
    work(row)
    part = folder.id.rstrip("=")
    fault = outlook.world.faults.add(
        Fault(rf"GET .*{part}.*/messages\?(?!.*count)", "status", status=500, times=None)
    )
    start(row, "30d")
    passes(row, time, hours=1)
    assert (backfill(row).state, len(store(row)), refused(row)) == ("done", 20, ["Bad"])
    outlook.world.faults.clear(fault.id)
    sync(row, "full")
    assert (refused(row), differences(outlook, row, "ana")) == ([], [])


def test_a_mailbox_of_which_the_oldest_is_broken_is_pulled_to_its_end(
    ana: Member, outlook: Outlook, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "portions", lambda messages: [1] * messages)
    items = outlook.history(count=6, days=20)
    breaks(items[0])
    row = outlook.connect(ana)
    start(row, "30d")
    passes(row, time, hours=1)
    assert (backfill(row).state, len(store(row))) == ("done", 5)


def test_many_of_them_are_no_storm(ana: Member, outlook: Outlook) -> None:
    for one in outlook.history(count=300, days=20):
        breaks(one)
    row = outlook.connect(ana)
    work(row)
    outlook.world.requests.reset()
    start(row, "30d")
    work(row)
    assert len([one for one in outlook.world.requests.last(20_000) if not one.batched]) < 60
