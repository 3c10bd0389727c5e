"""The way in and out, and appearance."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from workestra.tenancy.models import Member, Role, User
from workestra.tenancy.seats import create_seat

PASSWORD = "harbour lights at seven"


@pytest.fixture
def with_password(ana: Member) -> Member:
    ana.user.set_password(PASSWORD)
    ana.user.save()
    return ana


def test_right_password_leads_to_the_inbox(with_password: Member) -> None:
    answer = Client().post("/login", {"email": with_password.user.email.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/inbox")


def test_wrong_password_is_told_without_saying_which_of_the_two_was_wrong(with_password: Member) -> None:
    wrong = Client().post("/login", {"email": with_password.user.email, "password": "no"})
    unknown = Client().post("/login", {"email": "nobody@workestra.example", "password": "no"})
    assert wrong.status_code == unknown.status_code == 422
    words = "This email and password do not belong together"
    assert words in wrong.content.decode()
    assert words in unknown.content.decode()
    assert with_password.user.email in wrong.content.decode()


def test_empty_fields_each_name_what_is_missing(db: None) -> None:
    page = Client().post("/login", {"email": "not an address", "password": ""}).content.decode()
    assert "This is not an email address." in page
    assert "Enter your password." in page


def test_ten_wrong_passwords_close_the_address_until_a_named_time(with_password: Member) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    for _ in range(10):
        client.post("/login", {"email": with_password.user.email, "password": "no"})
    answer = client.post("/login", {"email": with_password.user.email, "password": PASSWORD})
    assert answer.status_code == 429
    assert "Too many attempts. Try again at" in answer.content.decode()


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/x", "javascript:alert(1)", "\\\\evil.example", "http:///evil.example"],
)
def test_next_of_another_site_is_not_followed(with_password: Member, elsewhere: str) -> None:
    answer = Client().post("/login", {"email": with_password.user.email, "password": PASSWORD, "next": elsewhere})
    assert answer.headers["Location"] == "/inbox"


def test_next_of_this_site_is_followed(with_password: Member) -> None:
    client = Client()
    away = client.get("/settings/integrations?x=1")
    assert away.headers["Location"] == "/login?next=/settings/integrations%3Fx%3D1"
    answer = client.post(
        "/login", {"email": with_password.user.email, "password": PASSWORD, "next": "/settings/integrations?x=1"}
    )
    assert answer.headers["Location"] == "/settings/integrations?x=1"


def test_signing_in_changes_the_session(with_password: Member) -> None:
    client = Client()
    session = client.session
    session["before"] = True
    session.save()
    client.post("/login", {"email": with_password.user.email, "password": PASSWORD})
    assert client.session.session_key != session.session_key


def test_signing_out_takes_a_post_and_ends_the_session(ana: Member, client_for: Callable[[Member], Client]) -> None:
    client = client_for(ana)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").headers["Location"] == "/login"
    assert client.get("/inbox").headers["Location"].startswith("/login")


def test_signed_in_person_is_not_asked_again(ana: Member, client_for: Callable[[Member], Client]) -> None:
    assert client_for(ana).get("/login").headers["Location"] == "/inbox"


def test_a_fragment_for_a_signed_out_person_sends_the_whole_page_to_the_sign_in(db: None) -> None:
    answer = Client().get("/inbox", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/login")


def test_theme_is_kept_with_the_person(ana: Member, client_for: Callable[[Member], Client]) -> None:
    answer = client_for(ana).post("/appearance/theme", {"theme": "dark"}, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert User.objects.get(pk=ana.user_id).theme == "dark"
    assert 'data-theme="dark"' in client_for(ana).get("/settings/integrations").content.decode()


def test_unknown_theme_is_refused(ana: Member, client_for: Callable[[Member], Client]) -> None:
    assert client_for(ana).post("/appearance/theme", {"theme": "x onload=1"}).status_code == 422
    assert User.objects.get(pk=ana.user_id).theme == "system"


def test_density_is_kept_in_the_browser(ana: Member, client_for: Callable[[Member], Client]) -> None:
    client = client_for(ana)
    client.post("/appearance/density", {"density": "compact"})
    assert 'data-density="compact"' in client.get("/settings/integrations").content.decode()


def test_appearance_goes_back_only_to_this_site(ana: Member, client_for: Callable[[Member], Client]) -> None:
    answer = client_for(ana).post(
        "/appearance/theme", {"theme": "light"}, headers={"Referer": "https://evil.example/x"}
    )
    assert answer.headers["Location"] == "/inbox"


def test_a_missing_page_says_so_in_the_products_style(ana: Member, client_for: Callable[[Member], Client]) -> None:
    answer = client_for(ana).get("/nowhere")
    assert answer.status_code == 404
    assert "Nothing is here" in answer.content.decode()


def test_giving_a_seat_again_with_the_same_password_ends_no_session(with_password: Member) -> None:
    client = Client()
    client.post("/login", {"email": with_password.user.email, "password": PASSWORD})
    again = {"email": with_password.user.email, "name": "", "workspace": "Elsewhere", "role": Role.MEMBER}
    create_seat(password=PASSWORD, **again)
    assert client.get("/inbox").status_code == 200
    create_seat(password="another harbour at eight", **again)
    assert client.get("/inbox").status_code == 302
