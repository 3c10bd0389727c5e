"""A member's own name, language and time zone: what they chose, else what their browser says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.sandboxes import Outlook
from tests.suite.stage import arrive, elements, synced

from workestra.kit import clock
from workestra.tenancy.models import Member, User

Browser = Callable[[Member], Client]
PROFILE = "/settings/profile"


def stamps(client: Client) -> list[str]:
    """The offsets of the times in the Inbox."""
    times = elements(client.get("/inbox").content.decode(), "time")
    assert times
    return [one["datetime"][-6:] for one in times]


def chosen(client: Client) -> dict[str, str]:
    """What the fields of the page hold."""
    html = client.get(PROFILE).content.decode()
    fields = {one["name"]: one["value"] for one in elements(html, "input") if one.get("name") == "name"}
    for name in ("language", "time_zone"):
        select = html[html.index(f'name="{name}"') :]
        options = elements(select[: select.index("</select>")], "option")
        fields[name] = next((one["value"] for one in options if "selected" in one), "")
    return fields


@pytest.fixture
def with_mail(ana: Member, outlook: Outlook) -> Member:
    arrive(synced(ana, outlook), outlook, at=clock.now() + timedelta(seconds=1))
    return ana


def test_chosen_name_language_and_zone_are_kept_and_spoken(with_mail: Member, client_for: Browser) -> None:
    client = client_for(with_mail)
    wanted = {"name": "Ana Ferreira", "language": "de", "time_zone": "Asia/Kolkata"}
    assert client.post(PROFILE, wanted).headers["Location"] == PROFILE
    assert chosen(client) == wanted
    page = client.get("/inbox").content.decode()
    assert '<html lang="de"' in page
    assert "Posteingang" in page
    assert "Ana Ferreira" in page
    assert set(stamps(client)) == {"+05:30"}


def test_the_answer_is_in_the_language_that_was_just_chosen(ana: Member, client_for: Browser) -> None:
    client = client_for(ana)
    client.post(PROFILE, {"name": "Ana", "language": "de", "time_zone": ""})
    assert "Ihr Profil ist gespeichert." in client.get(PROFILE).content.decode()


def test_who_chose_nothing_reads_in_the_browsers_language_and_zone(with_mail: Member, client_for: Browser) -> None:
    client = client_for(with_mail)
    client.cookies["zone"] = "Asia/Kathmandu"
    assert set(stamps(client)) == {"+05:45"}
    page = client.get(PROFILE, headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.1"}).content.decode()
    assert '<html lang="de"' in page
    assert "Kathmandu" in page


def test_a_choice_stands_above_the_browsers(with_mail: Member, client_for: Browser) -> None:
    client = client_for(with_mail)
    client.cookies["zone"] = "Asia/Kathmandu"
    client.post(PROFILE, {"name": "", "language": "en", "time_zone": "UTC"})
    assert set(stamps(client)) == {"+00:00"}
    assert '<html lang="en"' in client.get(PROFILE, headers={"Accept-Language": "de"}).content.decode()


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../../etc/passwd", "x" * 5000, "Europe/Berlin\\000", "posixrules "]
)
def test_a_zone_that_is_none_counts_as_not_told(with_mail: Member, client_for: Browser, zone: str) -> None:
    client = client_for(with_mail)
    client.cookies["zone"] = zone
    assert set(stamps(client)) == {"+00:00"}
    User.objects.filter(pk=with_mail.user_id).update(time_zone=zone[:64], language="tlh")
    assert set(stamps(client)) == {"+00:00"}
    assert client.get(PROFILE).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [{"language": "tlh"}, {"time_zone": "Mars/Olympus"}, {"time_zone": "/etc/passwd"}, {"name": "x" * 201}],
)
def test_what_cannot_be_chosen_is_refused_and_changes_nothing(
    ana: Member, client_for: Browser, wrong: dict[str, str]
) -> None:
    before = User.objects.get(pk=ana.user_id)
    answer = client_for(ana).post(PROFILE, {"name": "Anna", "language": "de", "time_zone": "", **wrong})
    assert answer.status_code == 422
    after = User.objects.get(pk=ana.user_id)
    assert (after.name, after.language, after.time_zone) == (before.name, before.language, before.time_zone)


def test_the_sign_in_page_speaks_the_browsers_language_and_asks_its_zone(db: None) -> None:
    page = Client().get("/login", headers={"Accept-Language": "de"}).content.decode()
    assert "Anmelden" in page
    assert any("zone.js" in one.get("src", "") for one in elements(page, "script"))


def test_an_old_name_of_a_zone_stays_chosen(ana: Member, client_for: Browser) -> None:
    User.objects.filter(pk=ana.user_id).update(time_zone="CET")
    assert chosen(client_for(ana))["time_zone"] == "CET"
