"""The pages between the app's redirect and its answer (SBX 1)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from tests.contract.identity.office import ANA, BACK, BEN, CLEO, NORA, OMAR, PRIYA, Office


def test_first_sign_in_shows_picker_password_and_consent_with_the_scopes_asked_for(office: Office) -> None:
    picker = office.visitor.open(office.link())
    assert picker.step == "pick"
    assert ANA in picker.text
    password = office.visitor.press(picker, ANA)
    assert password.step == "password"
    consent = office.visitor.press(password, "Sign in", password="sandbox")
    assert consent.step == "consent"
    assert "Mail.ReadWrite" in consent.text
    assert "Mail.Read.Shared" in consent.text
    back = office.visitor.press(consent, "Accept")
    assert back.url.startswith(BACK + "?")
    assert back.returned is not None
    assert back.returned["state"] == "the-state"
    assert back.returned["code"]


def test_second_sign_in_of_the_session_asks_nothing(office: Office) -> None:
    office.code(ANA)
    page = office.visitor.open(office.link())
    assert page.returned is not None
    assert "code" in page.returned


def test_consent_is_asked_again_only_for_new_scopes(office: Office) -> None:
    office.code(ANA)
    page = office.visitor.open(office.link(scope="openid Mail.Read Contacts.Read"))
    assert page.step == "consent"


def test_prompt_consent_asks_although_everything_was_granted(office: Office) -> None:
    office.code(ANA)
    assert office.visitor.open(office.link(prompt="consent")).step == "consent"


def test_prompt_login_asks_for_the_password_of_a_signed_in_person(office: Office) -> None:
    office.code(ANA)
    page = office.visitor.press(office.visitor.open(office.link(prompt="login")), ANA)
    assert page.step == "password"


def test_select_account_offers_the_signed_in_person_without_password(office: Office) -> None:
    office.code(ANA)
    picker = office.visitor.open(office.link(prompt="select_account"))
    assert picker.step == "pick"
    assert "Signed in" in picker.text
    page = office.visitor.press(picker, ANA)
    assert page.returned is not None


def test_login_hint_goes_straight_to_the_password(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint=BEN))
    assert page.step == "password"
    assert BEN in page.text


def test_unknown_login_hint_is_prefilled_on_the_picker(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint="who@nowhere.example"))
    assert page.step == "pick"
    assert page.forms[1].fields["address"] == "who@nowhere.example"


def test_typed_address_is_taken_and_a_wrong_one_explained(office: Office) -> None:
    picker = office.visitor.open(office.link())
    wrong = office.visitor.press(picker, "Next", address="who@nowhere.example")
    assert "AADSTS50034" in wrong.text
    assert office.visitor.press(wrong, "Next", address=ANA.upper()).step == "password"


def test_wrong_password_stays_on_the_page_and_says_so(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint=ANA))
    again = office.visitor.press(page, "Sign in", password="guess")
    assert again.step == "password"
    assert "AADSTS50126" in again.text
    assert office.visitor.press(again, "Sign in", password="sandbox").step == "consent"


def test_declined_consent_returns_65004(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint=ANA))
    page = office.visitor.press(page, "Sign in", password="sandbox")
    told = office.visitor.press(page, "Cancel").returned
    assert told is not None
    assert told["error"] == "access_denied"
    assert told["error_description"].startswith("AADSTS65004: ")
    assert told["state"] == "the-state"


def test_second_factor_is_asked_once_a_session(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint=OMAR))
    page = office.visitor.press(page, "Sign in", password="sandbox")
    assert page.step == "mfa"
    assert office.visitor.press(page, "Yes").step == "consent"
    assert office.visitor.open(office.link(login_hint=OMAR)).step == "consent"


def test_refused_second_factor_returns_50074(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint=OMAR))
    page = office.visitor.press(page, "Sign in", password="sandbox")
    told = office.visitor.press(page, "I can’t approve this now").returned
    assert told is not None
    assert (told["error"], told["error_description"][:12]) == ("access_denied", "AADSTS50074:")


def test_conditional_access_blocks_on_a_page_and_returns_53003(office: Office) -> None:
    page = office.sign_in(PRIYA)
    assert page.step == "blocked"
    assert "AADSTS53003" in page.text
    told = office.visitor.press(page, "Return to the application").returned
    assert told is not None
    assert (told["error"], told["error_description"][:12]) == ("access_denied", "AADSTS53003:")


@pytest.mark.parametrize(
    ("tenant", "address", "number"),
    [
        ("organizations", NORA, 500208),
        ("consumers", ANA, 500208),
        ("larkfield.example", CLEO, 50020),
    ],
)
def test_account_that_does_not_fit_the_tenant_path_is_refused(
    office: Office, tenant: str, address: str, number: int
) -> None:
    page = office.visitor.press(office.visitor.open(office.link(tenant)), address)
    assert page.step == "pick"
    assert f"AADSTS{number}" in page.text


def test_personal_account_is_not_asked_for_shared_mailboxes(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint=NORA))
    page = office.visitor.press(page, "Sign in", password="sandbox")
    assert page.step == "consent"
    assert "Mail.Read.Shared" not in page.text
    assert "Mail.Read.Shared" not in office.connected(NORA)["scope"]


def test_fragment_and_form_post_carry_the_same_answer(office: Office) -> None:
    office.code(ANA)
    fragment = office.visitor.open(office.link(response_mode="fragment"))
    assert not urlsplit(fragment.url).query
    assert fragment.returned is not None
    posted = office.visitor.open(office.link(response_mode="form_post"))
    assert posted.url == BACK
    assert posted.returned is not None
    assert set(posted.returned) == set(fragment.returned) >= {"code", "state", "session_state"}


def test_sign_in_left_lying_for_ten_minutes_has_to_start_again(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint=ANA))
    office.clock.forward(minutes=10)
    assert "AADSTS50089" in office.visitor.press(page, "Sign in", password="sandbox").text


def test_page_of_another_browser_cannot_be_continued(office: Office) -> None:
    page = office.visitor.open(office.link(login_hint=ANA))
    office.new_browser()
    office.visitor.open(office.link())
    assert "AADSTS50089" in office.visitor.press(page, "Sign in", password="sandbox").text


def test_pages_allow_no_foreign_script_and_escape_what_they_show(office: Office) -> None:
    answer = office.client.get(office.link(login_hint='"><script>alert(1)</script>'))
    assert "<script>alert" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_logout_ends_the_session_and_returns_to_a_registered_address(office: Office) -> None:
    office.code(ANA)
    url = f"{office.url}/common/oauth2/v2.0/logout?post_logout_redirect_uri={BACK}"
    assert office.client.get(url).headers["location"] == BACK
    assert office.visitor.open(office.link()).step == "pick"


def test_logout_to_a_foreign_address_shows_a_page_instead(office: Office) -> None:
    url = f"{office.url}/common/oauth2/v2.0/logout?post_logout_redirect_uri=https://elsewhere.example/"
    answer = office.client.get(url)
    assert answer.status_code == 200
    assert "You signed out" in answer.text
