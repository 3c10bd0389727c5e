"""Content that is edited in Outlook after it came, whatever else changes with it: the store ends equal (SYN)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import asked, start, sync, work
from tests.sandboxes import Outlook

from m365sandbox.mailbox import Item, Mailbox
from workestra.mail.flows import recheck
from workestra.mail.models import Connection, Message
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

Verb = Callable[[Mailbox, Item], object]
VERBS: dict[str, Verb] = {
    "nothing": lambda box, item: None,
    "read": lambda box, item: box.mark_read(item, not item.is_read),
    "flag": lambda box, item: box.flag(item),
    "categories": lambda box, item: box.categorise(item, ["Blue"]),
    "folder": lambda box, item: box.move(item, "archive"),
}


@pytest.fixture
def box(outlook: Outlook) -> Mailbox:
    return outlook.mailbox("ana")


def _connected(ana: Member, outlook: Outlook, count: int = 8, **more: Any) -> Connection:
    outlook.history(count=count, days=20, **more)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    assert len(store(connection)) == count
    return connection


def _items(box: Mailbox) -> list[Item]:
    return list(box.truth())


def _edit(box: Mailbox, item: Item, text: str = "<p>Said differently now</p>") -> None:
    box.update(item, letter=dataclasses.replace(item.letter, body=lambda: ("html", text)))


def _doubted(connection: Connection) -> int:
    with scope(workspace=connection.workspace_id):
        return Message.objects.filter(connection_id=connection.pk, doubted=True).count()


def _lists(outlook: Outlook) -> int:
    return sum(one.path.endswith("/messages") for one in outlook.world.requests.last(20_000))


@pytest.mark.parametrize("also", list(VERBS))
@pytest.mark.parametrize("first", [True, False], ids=["body-first", "body-last"])
def test_a_body_edited_together_with_something_else_is_read_again(
    ana: Member, outlook: Outlook, box: Mailbox, also: str, first: bool
) -> None:
    here = _connected(ana, outlook)
    item = _items(box)[3]
    for act in (_edit, VERBS[also]) if first else (VERBS[also], _edit):
        act(box, item)
    sync(here)
    assert differences(outlook, here, "ana") == []
    assert _doubted(here) == 0


def test_a_thousand_letters_marked_read_are_compared_page_by_page(
    ana: Member, outlook: Outlook, box: Mailbox
) -> None:
    here = _connected(ana, outlook, count=1000)
    before = _lists(outlook)
    items = _items(box)
    for item in items:
        box.mark_read(item, not item.is_read)
    _edit(box, items[500])
    sync(here)
    assert differences(outlook, here, "ana") == []
    assert _doubted(here) == 0
    assert asked(outlook, f"/messages/{box.immutable_id(items[0])}") == 0
    assert _lists(outlook) - before == 1000 / recheck.MOST


def test_changed_letters_that_lie_far_apart_are_read_without_their_neighbours(
    ana: Member, outlook: Outlook, box: Mailbox
) -> None:
    here = _connected(ana, outlook, count=600)
    items = _items(box)[::25]
    for item in items:
        box.mark_read(item, not item.is_read)
    _edit(box, items[7])
    before = _lists(outlook)
    sync(here)
    assert differences(outlook, here, "ana") == []
    assert _lists(outlook) == before


def test_the_new_state_is_kept_and_the_content_follows_after_a_worker_died(
    ana: Member, outlook: Outlook, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = _connected(ana, outlook)
    item = _items(box)[2]
    box.mark_read(item, not item.is_read)
    _edit(box, item)
    with monkeypatch.context() as dying:
        dying.setattr(recheck.held, "doubted", lambda **_: 1 / 0)
        hands.sync(here)
    with scope(workspace=here.workspace_id):
        row = Message.objects.get(connection_id=here.pk, immutable_id=box.immutable_id(item))
    assert (row.is_read, row.doubted) == (item.is_read, True)
    hands.dispatch.pull(workspace=here.workspace_id, connection=here.pk)
    work(here)
    assert differences(outlook, here, "ana") == []


def test_an_edit_that_delta_never_tells_of_is_found_by_the_daily_proof(
    ana: Member, outlook: Outlook, box: Mailbox
) -> None:
    here = _connected(ana, outlook)
    item = _items(box)[4]
    _edit(box, item)
    item.folder.log._seqs.pop()
    item.folder.log._items.pop()
    sync(here)
    assert differences(outlook, here, "ana") != []
    sync(here, "full")
    assert differences(outlook, here, "ana") == []


def test_a_letter_deleted_before_it_is_read_again_leaves(
    ana: Member, outlook: Outlook, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = _connected(ana, outlook)
    item = _items(box)[1]
    box.mark_read(item, not item.is_read)
    real = recheck.held.doubted

    def doubted(**given: Any) -> Any:
        found = real(**given)
        if found and not item.gone:
            box.purge(item)
        return found

    monkeypatch.setattr(recheck.held, "doubted", doubted)
    sync(here)
    assert differences(outlook, here, "ana") == []
    assert len(store(here)) == 7
