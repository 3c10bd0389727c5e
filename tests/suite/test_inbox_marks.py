"""Marking as read and unread in the Inbox: the button, the list, the words when Outlook refuses (SYN 11)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.sandboxes import Outlook, ref_of, run
from tests.suite.stage import FRAGMENT, arrive, elements, sync, synced, threads

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail.flows.readstate import tell
from workestra.mail.models import Connection
from workestra.tenancy.models import Member

Browser = Callable[[Member], Client]


@pytest.fixture
def here(ana: Member, outlook: Outlook) -> Connection:
    """A connection with one unread letter that has just come."""
    connection = synced(ana, outlook)
    arrive(connection, outlook, subject="Fresh", at=clock.now() + timedelta(seconds=1))
    return connection


def _page(client: Client, url: str = "/inbox") -> str:
    return client.get(url).content.decode()


def _thread(client: Client) -> str:
    return threads(_page(client))[0]


def test_opening_changes_nothing_and_pressing_turns_list_reader_and_count(
    ana: Member, here: Connection, client_for: Browser
) -> None:
    client = client_for(ana)
    thread = _thread(client)
    html = _page(client, f"/inbox/t/{thread}")
    assert elements(html, "li", class_="unread"), "a GET changes nothing"
    assert elements(html, "button", aria_label="Mark") or 'aria-label="Mark as read"' in html
    answer = client.post(f"/inbox/t/{thread}/read", {"read": "1"}, headers=FRAGMENT)
    assert answer.status_code == 204
    html = _page(client, f"/inbox/t/{thread}")
    assert not elements(html, "li", class_="unread")
    assert 'aria-label="Mark as unread"' in html
    assert "unread" not in client.get("/inbox/count", headers=FRAGMENT).content.decode()
    client.post(f"/inbox/t/{thread}/read", {"read": "0"}, headers=FRAGMENT)
    assert elements(_page(client), "li", class_="unread")


def test_without_scripts_the_button_leads_back_to_a_page(ana: Member, here: Connection, client_for: Browser) -> None:
    client = client_for(ana)
    thread = _thread(client)
    answer = client.post(f"/inbox/t/{thread}/read?f=unread", {"read": "1"})
    assert (answer.status_code, answer["Location"]) == (302, f"/inbox/t/{thread}?f=unread")
    answer = client.post(f"/inbox/t/{thread}/read", {"read": "0"})
    assert answer["Location"] == "/inbox"


def test_a_mark_is_a_post_with_a_token(ana: Member, here: Connection, client_for: Browser) -> None:
    thread = _thread(client_for(ana))
    assert client_for(ana).get(f"/inbox/t/{thread}/read").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ana.user)
    assert strict.post(f"/inbox/t/{thread}/read", {"read": "1"}).status_code == 403
    assert elements(_page(client_for(ana)), "li", class_="unread")


def test_a_teammate_and_a_stranger_can_mark_nothing(
    ana: Member, ben: Member, cleo: Member, here: Connection, client_for: Browser
) -> None:
    thread = _thread(client_for(ana))
    for other in (ben, cleo):
        assert client_for(other).post(f"/inbox/t/{thread}/read", {"read": "1"}).status_code == 404
        assert client_for(other).get(f"/inbox/t/{thread}/refusal").status_code == 404
    assert elements(_page(client_for(ana)), "li", class_="unread")


def test_a_mark_that_outlook_refuses_is_undone_with_a_toast_and_a_note(
    ana: Member, here: Connection, outlook: Outlook, client_for: Browser
) -> None:
    client = client_for(ana)
    thread = _thread(client)
    refused = '{"error": {"code": "ErrorAccessDenied", "message": "no"}}'
    outlook.world.faults.add(Fault("PATCH .*/messages/", "status", status=403, body=refused))
    client.post(f"/inbox/t/{thread}/read", {"read": "1"}, headers=FRAGMENT)
    assert "HX-Trigger" not in client.get(f"/inbox/t/{thread}/refusal", headers=FRAGMENT)
    run(tell(ref=ref_of(here)))
    html = _page(client, f"/inbox/t/{thread}")
    assert elements(html, "li", class_="unread")
    assert "Outlook did not let you mark this" in html
    toast = json.loads(client.get(f"/inbox/t/{thread}/refusal", headers=FRAGMENT)["HX-Trigger"])["toast"]
    assert (toast["kind"], toast["text"].startswith("Outlook did not let you mark this.")) == ("err", True)


def test_categories_stand_under_the_subject(
    ana: Member, here: Connection, outlook: Outlook, client_for: Browser
) -> None:
    box = outlook.mailbox("ana")
    box.categorise(next(iter(box.truth())), ["Renewal <b>"])
    sync(here)
    client = client_for(ana)
    html = _page(client, f"/inbox/t/{_thread(client)}")
    assert elements(html, "span", class_="category")
    assert "Renewal &lt;b&gt;" in html
