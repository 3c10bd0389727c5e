"""The brake: most of a folder does not leave because lists and ids say so; a person is asked (SYN 8, SYN 9)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import Time, backfill, press, start, sync, work
from tests.sandboxes import Outlook
from tests.suite.stage import FRAGMENT, elements

from m365sandbox.faults import Fault
from workestra.mail.models import Connection, Folder
from workestra.rules import sweeping
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

OUTLOOK = "/settings/integrations/outlook"
Browser = Callable[[Member], Client]


@pytest.fixture
def full(ana: Member, outlook: Outlook) -> Connection:
    """A connection with eighty letters of history."""
    outlook.history(count=80)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    return connection


def lose(outlook: Outlook, connection: Connection, count: int) -> None:
    """So many letters are gone in Outlook, and no delta tells of it: the round begins anew, and is proven."""
    box = outlook.mailbox("ana")
    for item in list(box.folder("inbox").index.items())[:count]:
        box.purge(item)
    outlook.world.cursors.expire(owner=box.owner_id, folder=None)
    sync(connection)


def asked(connection: Connection) -> tuple[int, bool]:
    """How many messages of the inbox a person is asked about, and whether it is to be compared again by itself."""
    with scope(workspace=connection.workspace_id):
        row = Folder.objects.get(connection=connection, role="inbox")
        return row.sweep_asks, row.prove


def check(client: Client, connection: Connection, **more: str) -> str:
    """Press a button of the comparison, and look when it is done."""
    address = f"{OUTLOOK}/{connection.pk}/check"
    assert client.post(address, more, headers=FRAGMENT).status_code == 200
    work(connection)
    return client.get(address, headers=FRAGMENT).content.decode()


def test_most_of_a_folder_stays_and_a_person_is_asked(full: Connection, outlook: Outlook) -> None:
    before = store(full)
    lose(outlook, full, 60)
    assert store(full) == before
    assert asked(full) == (60, False), "and the lane comes to rest"
    assert hands.asked(outlook, "batch", method="POST"), "each of them was asked for by its id"
    sync(full, "full")
    assert store(full) == before


def test_fewer_leave_without_a_question(full: Connection, outlook: Outlook) -> None:
    lose(outlook, full, 40)
    assert asked(full) == (0, False)
    assert differences(outlook, full, "ana") == []


def test_what_a_person_agreed_to_leaves(full: Connection, outlook: Outlook, client_for: Browser) -> None:
    lose(outlook, full, 60)
    client = client_for(full.owner)
    html = client.get(f"{OUTLOOK}/{full.pk}").content.decode()
    assert "Most of a folder is gone in Outlook." in html
    assert "Inbox: 60 messages" in html
    assert elements(html, "button", id=f"agree-{full.pk}")
    assert elements(client.get(OUTLOOK).content.decode(), "div", id=f"asks-{full.pk}")
    html = check(client, full, repair="1", agree="1")
    assert not elements(html, "div", id=f"sweeps-{full.pk}")
    assert "equal" in html
    assert asked(full) == (0, False)
    assert differences(outlook, full, "ana") == []


def test_more_than_a_person_agreed_to_is_asked_about_anew(
    full: Connection, outlook: Outlook, client_for: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "LEAST", 5)
    lose(outlook, full, 50)
    before = store(full)
    box = outlook.mailbox("ana")
    for item in list(box.folder("inbox").index.items())[:20]:
        box.purge(item)
    check(client_for(full.owner), full, repair="1", agree="1")
    assert asked(full) == (70, False)
    assert store(full) == before


def test_what_turns_up_again_is_not_asked_about_any_more(
    full: Connection, outlook: Outlook, client_for: Browser
) -> None:
    before = store(full)
    box, faults = outlook.mailbox("ana"), outlook.world.faults
    hidden = outlook.world.courier.unreadable
    faults.add(Fault(r"GET .*/messages\?", "status", status=200, body=json.dumps({"value": []}), times=None))
    hidden.update({(box.owner_id, item.number): outlook.world.monotonic() + 3600 for item in box.truth()})
    client = client_for(full.owner)
    html = check(client, full, repair="1")
    assert "waits for your decision" in html
    assert elements(html, "button", id=f"again-{full.pk}")
    assert asked(full)[0] == 80
    faults.clear()
    hidden.clear()
    html = check(client, full, repair="1")
    assert not elements(html, "div", id=f"sweeps-{full.pk}")
    assert asked(full)[0] == 0
    assert store(full) == before


def test_a_teammate_can_neither_see_nor_agree(
    full: Connection, ben: Member, outlook: Outlook, client_for: Browser
) -> None:
    lose(outlook, full, 60)
    client = client_for(ben)
    assert client.post(f"{OUTLOOK}/{full.pk}/check", {"repair": "1", "agree": "1"}).status_code == 404
    with scope(workspace=full.workspace_id):
        assert Folder.objects.get(connection=full, role="inbox").sweep_agreed == 0


def test_more_than_is_kept_in_memory_is_counted_and_asked_about(
    full: Connection, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST", 10)
    monkeypatch.setattr(sweeping, "LEAST", 5)
    lose(outlook, full, 20)
    assert asked(full)[0] == 20
    assert len(store(full)) == 80


def test_a_history_that_meets_the_brake_ends_and_asks(ana: Member, outlook: Outlook, time: Time) -> None:
    outlook.history(count=80)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    with scope(workspace=ana.workspace_id):
        row = backfill(connection)
        row.state, row.phase, row.finished_at = "paused", "prove", None
        row.save()
    box = outlook.mailbox("ana")
    for item in list(box.folder("inbox").index.items())[:60]:
        box.purge(item)
    press(connection, "resume")
    work(connection)
    assert backfill(connection).state == "done"
    assert (asked(connection)[0], len(store(connection))) == (60, 80)


def test_a_folder_that_the_list_leaves_out_is_asked_for_before_its_mail_leaves(
    full: Connection, outlook: Outlook
) -> None:
    before = store(full)
    outlook.world.faults.add(
        Fault(r"GET [^?]*/mailFolders\?", "status", status=200, body=json.dumps({"value": []}), times=None)
    )
    sync(full, "full")
    assert store(full) == before
