"""Settings > Integrations > Outlook: what it explains, and what each row says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from tests.sandboxes import Outlook
from tests.suite.stage import change, elements, synced

from workestra.kit import clock
from workestra.mail.flows.microsoft import SCOPES
from workestra.mail.models import Connection
from workestra.suite.connections.problems import SESSION_KEY
from workestra.tenancy.models import Member

Browser = Callable[[Member], Client]
OUTLOOK = "/settings/integrations/outlook"


def page(client: Client, url: str = OUTLOOK) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_connecting_the_page_explains_and_the_dialog_lists_every_permission(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    html = page(client_for(ana))
    assert "Bring your Outlook mail in" in html
    dialog = html[html.index('id="connect"') :]
    for name in {one.rpartition("/")[2] for one in SCOPES} - {"openid", "profile", "email"}:
        assert f"<code>{name}</code>" in dialog
    assert "Workestra never deletes mail in Outlook." in dialog
    assert elements(dialog, "form", action=f"{OUTLOOK}/begin", method="post")


def test_where_microsoft_is_not_set_up_the_page_says_what_the_administrator_does(
    ana: Member, client_for: Browser, settings: Any
) -> None:
    settings.WORKESTRA = settings.WORKESTRA.model_copy(
        update={"microsoft_client_id": "", "microsoft_client_secret": ""}
    )
    html = page(client_for(ana))
    assert "Microsoft is not set up here yet" in html
    assert f"{settings.WORKESTRA.public_url}/oauth/outlook/callback" in html
    assert not elements(html, "dialog", id="connect")
    assert "Not set up by the administrator yet" in page(client_for(ana), "/settings/integrations")


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"first_done_at": None, "last_success_at": None}, "Never synced"),
        ({"last_success_at": clock.now() - timedelta(hours=26)}, "Stale"),
        ({"last_success_at": clock.now() - timedelta(hours=1)}, "Healthy"),
        ({"error_code": "microsoft_unavailable"}, "Error"),
    ],
)
def test_each_state_of_health_has_its_word_on_row_and_card(
    ana: Member, outlook: Outlook, client_for: Browser, facts: dict[str, Any], word: str
) -> None:
    change(synced(ana, outlook), **facts)
    client = client_for(ana)
    assert word in page(client)
    assert word in page(client, "/settings/integrations")
    assert word in client.get("/settings/integrations/mark").content.decode()


def test_the_integrations_page_names_who_needs_attention(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    good, bad = synced(ana, outlook), synced(ana, outlook, "ben")
    change(bad, error_code="token_revoked", state=Connection.State.SIGN_IN)
    html = page(client_for(ana), "/settings/integrations")
    assert "2 mailboxes connected" in html
    assert bad.address in html
    assert good.address not in html


def test_an_ended_sign_in_offers_reconnect_as_its_one_action(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = synced(ana, outlook)
    detail = {"microsoft_code": "invalid_grant", "request_id": "0f7c"}
    change(connection, error_code="token_revoked", error_at=clock.now(), error_detail=detail)
    html = client_for(ana).get(f"{OUTLOOK}/{connection.pk}/row").content.decode()
    note = html[html.index(f'id="error-{connection.pk}"') :]
    assert "Microsoft ended this sign-in" in note
    assert len(elements(note, "button")) == 1
    assert elements(note, "input", name="connection_id")[0]["value"] == str(connection.pk)
    assert "invalid_grant" in note
    assert "0f7c" in note


def test_the_range_dialog_opens_after_connecting_with_90_days_chosen(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = outlook.connect(ana)
    html = page(client_for(ana), f"{OUTLOOK}?choose_range={connection.pk}")
    [dialog] = elements(html, "dialog", id=f"range-{connection.pk}")
    assert "data-open-now" in dialog
    radios = [one for one in elements(html, "input") if one.get("name") == "choice"]
    assert [one["value"] for one in radios] == ["30d", "90d", "12m", "all"]
    assert [one["value"] for one in radios if "checked" in one] == ["90d"]


def test_the_range_dialog_comes_back_until_it_is_answered(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = outlook.connect(ana)
    client = client_for(ana)
    assert "data-open-now" in page(client)
    client.post(f"{OUTLOOK}/{connection.pk}/skip")
    assert "data-open-now" not in page(client)


@pytest.mark.parametrize("wanted", ["0", "x", "-1", "999999999999999999999"])
def test_no_dialog_opens_for_a_connection_that_is_not_there(
    ana: Member, outlook: Outlook, client_for: Browser, wanted: str
) -> None:
    synced(ana, outlook)
    assert "data-open-now" not in page(client_for(ana), f"{OUTLOOK}?choose_range={wanted}")


def test_a_stranger_sees_no_row(
    ana: Member, ben: Member, cleo: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = synced(ana, outlook)
    for other in (ben, cleo):
        client = client_for(other)
        assert connection.address not in page(client)
        assert client.get(f"{OUTLOOK}/{connection.pk}/row").status_code == 404
        assert client.get(f"{OUTLOOK}/{connection.pk}/backfill").status_code == 404


def test_a_problem_is_told_with_its_next_step_and_reference(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    html = page(client_for(ana), f"{OUTLOOK}?problem=admin_consent_required&ref=7f3a-01")
    panel = html[html.index('class="problem"') : html.index("</section>")]
    assert "Your organisation must approve Workestra first" in panel
    assert "/v2.0/adminconsent?" in panel
    assert "7f3a-01" in panel


def test_a_mailbox_of_another_member_is_refused_with_that_members_name(
    ana: Member, ben: Member, outlook: Outlook, client_for: Browser
) -> None:
    client = client_for(ana)
    session = client.session
    session[SESSION_KEY] = {"code": "already_connected", "detail": {"name": ben.user.name}}
    session.save()
    assert f"{ben.user.name} has connected this mailbox" in page(client, f"{OUTLOOK}?problem=already_connected")
    assert ben.user.name not in page(client, f"{OUTLOOK}?problem=state_lost")


def test_words_that_a_stranger_put_into_the_address_are_not_repeated(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    html = page(client_for(ana), f"{OUTLOOK}?problem=already_connected&name=Call+0800+now&ref=<b>")
    assert "Call 0800" not in html
    assert "<b>" not in html
    assert "Another member has connected this mailbox" in html


@pytest.mark.parametrize("code", ["../x", "A", "x" * 65, ""])
def test_a_problem_that_is_no_code_shows_no_panel(
    ana: Member, outlook: Outlook, client_for: Browser, code: str
) -> None:
    assert 'class="problem"' not in page(client_for(ana), f"{OUTLOOK}?problem={code}")


def test_a_mailbox_with_everything_names_no_made_up_date(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "all"})
    html = client.get(f"{OUTLOOK}/{connection.pk}/row").content.decode()
    assert "all of its mail" in html
    assert "1601" not in html


def test_a_needed_approval_comes_with_a_text_for_it_that_holds_link_and_permissions(
    ben: Member, outlook: Outlook, client_for: Browser
) -> None:
    html = unescape(page(client_for(ben), f"{OUTLOOK}?problem=admin_consent_required"))
    text = html[html.index('<p id="admin-text-problem">') :]
    text = text[: text.index("</p>")]
    assert "/v2.0/adminconsent?" in text
    assert all(one in text for one in set(SCOPES) - {"openid", "profile", "email"})


def test_a_row_that_lost_its_permission_leads_to_microsofts_page_after_each_update(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = synced(ana, outlook)
    change(connection, error_code="permission_denied", error_at=clock.now())
    html = client_for(ana).get(f"{OUTLOOK}/{connection.pk}/row").content.decode()
    [link] = [one for one in elements(html, "a", class_="button") if one.get("target") == "_blank"]
    assert link["href"].startswith("https://")
