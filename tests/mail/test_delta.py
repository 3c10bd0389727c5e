"""What people do in Outlook between two syncs, and what delta makes of it: the store ends equal (SYN 5 to 9)."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from typing import Any

import pytest
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import Time, start, sync, work
from tests.sandboxes import Outlook, ref_of

from m365sandbox.faults import Fault
from m365sandbox.mailbox import Item, Mailbox
from workestra.kit import clock
from workestra.mail.models import Connection, Message
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

COUNT = 8


@pytest.fixture
def box(outlook: Outlook) -> Mailbox:
    return outlook.mailbox("ana")


@pytest.fixture
def items(outlook: Outlook) -> list[Item]:
    return outlook.history(count=COUNT, days=20)


@pytest.fixture
def here(ana: Member, outlook: Outlook, items: list[Item]) -> Connection:
    """A connection with history, whose cursors stand."""
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    assert len(store(connection)) == COUNT
    assert all(one.ready for one in ref_of(connection).tracked)
    return connection


def _equal(outlook: Outlook, connection: Connection, number: int) -> None:
    assert hands.fresh(connection).error_code == ""
    assert differences(outlook, connection, "ana") == []
    assert len(store(connection)) == number


def test_moves_marks_and_deletions_are_followed(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item]
) -> None:
    box.move(items[0], "archive")
    box.move(items[1], "deleteditems")
    box.move(items[2], "junkemail")
    box.purge(items[3])
    box.mark_read(items[4], not items[4].is_read)
    box.categorise(items[5], ["Blue", "Grün"])
    box.flag(items[6])
    sync(here)
    _equal(outlook, here, COUNT - 3)
    box.move(items[1], "inbox")
    box.move(items[2], "archive")
    box.move(items[0], "inbox")
    box.categorise(items[5], [])
    sync(here)
    _equal(outlook, here, COUNT - 1)


def test_what_comes_back_is_the_same_message_not_a_second_one(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item]
) -> None:
    def rows() -> list[int]:
        with scope(workspace=here.workspace_id):
            return sorted(Message.objects.filter(connection_id=here.pk).values_list("pk", flat=True))

    before = rows()
    for folder in ("deleteditems", "inbox", "archive", "deleteditems", "inbox"):
        box.move(items[0], folder)
        sync(here)
    assert rows() == before
    _equal(outlook, here, COUNT)


@pytest.mark.parametrize("switch", ["delta_ghosts", "delta_duplicates", "delta_empty_pages"])
def test_odd_pages_change_nothing(
    ana: Member, outlook: Outlook, box: Mailbox, items: list[Item], switch: str
) -> None:
    setattr(outlook.world.switches, switch, True)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    box.move(items[0], "archive")
    box.mark_read(items[1], not items[1].is_read)
    sync(connection)
    _equal(outlook, connection, COUNT)


def test_a_letter_moved_out_and_back_unseen_is_kept(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item]
) -> None:
    outlook.world.switches.immutable_id_gap = True
    box.move(items[0], "archive")
    box.move(items[0], "inbox")
    sync(here)
    sync(here, "full")
    _equal(outlook, here, COUNT)


def test_a_new_letter_that_delta_never_tells_of_is_found_by_the_full_sync(
    here: Connection, outlook: Outlook, box: Mailbox
) -> None:
    outlook.world.switches.immutable_id_gap = True
    item = outlook.deliver(folder="archive", at=clock.now() + timedelta(seconds=2))
    box.move(item, "inbox")
    box.move(item, "archive")
    box.move(item, "inbox")
    sync(here, "full")
    _equal(outlook, here, COUNT + 1)


def test_what_is_listed_before_it_is_readable_by_id_is_brought_by_the_proof(
    here: Connection, outlook: Outlook, box: Mailbox
) -> None:
    outlook.world.switches.unreadable_seconds = 3600
    item = outlook.deliver(at=clock.now() + timedelta(seconds=2))
    item.folder.log._seqs.pop()  # delta never tells of it
    item.folder.log._items.pop()
    sync(here, "full")
    _equal(outlook, here, COUNT + 1)


@pytest.mark.parametrize("everything", [True, False])
def test_a_worn_out_cursor_starts_anew_without_a_second_copy(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item], everything: bool
) -> None:
    outlook.deliver(at=clock.now() + timedelta(seconds=2))
    box.purge(items[0])
    box.move(items[1], "archive")
    folder = None if everything else box.folder("inbox").number
    outlook.world.cursors.expire(owner=box.owner_id, folder=folder)
    sync(here)
    _equal(outlook, here, COUNT)


def test_a_cursor_that_wears_out_in_the_middle_of_a_round_starts_anew(
    ana: Member, outlook: Outlook, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workestra.mail.flows import walk

    monkeypatch.setattr(walk, "FIRST_PAGE", 10)
    items = outlook.history(count=35, days=20)
    connection = outlook.connect(ana)
    start(connection)
    outlook.world.faults.add(Fault(r"GET .*delta\?.*skiptoken", "status", status=410, skip=1))
    work(connection)
    assert not outlook.world.faults.pending()
    box.purge(items[0])
    sync(connection)
    _equal(outlook, connection, 34)


def test_a_cursor_that_is_refused_in_words_of_no_list_starts_anew(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item]
) -> None:
    box.purge(items[0])
    body = '{"error": {"code": "ErrorInvalidSyncStateData", "message": "The sync state cannot be read."}}'
    outlook.world.faults.add(Fault(r"GET .*delta\?.*deltatoken", "status", status=400, body=body))
    sync(here)
    assert hands.runs(here)[-1].state == "done"
    _equal(outlook, here, COUNT - 1)


def test_rounds_that_wear_out_again_and_again_are_begun_anew_a_few_times_only(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    from workestra.mail.flows import walk

    monkeypatch.setattr(walk, "FIRST_PAGE", 10)
    outlook.history(count=35, days=20)
    connection = outlook.connect(ana)
    start(connection)
    fault = outlook.world.faults.add(Fault(r"GET .*delta\?.*skiptoken", "status", status=410, times=60))
    work(connection)
    assert fault.hits <= 6, "the rest waits for a later try"
    outlook.world.faults.clear()
    time.passes(minutes=1)
    work(connection)
    sync(connection)
    _equal(outlook, connection, 35)


def test_a_folder_made_renamed_moved_and_deleted_is_followed(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item], time: Time
) -> None:
    folder = box.add_folder("Customers")
    box.move(items[0], folder.id)
    outlook.deliver(folder=folder.id, at=clock.now() + timedelta(seconds=2))
    time.passes(minutes=11)
    sync(here)
    _equal(outlook, here, COUNT + 1)
    box.rename_folder(folder.id, "Clients")
    box.move_folder(folder.id, "archive")
    time.passes(minutes=11)
    sync(here)
    assert {one.graph_id for one in ref_of(here).tracked} >= {folder.id}
    _equal(outlook, here, COUNT + 1)
    box.delete_folder(folder.id)
    time.passes(minutes=11)
    sync(here)
    _equal(outlook, here, COUNT - 1)
    box.move_folder(folder.id, "msgfolderroot")
    time.passes(minutes=11)
    sync(here)
    sync(here, "full")
    _equal(outlook, here, COUNT + 1)


def test_a_letter_moved_to_a_folder_made_a_moment_ago_stays_in_view(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item]
) -> None:
    box.move(items[0], box.add_folder("Customers").id)
    sync(here)
    _equal(outlook, here, COUNT)


@pytest.mark.parametrize("code", ["", "ErrorSyncFolderNotFound"])
def test_a_folder_that_vanished_a_moment_ago_is_no_error(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item], time: Time, code: str
) -> None:
    folder = box.add_folder("Customers")
    box.move(items[0], folder.id)
    time.passes(minutes=11)
    sync(here)
    box.delete_folder(folder.id)
    box.delete_folder(folder.id)
    outlook.deliver(at=clock.now() + timedelta(seconds=2))
    if code:
        body = f'{{"error": {{"code": "{code}", "message": "The folder is not there."}}}}'
        gone = rf"GET .*{re.escape(folder.id.rstrip('='))}.*/messages/delta"
        outlook.world.faults.add(Fault(gone, "status", status=404, body=body, times=None))
    sync(here)
    _equal(outlook, here, COUNT)
    assert hands.runs(here)[-1].state == "done"


def test_a_light_item_that_tells_only_what_changed_keeps_the_rest(here: Connection, items: list[Item]) -> None:
    from workestra.graph.decoding import decode
    from workestra.graph.wire import Message as Told
    from workestra.mail.doors import store as doors
    from workestra.mail.intake import mark

    with scope(workspace=here.workspace_id):
        row = Message.objects.filter(connection_id=here.pk).order_by("id")[0]
        Message.objects.filter(pk=row.pk).update(categories=["Blue"], flag="flagged", is_read=False)
        folder = row.folder.graph_id
    partial = mark(message=decode(body=b'{"id":"%s","isRead":true}' % row.immutable_id.encode(), kind=Told))
    partial.folder = folder
    doors.absorb(ref=ref_of(here), asked_at=clock.now(), now=clock.now(), marks=[partial])
    with scope(workspace=here.workspace_id):
        after = Message.objects.get(pk=row.pk)
    assert (after.is_read, after.categories, after.flag) == (True, ["Blue"], "flagged")
    assert (after.subject, after.received_at, bytes(after.body)) == (row.subject, row.received_at, bytes(row.body))


def test_a_sync_without_changes_asks_little_and_writes_nothing(here: Connection, outlook: Outlook) -> None:
    sync(here)
    before: Any = store(here)
    total = outlook.world.requests.total
    sync(here)
    assert outlook.world.requests.total - total <= len(ref_of(here).tracked)
    run = hands.runs(here)[-1]
    assert (run.state, run.added, run.changed, run.removed) == ("done", 0, 0, 0)
    assert store(here) == before


def test_a_body_that_was_edited_and_nothing_else_is_fetched_anew(
    here: Connection, outlook: Outlook, box: Mailbox, items: list[Item]
) -> None:
    edited = dataclasses.replace(items[3].letter, body=lambda: ("html", "<p>Said differently now</p>"))
    box.update(items[3], letter=edited)
    sync(here)
    _equal(outlook, here, COUNT)


def test_what_left_before_the_first_round_began_does_not_stay(ana: Member, outlook: Outlook, time: Time) -> None:
    connection = outlook.connect(ana)
    outlook.world.faults.add(Fault("/messages/delta", "status", status=503, times=None))
    item = outlook.deliver(at=clock.now() + timedelta(seconds=2))
    sync(connection)
    assert len(store(connection)) == 1, "a list brought it"
    outlook.mailbox("ana").move(item, "deleteditems")
    outlook.world.faults.clear()
    time.passes(minutes=2)
    work(connection)
    assert all(one.ready for one in ref_of(connection).tracked)
    _equal(outlook, connection, 0)


def test_sync_now_finds_a_letter_in_a_folder_made_a_moment_ago(
    here: Connection, outlook: Outlook, box: Mailbox
) -> None:
    sync(here)
    outlook.deliver(at=clock.now() + timedelta(seconds=2), folder=box.add_folder("Fresh").id)
    sync(here, kind="manual")
    run = next(one for one in hands.runs(here) if one.kind == "manual")
    assert (run.state, run.added) == ("done", 1)
    _equal(outlook, here, COUNT + 1)
