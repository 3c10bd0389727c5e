"""MSAL for Python, unmodified, over the sandbox's TLS mode (SBX 6)."""

from __future__ import annotations

import json

import msal
import pytest
from tests.contract.judges.court import ANA, BACK, NORA, SCOPES, Court

from m365sandbox.people import PERSONAL_TENANT


def test_msal_signs_a_work_account_in_and_keeps_it(court: Court) -> None:
    app = court.app()
    result = court.signed_in(app, ANA)
    assert set(SCOPES) <= set(result["scope"].split())
    assert result["id_token_claims"]["preferred_username"] == ANA
    (account,) = app.get_accounts()
    assert account["username"] == ANA
    tenant = result["id_token_claims"]["tid"]
    assert account["home_account_id"] == f"{result['id_token_claims']['oid']}.{tenant}"


def test_msal_answers_from_its_cache_and_refreshes_when_forced(court: Court) -> None:
    app = court.app()
    first = court.signed_in(app, ANA)
    (account,) = app.get_accounts()
    cached = app.acquire_token_silent(SCOPES, account=account)
    assert cached["access_token"] == first["access_token"]
    renewed = app.acquire_token_silent(SCOPES, account=account, force_refresh=True)
    assert renewed["access_token"] != first["access_token"]
    assert court.control("GET", "identity/refreshes") == {ANA: 1}


def test_msal_signs_a_personal_account_in_on_consumers(court: Court) -> None:
    app = court.app("consumers")
    result = court.signed_in(app, NORA)
    assert result["id_token_claims"]["tid"] == PERSONAL_TENANT
    assert app.acquire_token_silent(SCOPES, account=app.get_accounts()[0], force_refresh=True)["access_token"]


def test_msal_reports_a_revoked_grant_with_its_classification(court: Court) -> None:
    app = court.app()
    court.signed_in(app, ANA)
    court.control("POST", "identity/revoke", address=ANA)
    answer = app.acquire_token_silent_with_error(SCOPES, account=app.get_accounts()[0], force_refresh=True)
    assert answer["error"] == "invalid_grant"
    assert answer["error_codes"] == [50173]


def test_msal_reports_consent_that_was_declined(court: Court) -> None:
    app = court.app()
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK, response_mode="form_post")
    returned = court.decline(flow["auth_uri"], ANA).returned
    assert returned is not None
    answer = app.acquire_token_by_auth_code_flow(flow, returned)
    assert answer["error"] == "access_denied"
    assert answer["error_description"].startswith("AADSTS65004")


def test_msal_with_cp1_passes_an_interactive_challenge_on_and_meets_it(court: Court) -> None:
    app = court.app(client_capabilities=["cp1"])
    court.signed_in(app, ANA)
    claims = court.control("POST", "identity/challenge", address=ANA, interactive=True)["claims"]
    answer = app.acquire_token_silent_with_error(SCOPES, account=app.get_accounts()[0], claims_challenge=claims)
    assert answer["classification"] == "basic_action"
    assert json.loads(answer["claims"]) == json.loads(claims)
    flow = app.initiate_auth_code_flow(
        SCOPES, redirect_uri=BACK, claims_challenge=answer["claims"], response_mode="form_post"
    )
    returned = court.walk(flow["auth_uri"], ANA).returned
    assert returned is not None
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, returned)


@pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended")
def test_msal_gets_the_answer_in_the_query_when_it_does_not_ask_for_a_form(court: Court) -> None:
    app = court.app()
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK)
    page = court.walk(flow["auth_uri"], ANA)
    assert page.url.startswith(f"{BACK}?")
    assert page.returned is not None
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, page.returned)


def test_msal_refuses_a_wrong_secret_as_invalid_client(court: Court) -> None:
    app = court.app()
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK, response_mode="form_post")
    returned = court.walk(flow["auth_uri"], ANA).returned
    stranger = msal.ConfidentialClientApplication(
        app.client_id,
        client_credential="wrong",
        authority=f"{court.served.url}/common",
        instance_discovery=False,
        http_client=court.session(),
    )
    assert returned is not None
    assert stranger.acquire_token_by_auth_code_flow(flow, returned)["error"] == "invalid_client"


def test_msal_refuses_an_unknown_tenant_at_discovery(court: Court) -> None:
    with pytest.raises(ValueError, match="nobody"):
        court.app("nobody.example")
