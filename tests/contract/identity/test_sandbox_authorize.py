"""What the authorize endpoint refuses, and whether it says so on a page or to the app (authorization code flow)."""

from __future__ import annotations

import pytest
from tests.contract.identity.office import ANA, Office


def refused(office: Office, tenant: str = "common", **differs: str | None) -> dict[str, str]:
    page = office.visitor.open(office.link(tenant, **differs))
    assert page.returned is not None, page.text
    return page.returned


@pytest.mark.parametrize(
    ("differs", "number"),
    [
        ({"client_id": None}, 900144),
        ({"client_id": "00000000-0000-0000-0000-00000000dead"}, 700016),
        ({"redirect_uri": None}, 900971),
        ({"redirect_uri": "https://elsewhere.example/back"}, 50011),
        ({"redirect_uri": "http://localhost.elsewhere.example/back"}, 50011),
        ({"redirect_uri": "http://[::1"}, 50011),
    ],
)
def test_wrong_client_or_redirect_address_is_shown_and_never_redirected(
    office: Office, differs: dict[str, str | None], number: int
) -> None:
    answer = office.client.get(office.link(**differs))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert f"AADSTS{number}" in answer.text


def test_unknown_tenant_is_a_page(office: Office) -> None:
    answer = office.client.get(office.link("nobody.example"))
    assert answer.status_code == 400
    assert "AADSTS90002" in answer.text


@pytest.mark.parametrize(
    ("differs", "error", "number"),
    [
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_type": "code id_token"}, "unsupported_response_type", 700054),
        ({"response_type": "banana"}, "unsupported_response_type", 70005),
        ({"response_mode": "okay"}, "invalid_request", 90023),
        ({"scope": None}, "invalid_request", 900144),
        ({"scope": "openid Mail.Reed"}, "invalid_client", 650053),
        ({"scope": "https://graph.microsoft.com/.default Mail.Read"}, "invalid_scope", 70011),
        ({"prompt": "sometimes"}, "invalid_request", 90023),
        ({"prompt": "select_account", "login_hint": ANA}, "invalid_request", 90023),
        ({"code_challenge": "short"}, "invalid_request", 501491),
        ({"code_challenge": "a" * 60}, "invalid_request", 501491),
        ({"code_challenge": None}, "invalid_request", 900144),
        ({"code_challenge_method": "S512"}, "invalid_request", 90023),
        ({"claims": "{not json"}, "invalid_request", 9002313),
    ],
)
def test_other_mistakes_go_back_to_the_app_with_state(
    office: Office, differs: dict[str, str | None], error: str, number: int
) -> None:
    told = refused(office, **differs)
    assert told["error"] == error
    assert told["error_description"].startswith(f"AADSTS{number}: ")
    assert told["state"] == "the-state"
    assert "Trace ID: " in told["error_description"]
    assert "code" not in told


def test_missing_state_is_not_made_up(office: Office) -> None:
    assert "state" not in refused(office, scope=None, state=None)


@pytest.mark.parametrize("scope", ["mail.READ openid", "https://graph.microsoft.com/Mail.Read openid"])
def test_scope_is_known_in_any_case_and_with_its_resource(office: Office, scope: str) -> None:
    assert "Mail.Read" in office.connected(ANA, scope=scope)["scope"].split()


def test_silent_request_without_session_needs_sign_in(office: Office) -> None:
    told = refused(office, prompt="none")
    assert (told["error"], told["error_description"][:12]) == ("login_required", "AADSTS50058:")


def test_silent_request_without_consent_needs_a_person(office: Office) -> None:
    office.code(ANA, scope="openid User.Read")
    told = refused(office, prompt="none")
    assert told["error"] == "interaction_required"
    assert "AADSTS65001" in told["error_description"]


def test_silent_request_with_session_and_consent_is_answered_at_once(office: Office) -> None:
    office.code(ANA)
    assert "code" in refused(office, prompt="none")
