"""Splitting and merging in the Inbox: dialogs, answers, old addresses (SYN 12)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.sandboxes import Outlook
from tests.suite.stage import FRAGMENT, elements, sync, synced, threads

from workestra.kit import clock
from workestra.mail.models import Connection
from workestra.tenancy.models import Member

Browser = Callable[[Member], Client]


@pytest.fixture
def here(ana: Member, outlook: Outlook) -> Connection:
    """A talk of two letters, and above it another of one."""
    connection = synced(ana, outlook)
    for n, subject in enumerate(("Talk", "Talk", "Other")):
        outlook.deliver(subject=subject, conversation=subject, at=clock.now() + timedelta(seconds=n + 1))
    sync(connection)
    return connection


def _page(client: Client, url: str = "/inbox") -> str:
    return client.get(url).content.decode()


def _boxes(html: str) -> list[str]:
    return [one["value"] for one in elements(html, "input") if one.get("type") == "checkbox" and "value" in one]


def test_chosen_messages_move_and_the_page_is_led_there(ana: Member, here: Connection, client_for: Browser) -> None:
    client = client_for(ana)
    _, talk = threads(_page(client))
    _, second = _boxes(_page(client, f"/inbox/t/{talk}"))
    answer = client.post(f"/inbox/t/{talk}/split?f=unread", {"message": [second]}, headers=FRAGMENT)
    said = json.loads(answer["HX-Trigger"])
    assert said["toast"]["kind"] == "ok"
    url = said["conversation"]["url"]
    assert url.endswith("?f=unread")
    assert [one["id"] for one in elements(_page(client, url), "details", class_="message")] == [f"message-{second}"]
    assert len(threads(_page(client))) == 3


@pytest.mark.parametrize("chosen", [[], ["x", "-1", "9" * 30, "é"], "all"])
def test_nothing_or_everything_chosen_is_answered_in_words(
    ana: Member, here: Connection, client_for: Browser, chosen: list[str] | str
) -> None:
    client = client_for(ana)
    _, talk = threads(_page(client))
    boxes = _boxes(_page(client, f"/inbox/t/{talk}")) if chosen == "all" else chosen
    answer = client.post(f"/inbox/t/{talk}/split", {"message": boxes}, headers=FRAGMENT)
    assert json.loads(answer["HX-Trigger"])["toast"]["kind"] == "err"
    assert len(threads(_page(client))) == 2


def test_a_merge_leads_to_the_whole_and_so_does_the_old_address(
    ana: Member, here: Connection, client_for: Browser
) -> None:
    client = client_for(ana)
    other, talk = threads(_page(client))
    listed = _page(client, f"/inbox/t/{talk}/choices?q=oth")
    assert [one["value"] for one in elements(listed, "input")] == [other]
    answer = client.post(f"/inbox/t/{talk}/merge", {"into": other})
    assert (answer.status_code, answer["Location"]) == (302, f"/inbox/t/{other}")
    assert threads(_page(client)) == [other]
    assert len(elements(_page(client, f"/inbox/t/{other}"), "details", class_="message")) == 3
    assert client.get(f"/inbox/t/{talk}")["Location"] == f"/inbox/t/{other}"
    assert client.get(f"/inbox/row/{talk}")["Location"] == f"/inbox/row/{other}"


def test_a_mark_that_comes_as_late_as_the_merge_marks_the_whole(
    ana: Member, here: Connection, client_for: Browser
) -> None:
    client = client_for(ana)
    other, talk = threads(_page(client))
    client.post(f"/inbox/t/{talk}/merge", {"into": other})
    assert client.post(f"/inbox/t/{talk}/read", {"read": "1"}, headers=FRAGMENT).status_code == 204
    assert "data-unread" not in _page(client, f"/inbox/t/{other}")


@pytest.mark.parametrize(("into", "status"), [("", 204), ("x", 204), ("999999999", 404)])
def test_a_merge_into_nothing_changes_nothing(
    ana: Member, here: Connection, client_for: Browser, into: str, status: int
) -> None:
    client = client_for(ana)
    _, talk = threads(_page(client))
    assert client.post(f"/inbox/t/{talk}/merge", {"into": into}, headers=FRAGMENT).status_code == status
    assert len(threads(_page(client))) == 2


def test_a_single_message_offers_no_split(ana: Member, here: Connection, client_for: Browser) -> None:
    client = client_for(ana)
    other, talk = threads(_page(client))
    assert not elements(_page(client, f"/inbox/t/{other}"), "dialog", id="split")
    assert elements(_page(client, f"/inbox/t/{talk}"), "dialog", id="split")
