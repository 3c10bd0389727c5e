"""Mail that a request by its id does not find yet, although a list and delta name it (Graph: known issues)."""

from __future__ import annotations

from datetime import timedelta

from tests.compare import differences
from tests.mail.hands import start, sync, work
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.tenancy.models import Member


def test_an_old_message_taken_out_of_deleted_items_is_not_lost_while_it_cannot_be_read_by_id(
    outlook: Outlook, ana: Member
) -> None:
    item = outlook.deliver(folder="deleteditems", at=clock.now().replace(microsecond=0) - timedelta(days=9))
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    outlook.world.switches.unreadable_seconds = 3600
    outlook.mailbox("ana").move(item, "archive")
    sync(row)
    assert differences(outlook, row, "ana") == []


def test_an_old_message_that_is_moved_stays_while_it_cannot_be_read_by_id(outlook: Outlook, ana: Member) -> None:
    item = outlook.deliver(at=clock.now().replace(microsecond=0) - timedelta(days=9))
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    outlook.world.switches.unreadable_seconds = 3600
    outlook.mailbox("ana").move(item, "archive")
    sync(row)
    sync(row)
    assert differences(outlook, row, "ana") == []
