"""Much at once in Outlook, and nothing at all: what it costs, and that it converges (SYN, I1, I13)."""

from __future__ import annotations

import pytest
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import Time, start, sync, work
from tests.sandboxes import Outlook

from workestra.mail.models import Connection
from workestra.tenancy.models import Member


def _pulled(ana: Member, outlook: Outlook, count: int) -> Connection:
    outlook.history(count=count)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    assert differences(outlook, connection, "ana") == []
    return connection


def _cost(connection: Connection, since: int) -> tuple[int, int]:
    """(requests sent, requests carried by batches) of the runs after this one."""
    rows = [one for one in hands.runs(connection) if one.pk > since]
    return sum(one.requests for one in rows), sum(one.batched for one in rows)


def test_a_thousand_letters_moved_at_once_converge_without_a_request_each(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    connection = _pulled(ana, outlook, 1000)
    time.passes(minutes=2)
    box = outlook.mailbox("ana")
    last = hands.runs(connection)[-1].pk
    for item in list(box.folder("inbox").index.items()):
        box.move(item, "archive")
    outlook.world.requests.reset()
    sync(connection)
    work(connection)
    assert differences(outlook, connection, "ana") == []
    single = [one for one in outlook.world.requests.last(20_000) if "/messages/" in one.path and not one.batched]
    assert [one for one in single if "delta" not in one.path] == []
    sent, carried = _cost(connection, last)
    assert sent < 120
    assert carried <= 1100


def test_folders_made_renamed_moved_and_deleted_are_followed(ana: Member, outlook: Outlook, time: Time) -> None:
    connection = _pulled(ana, outlook, 12)
    box = outlook.mailbox("ana")
    items = list(box.folder("inbox").index.items())
    made = box.add_folder("Projects")
    for item in items[:4]:
        box.move(item, made.id)
    time.passes(minutes=20)
    sync(connection, "full")
    assert differences(outlook, connection, "ana") == []
    box.rename_folder(made.id, "Ventures")
    time.passes(minutes=20)
    sync(connection, "full")
    assert differences(outlook, connection, "ana") == []
    box.move_folder(made.id, "archive")
    time.passes(minutes=20)
    sync(connection, "full")
    assert differences(outlook, connection, "ana") == []
    box.delete_folder(made.id)
    time.passes(minutes=20)
    sync(connection, "full")
    assert differences(outlook, connection, "ana") == []


@pytest.mark.parametrize("gap", [False, True])
def test_a_letter_moved_out_and_back_between_two_looks_stays(
    ana: Member, outlook: Outlook, time: Time, gap: bool
) -> None:
    connection = _pulled(ana, outlook, 6)
    box = outlook.mailbox("ana")
    outlook.world.switches.immutable_id_gap = gap
    for item in list(box.folder("inbox").index.items())[:3]:
        box.move(item, "archive")
        box.move(item, "inbox")
    sync(connection)
    sync(connection)
    assert differences(outlook, connection, "ana") == []
    assert len(store(connection)) == 6
