"""An administrator approves Workestra for the organisation: the owner's link, and every way back (ENT 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.test import Client
from tests.sandboxes import Outlook
from tests.suite.stage import elements

from m365sandbox.identity.visitor import Visitor
from workestra.mail.flows.microsoft import SCOPES
from workestra.mail.models import Connection
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

Browser = Callable[[Member], Client]
OUTLOOK, CALLBACK = "/settings/integrations/outlook", "/oauth/outlook/callback"
GRANTED = {"admin_consent": "True", "tenant": "ffffffff-bbbb-cccc-dddd-eeeeeeeeeeee"}
DECLINED = {"admin_consent": "True", "error": "access_denied", "error_description": "AADSTS65004: declined"}


@pytest.fixture(autouse=True)
def at_home(outlook: Outlook, settings: Any) -> None:
    settings.WORKESTRA = settings.WORKESTRA.model_copy(update={"public_url": "http://localhost:8000"})


@pytest.fixture
def administrator() -> Iterator[Visitor]:
    """Somebody in a browser at Microsoft."""
    with httpx2.Client(trust_env=False, follow_redirects=False) as client:
        yield Visitor(client)


def page(client: Client, query: str = "") -> str:
    return unescape(client.get(f"{OUTLOOK}{query}").content.decode())


def link(client: Client) -> str:
    """The approval link of the owner's settings page."""
    [found] = [one["href"] for one in elements(page(client), "a") if "/adminconsent?" in one.get("href", "")]
    return unescape(found)


def state(client: Client) -> str:
    return parse_qs(urlsplit(link(client)).query)["state"][0]


def back(client: Client, query: dict[str, str]) -> str:
    """The panel of the settings page after this return; empty without one."""
    answer = client.get(CALLBACK, query)
    assert answer.status_code == 302
    assert urlsplit(answer.headers["Location"]).path == OUTLOOK
    html = unescape(client.get(answer.headers["Location"]).content.decode())
    start = html.find('<section class="problem')
    return html[start : html.index("</section>", start)] if start >= 0 else ""


def test_the_owner_approves_at_microsoft_and_reads_that_it_is_done(
    ana: Member, outlook: Outlook, client_for: Browser, administrator: Visitor
) -> None:
    client, grace, mate = client_for(ana), outlook.person("grace"), outlook.person("ben")
    consents: Any = outlook.handle.app.state.identity.consents
    for person in (grace, mate):
        consents.withdraw(person=person)
    answer = administrator.sign_in(link(client), address=grace.address, password=grace.password)
    assert answer.returned is not None, answer.text
    assert "Your organisation has approved Workestra" in back(client, answer.returned)
    assert consents.granted(person=mate, app_id=outlook.client_id) >= set(SCOPES) - {"openid", "profile", "email"}
    with scope(workspace=ana.workspace_id):
        assert not Connection.objects.exists()


def test_only_an_owner_is_offered_to_approve(ben: Member, outlook: Outlook, client_for: Browser) -> None:
    html = page(client_for(ben))
    assert "For your whole organisation" not in html
    assert not [one for one in elements(html, "a") if "/adminconsent?" in one.get("href", "")]


def test_a_declined_approval_says_so(ana: Member, client_for: Browser) -> None:
    client = client_for(ana)
    panel = back(client, {**DECLINED, "state": state(client)})
    assert "The approval was not given" in panel
    assert "has approved" not in panel


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"error": "access_denied", "error_description": "AADSTS90094: no admin"}, "must approve Workestra first"),
        ({"error": "server_error"}, "Microsoft did not answer"),
        ({"error": "invalid_request", "error_description": "AADSTS650056"}, "The Microsoft app is not set up right"),
        ({"error": "a_word_of_tomorrow"}, "The approval was not given"),
        ({"admin_consent": "False"}, "The approval was not given"),
        ({"admin_consent": ""}, "The approval was not given"),
    ],
)
def test_a_failed_approval_is_told_by_its_cause(
    ana: Member, client_for: Browser, query: dict[str, str], words: str
) -> None:
    client = client_for(ana)
    assert words in back(client, {"admin_consent": "True", "state": state(client), **query})


def test_a_return_counts_once(ana: Member, client_for: Browser) -> None:
    client = client_for(ana)
    used = {**GRANTED, "state": state(client)}
    assert "has approved" in back(client, used)
    assert "The sign-in lost its place" in back(client, used)
    assert "has approved" in back(client, {**GRANTED, "state": state(client)})


@pytest.mark.parametrize("wrong", ["", "admin", "x" * 80, "0.0:xxxx", "\x00"])
def test_a_return_that_belongs_to_no_link_of_ours_is_not_believed(
    ana: Member, client_for: Browser, wrong: str
) -> None:
    client = client_for(ana)
    assert "The sign-in lost its place" in back(client, {**GRANTED, "state": wrong})


def test_nobody_is_told_of_an_approval_by_an_address_alone(ana: Member, client_for: Browser) -> None:
    assert "has approved" not in page(client_for(ana), "?problem=admin_consent_granted")


@pytest.mark.parametrize(
    ("query", "words"),
    [(GRANTED, "Your organisation has approved Workestra"), (DECLINED, "The approval was not given")],
)
def test_an_administrator_who_was_sent_the_link_ends_on_a_page_that_says_the_outcome(
    ana: Member, ben: Member, client_for: Browser, query: dict[str, str], words: str
) -> None:
    sent = {**query, "state": state(client_for(ana))}
    for elsewhere in (Client(), client_for(ben)):
        answer = elsewhere.get(CALLBACK, sent)
        html = unescape(answer.content.decode())
        assert (answer.status_code, words in html) == (200, True)
        assert query.get("tenant", "nothing of it") not in html


def test_a_return_of_a_signed_out_browser_goes_to_the_sign_in_page(ana: Member, client_for: Browser) -> None:
    client = client_for(ana)
    mine = state(client)
    client.logout()
    assert client.get(CALLBACK, {**GRANTED, "state": "invented"}).headers["Location"].startswith("/login")
    assert client.get(CALLBACK, {**GRANTED, "state": mine}).status_code == 200
