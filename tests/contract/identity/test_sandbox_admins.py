"""Consent that only an admin can give (Microsoft identity platform: admin consent; CON 7)."""

from __future__ import annotations

from urllib.parse import urlencode

from tests.contract.identity.office import ANA, ASTRID, BACK, GRACE, HUGO, Office

from m365sandbox import seed


def admin_link(office: Office, tenant: str, **differs: str) -> str:
    values = {
        "client_id": seed.CLIENT_ID,
        "redirect_uri": BACK,
        "scope": "Mail.Read offline_access",
        "state": "s",
        **differs,
    }
    return f"{office.url}/{tenant}/v2.0/adminconsent?{urlencode({k: v for k, v in values.items() if v})}"


def test_user_of_a_closed_tenant_meets_the_approval_page_and_returns_90094(office: Office) -> None:
    page = office.sign_in(HUGO)
    assert page.step == "needs_admin"
    assert "Stonebridge Health" in page.text
    told = office.visitor.press(page, "Return to the application without granting consent").returned
    assert told is not None
    assert told["error"] == "access_denied"
    assert told["error_description"].startswith("AADSTS90094: ")


def test_closed_tenant_lets_users_approve_harmless_scopes_themselves(office: Office) -> None:
    body = office.connected(HUGO, scope="openid profile offline_access User.Read Contacts.Read Mail.Send")
    assert "Mail.Send" in body["scope"]


def test_admin_at_the_approval_page_can_consent_for_everybody(office: Office) -> None:
    page = office.sign_in(HUGO)
    page = office.visitor.press(page, "Have an admin account? Sign in with that account")
    page = office.visitor.press(page, ASTRID)
    page = office.visitor.press(page, "Sign in", password="sandbox")
    assert page.step == "consent"
    assert office.visitor.press(page, "Accept", organisation="yes").returned is not None
    office.new_browser()
    assert "Mail.Read" in office.connected(HUGO)["scope"]


def test_admin_who_accepts_for_himself_opens_nothing_for_others(office: Office) -> None:
    office.code(ASTRID)
    office.new_browser()
    assert office.sign_in(HUGO).step == "needs_admin"


def test_admin_consent_grants_the_tenant_and_returns_no_code(office: Office) -> None:
    tenant = office.world.directory.person(address=ASTRID).tenant  # type: ignore[union-attr]
    page = office.visitor.sign_in(admin_link(office, tenant.id), address=ASTRID, password="sandbox")
    assert page.returned is not None
    assert page.returned == {
        "admin_consent": "True",
        "tenant": tenant.id,
        "scope": "Mail.Read offline_access",
        "state": "s",
    }
    office.new_browser()
    assert "code" in (office.sign_in(HUGO, scope="Mail.Read offline_access").returned or {})


def test_declined_admin_consent_still_says_admin_consent_true(office: Office) -> None:
    page = office.visitor.press(office.visitor.open(admin_link(office, "organizations")), GRACE)
    page = office.visitor.press(page, "Sign in", password="sandbox")
    told = office.visitor.press(page, "Cancel").returned
    assert told is not None
    assert (told["admin_consent"], told["error"], told["state"]) == ("True", "access_denied", "s")
    assert "AADSTS65004" in told["error_description"]


def test_admin_consent_by_somebody_else_is_not_possible(office: Office) -> None:
    page = office.visitor.sign_in(admin_link(office, "organizations"), address=ANA, password="sandbox")
    assert page.step == "needs_admin"


def test_admin_consent_on_common_is_refused_on_a_page(office: Office) -> None:
    assert "AADSTS90130" in office.visitor.open(admin_link(office, "common")).text


def test_admin_consent_needs_scopes(office: Office) -> None:
    told = office.visitor.open(admin_link(office, "organizations", scope="")).returned
    assert told is not None
    assert (told["error"], told["admin_consent"]) == ("invalid_request", "True")
