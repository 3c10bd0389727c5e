"""Mail as strangers write it and servers serve it: whatever way it comes, it is stored, listed and can be read."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import backfill, start, sync, wait_for, work
from tests.sandboxes import Outlook

from m365sandbox.mailbox import Item
from workestra.kit import clock
from workestra.mail.doors import queries
from workestra.mail.intake import decompress
from workestra.mail.models import Connection, Message, Notice
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

HALF = msgspec.Raw(b'"half a smile \\ud83d"')
NULLABLE = (
    *("parentFolderId", "receivedDateTime", "createdDateTime", "sentDateTime", "lastModifiedDateTime", "subject"),
    *("from", "sender", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "body", "bodyPreview"),
    *("conversationId", "conversationIndex", "internetMessageId", "internetMessageHeaders", "changeKey", "isRead"),
    *("isDraft", "importance", "categories", "flag", "hasAttachments", "attachments", "webLink"),
)
ODD: dict[str, dict[str, Any]] = {
    **{f"null {name}": {name: None} for name in NULLABLE},
    **{f"no {name}": {name: ...} for name in NULLABLE},
    "everything null": dict.fromkeys(NULLABLE),
    "everything left out": dict.fromkeys(NULLABLE, ...),
    "null content": {"body": {"contentType": "html", "content": None}},
    "null type": {"body": {"contentType": None, "content": "<p>x</p>"}},
    "empty from": {"from": {}, "sender": {}},
    "empty address": {"from": {"emailAddress": {}}, "toRecipients": [{"emailAddress": {}}, {"emailAddress": None}]},
    "name alone": {"from": {"emailAddress": {"name": "Only a name"}}, "sender": None},
    "address alone": {"from": {"emailAddress": {"address": "only@address.example"}}, "sender": None},
    "null recipients": {"toRecipients": [None], "ccRecipients": [None, {"emailAddress": {"address": "a@b.example"}}]},
    "null headers": {
        "internetMessageHeaders": [{"name": None, "value": None}, {"name": "References", "value": None}]
    },
    "null categories": {"categories": [None, "Blue"]},
    "null flag": {"flag": {"flagStatus": None}},
    "future values": {"importance": "unknownFutureValue", "flag": {"flagStatus": "unknownFutureValue"}},
    "the year 1": dict.fromkeys(("receivedDateTime", "sentDateTime", "createdDateTime"), "0001-01-01T00:00:00Z"),
    "half surrogates": {
        "subject": HALF,
        "bodyPreview": HALF,
        "conversationId": HALF,
        "internetMessageId": HALF,
        "categories": [HALF],
        "from": {"emailAddress": {"name": HALF, "address": HALF}},
        "body": {"contentType": "html", "content": HALF},
    },
    "long names": {
        "conversationId": "c" * 3000,
        "internetMessageId": "<" + "m" * 5000 + "@x>",
        "changeKey": "k" * 900,
    },
    "many people": {
        "toRecipients": [{"emailAddress": {"name": "n" * 300, "address": f"a{n}@b.example"}} for n in range(500)]
    },
    "no date that a calendar has": {"receivedDateTime": "2026-02-31T00:00:00Z", "sentDateTime": "yesterday"},
}
CONTENT: dict[str, dict[str, Any]] = {
    "a subject of two megabytes": {"subject": "very long " * 200_000},
    "NUL": {"subject": "nul \x00 in it", "html": "<p>nul \x00 in it</p>"},
    "1969": {"at": datetime(1969, 7, 20, 20, 17, tzinfo=UTC)},
    "1601": {"at": datetime(1601, 1, 1, tzinfo=UTC)},
    "tomorrow": {"at": datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)},
    "2038": {"at": datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)},
    "9999": {"at": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)},
}
CASES = [*ODD, *CONTENT]


def _letters(outlook: Outlook) -> dict[str, Item]:
    """A letter of each kind in Ana's Inbox, and one like any other between them and after them."""
    now = datetime.now(UTC).replace(microsecond=0)
    items = {}
    for number, case in enumerate([*ODD, *CONTENT]):
        items[case] = outlook.deliver(**{"at": now - timedelta(seconds=number), **CONTENT.get(case, {})})
        items[case].odd = ODD.get(case, {})
    return items | {"usual": outlook.deliver(at=now), "older": outlook.deliver(at=now - timedelta(days=3))}


