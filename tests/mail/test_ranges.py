"""What belongs to the range that is here, while a wider one is open, paused or was cancelled (BKF 4, 7; SYN 8, 9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.compare import store
from tests.mail.hands import backfill, press, start, sync, work
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.mail.doors import store as doors_store
from workestra.tenancy.models import Member


def ago(**by: float) -> Any:
    return clock.now().replace(microsecond=0) - timedelta(**by)


def test_partial_update_of_a_message_before_the_range_is_not_brought(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from m365sandbox.graph import message_delta

    old = outlook.deliver(at=ago(days=200))
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    assert store(row) == {}
    real = message_delta._shown

    def partial(*given: Any) -> Any:
        entry = real(*given)
        if entry is None or "@removed" in entry:
            return entry
        return {key: entry[key] for key in ("@odata.type", "@odata.etag", "id", "isRead") if key in entry}

    monkeypatch.setattr(message_delta, "_shown", partial)
    outlook.mailbox("ana").mark_read(old, not old.is_read)
    sync(row)
    assert store(row) == {}


def test_after_cancel_a_worn_out_cursor_still_removes_what_was_pulled(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = outlook.history(count=1200, days=60)
    row = outlook.connect(ana)
    work(row)
    real, pages = doors_store.absorb, []

    def absorb(**given: Any) -> Any:
        outcome = real(**given)
        if given.get("history") and given.get("letters"):
            pages.append(1)
            if len(pages) == 2:
                press(row, "cancel")
        return outcome

    monkeypatch.setattr(doors_store, "absorb", absorb)
    start(row)
    work(row)
    assert backfill(row).state == "cancelled"
    box = outlook.mailbox("ana")
    kept = store(row)
    assert kept
    gone = next(one for one in reversed(items) if box.immutable_id(one) in kept)
    name = box.immutable_id(gone)
    box.purge(gone)
    outlook.world.cursors.expire(owner=box.owner_id, folder=None)
    sync(row)
    sync(row, "full")
    assert name not in store(row)


def test_widening_paused_does_not_lose_what_is_moved_into_the_range_that_is_here(
    ana: Member, outlook: Outlook
) -> None:
    outlook.history(count=30, days=20)
    item = outlook.deliver(folder="deleteditems", at=ago(days=9))
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    assert backfill(row).state == "done"
    start(row, "12m")
    press(row, "pause")
    outlook.mailbox("ana").move(item, "archive")
    sync(row)
    sync(row, "full")
    assert outlook.mailbox("ana").immutable_id(item) in store(row)


def test_a_paused_backfill_does_not_put_off_what_a_worn_out_cursor_needs(ana: Member, outlook: Outlook) -> None:
    items = outlook.history(count=30, days=20)
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    start(row, "12m")
    press(row, "pause")
    box = outlook.mailbox("ana")
    name = box.immutable_id(items[3])
    box.purge(items[3])
    outlook.world.cursors.expire(owner=box.owner_id, folder=None)
    sync(row)
    sync(row, "full")
    assert name not in store(row)
