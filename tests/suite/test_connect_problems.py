"""A sign-in that was refused names who and what: the panel of the settings page after a real return (CON 8, 10)."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest
from django.test import Client
from tests.sandboxes import Outlook
from tests.suite.stage import elements

from m365sandbox.identity.visitor import Visitor
from workestra.mail.models import Connection
from workestra.tenancy.models import Member

Browser = Callable[[Member], Client]
OUTLOOK, CALLBACK = "/settings/integrations/outlook", "/oauth/outlook/callback"


@pytest.fixture(autouse=True)
def at_home(outlook: Outlook, settings: Any) -> None:
    settings.WORKESTRA = settings.WORKESTRA.model_copy(update={"public_url": "http://localhost:8000"})


def sign_in_as(client: Client, outlook: Outlook, name: str, renews: Connection | None = None) -> tuple[str, str]:
    """From the button to the page after Microsoft: its address, and its panel."""
    begun = client.post(f"{OUTLOOK}/begin", {"connection_id": renews.pk} if renews else {})
    person = outlook.person(name)
    where, _, query = str(begun.headers["Location"]).partition("?")
    kept = [pair for pair in query.split("&") if not pair.startswith("login_hint=")]  # "use another account"
    with httpx2.Client(trust_env=False, follow_redirects=False) as browser:
        page = Visitor(browser).sign_in(f"{where}?{'&'.join(kept)}", address=person.address, password=person.password)
    assert page.returned is not None, page.text
    return panel(client, page.returned)


def panel(client: Client, query: dict[str, str]) -> tuple[str, str]:
    address = str(client.get(f"{CALLBACK}?{urlencode(query)}").headers["Location"])
    html = unescape(client.get(address).content.decode())
    start = html.find('<section class="problem"')
    return address, html[start : html.index("</section>", start)] if start >= 0 else ""


def test_another_account_than_the_rows_is_refused_with_the_address_that_was_expected(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    row, client = outlook.connect(ana), client_for(ana)
    address, told = sign_in_as(client, outlook, "ben", renews=row)
    assert urlsplit(address).query == "problem=wrong_account"
    assert f"This row belongs to {row.address}" in told


def test_trying_again_after_another_account_renews_the_same_row(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    row, client = outlook.connect(ana), client_for(ana)
    _, told = sign_in_as(client, outlook, "ben", renews=row)
    assert [one["value"] for one in elements(told, "input", name="connection_id")] == [str(row.pk)]
    address, told = sign_in_as(client, outlook, "ana", renews=row)
    assert (f"connected={row.pk}" in address or "choose_range" in address, told) == (True, "")


def test_another_members_mailbox_is_refused_with_their_name(
    ana: Member, ben: Member, outlook: Outlook, client_for: Browser
) -> None:
    outlook.connect(ben)
    address, told = sign_in_as(client_for(ana), outlook, "ana")
    assert urlsplit(address).query == "problem=already_connected"
    assert f"{ben.user} has connected this mailbox in your workspace" in told


def test_what_microsoft_said_is_under_details(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    client = client_for(ana)
    begun = client.post(f"{OUTLOOK}/begin")
    state = dict(pair.split("=", 1) for pair in urlsplit(begun.headers["Location"]).query.split("&"))["state"]
    _, told = panel(client, {"error": "access_denied", "error_description": "AADSTS65004: no", "state": state})
    assert "You did not accept the permissions" in told
    assert "access_denied" in told


def test_a_renewal_that_was_not_this_sessions_offers_no_row(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    outlook.connect(ana)
    _, told = panel(client_for(ana), {"code": "x", "state": "y"})
    assert "The sign-in lost its place" in told
    assert not elements(told, "input", name="connection_id")