def _everything(connection: Connection) -> None:
    start(connection, "all")
    work(connection)
    assert backfill(connection).state == "done"


def _are_there(
    outlook: Outlook, connection: Connection, items: dict[str, Item], browser: Client | None = None
) -> None:
    """Each is stored once; where a browser is given, it is listed there and opens."""
    box = outlook.mailbox("ana")
    case_of = {box.immutable_id(item): case for case, item in items.items()}
    with scope(workspace=connection.workspace_id):
        rows = list(Message.objects.filter(connection_id=connection.pk, removed_at__isnull=True))
    assert sorted(case_of.values()) == sorted(case_of.get(row.immutable_id, row.immutable_id) for row in rows)
    assert hands.fresh(connection).error_code == ""
    if browser is None:
        return
    listed = _listed(browser)
    assert [case_of[row.immutable_id] for row in rows if not row.is_draft and str(row.thread_id) not in listed] == []
    for row in rows:
        case = case_of[row.immutable_id]
        assert browser.get(f"/inbox/t/{row.thread_id}", headers={"HX-Request": "true"}).status_code == 200, case
        assert browser.get(f"/m/{row.pk}/body").status_code == 200, case


def _listed(browser: Client) -> list[str]:
    """Threads in the Inbox, newest first, over all its pages."""
    found: list[str] = []
    page, pages = "/inbox", 0
    while page:
        html = browser.get(page).content.decode()
        found += dict.fromkeys(re.findall(r"/inbox/t/(\d+)", html))
        following = re.search(r'hx-get="(/inbox\?[^"]*after=[^"]+)"', html)
        page, pages = following[1].replace("&amp;", "&") if following else "", pages + 1
        assert pages < 20
    return found


@pytest.mark.parametrize("twice", [False, True])
def test_odd_mail_of_history_is_stored_and_opens(
    ana: Member, outlook: Outlook, client_for: Callable[[Member], Client], twice: bool
) -> None:
    outlook.world.switches.list_duplicates = outlook.world.switches.delta_duplicates = twice
    items = _letters(outlook)
    connection = outlook.connect(ana)
    _everything(connection)
    _are_there(outlook, connection, items, None if twice else client_for(ana))
    sync(connection, "full")
    _are_there(outlook, connection, items)


def test_odd_mail_that_delta_tells_of_is_stored_and_opens(
    ana: Member, outlook: Outlook, client_for: Callable[[Member], Client]
) -> None:
    connection = outlook.connect(ana)
    _everything(connection)
    items = _letters(outlook)
    sync(connection)
    _are_there(outlook, connection, items, client_for(ana))
    box = outlook.mailbox("ana")
    for item in items.values():
        item.odd = {name: value for name, value in item.odd.items() if name not in ("body", "changeKey")}
        box.update(item, letter=dataclasses.replace(item.letter, body=lambda: ("html", "<p>edited</p>")))
    sync(connection)
    _are_there(outlook, connection, items)
    with scope(workspace=connection.workspace_id):
        bodies = Message.objects.filter(connection_id=connection.pk).values_list("body", flat=True)
        assert {decompress(body=bytes(body)) for body in bodies} == {"<p>edited</p>"}


def test_odd_mail_that_a_notice_tells_of_is_stored_and_opens(
    ana: Member, reachable: Outlook, client_for: Callable[[Member], Client]
) -> None:
    connection = reachable.connect(ana)
    _everything(connection)
    deltas = hands.asked(reachable, "/delta")
    items = _letters(reachable)
    wait_for(lambda: Notice.objects.filter(connection_id=connection.pk).count() >= len(items))
    work(connection)
    assert hands.asked(reachable, "/delta") == deltas
    _are_there(reachable, connection, items, client_for(ana))


@pytest.mark.parametrize("name", ["AA/slash+plus==", "AA%2Fpercent=", "AA\\back"])
def test_an_id_that_cannot_stand_in_an_address_costs_no_other_message(
    ana: Member, reachable: Outlook, name: str
) -> None:
    connection = reachable.connect(ana)
    _everything(connection)
    box = reachable.mailbox("ana")
    odd, usual = reachable.deliver(), reachable.deliver()
    odd.odd = {"id": name}
    sync(connection)
    for item in (odd, usual):
        box.update(item, is_read=True, letter=dataclasses.replace(item.letter, body=lambda: ("html", "<p>new</p>")))
    box.move(usual, "archive")
    sync(connection)
    sync(connection, "full")
    with scope(workspace=connection.workspace_id):
        rows = Message.objects.filter(connection_id=connection.pk, removed_at__isnull=True)
        found = {row.immutable_id: (row.is_read, decompress(body=bytes(row.body))) for row in rows}
    assert found == dict.fromkeys((name, box.immutable_id(usual)), (True, "<p>new</p>"))
    assert hands.fresh(connection).error_code == ""
    assert hands.fresh(connection).failures == 0


def test_mail_from_the_future_and_from_before_1970_stands_in_its_place_and_is_counted(
    ana: Member, outlook: Outlook, client_for: Callable[[Member], Client]
) -> None:
    usual = {f"usual {n}": {"at": datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=n)} for n in range(60)}
    times = {case: more["at"] for case, more in (CONTENT | usual).items() if "at" in more}
    items = {case: outlook.deliver(at=at) for case, at in times.items()}
    connection = outlook.connect(ana)
    work(connection)
    _everything(connection)
    assert backfill(connection).pulled == len(items)
    with scope(workspace=connection.workspace_id):
        held = dict(Message.objects.filter(connection_id=connection.pk).values_list("immutable_id", "thread_id"))
        assert queries.unread_count(member=ana) <= 1, "but for tomorrow's, nothing has just arrived"
    newest_first = sorted(times, key=lambda case: times[case], reverse=True)
    box = outlook.mailbox("ana")
    assert _listed(client_for(ana)) == [str(held[box.immutable_id(items[case])]) for case in newest_first]


def test_mail_that_was_never_received_is_not_lost_when_history_is_chosen_after_the_first_round(
    ana: Member, outlook: Outlook
) -> None:
    item = outlook.deliver(at=datetime(1600, 5, 5, tzinfo=UTC))  # no list with a range of time names it
    item.odd = {"receivedDateTime": None, "createdDateTime": "2024-05-05T00:00:00Z"}
    connection = outlook.connect(ana)
    work(connection)
    _everything(connection)
    with scope(workspace=connection.workspace_id):
        times = list(Message.objects.filter(connection_id=connection.pk).values_list("received_at", flat=True))
    assert times == [datetime(2024, 5, 5, tzinfo=UTC)]


def test_received_since_passes_mail_from_the_future(ana: Member, outlook: Outlook) -> None:
    for at in (datetime(2038, 1, 19, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)):
        outlook.deliver(at=at)
    connection = outlook.connect(ana)
    new = [outlook.deliver(at=clock.now() + timedelta(seconds=1)) for _ in range(3)]
    work(connection)
    sync(connection)
    assert len(store(connection)) == 2 + len(new)
    assert differences(outlook, connection, "ana") == []


def test_a_folder_with_mail_of_all_ages_is_cut_and_paged_without_a_gap(ana: Member, outlook: Outlook) -> None:
    for year in (1601, 1900, 1969, 1970, 2001, 2025, 2038, 9999):
        for number in range(200):
            outlook.deliver(at=datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=number))
    connection = outlook.connect(ana)
    _everything(connection)
    assert differences(outlook, connection, "ana") == []
    assert (backfill(connection).pulled, len(store(connection))) == (1600, 1600)
