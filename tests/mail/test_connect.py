"""Signing in at Microsoft and back, all the way through its pages, and every way in which it ends badly (CON)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.test import Client
from tests.compare import differences
from tests.mail import hands
from tests.mail.hands import Time, backfill, start, work
from tests.sandboxes import Outlook

from m365sandbox.identity.problems import Problem
from m365sandbox.identity.visitor import Page, Visitor
from workestra.mail.models import Connection, Grant, Mailbox, Schedule, SignIn
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

BEGIN, CALLBACK = "/settings/integrations/outlook/begin", "/oauth/outlook/callback"
Browser = Callable[[Member], Client]


@dataclass
class Desk:
    """A member at a browser, which is at Microsoft's as well."""

    member: Member
    client: Client
    visitor: Visitor
    outlook: Outlook

    def begin(self, connection: Connection | None = None) -> str:
        """Press Connect or Reconnect: where Microsoft's page is."""
        data = {"connection_id": connection.pk} if connection else {}
        answer = self.client.post(BEGIN, data)
        assert answer.status_code == 302
        return str(answer.headers["Location"])

    def sign_in(self, url: str, name: str = "ana") -> Page:
        """Go all the way at Microsoft."""
        person = self.outlook.person(name)
        return self.visitor.sign_in(url, address=person.address, password=person.password)

    def back(self, query: dict[str, str]) -> dict[str, str]:
        """Return with this query: what the settings page is told."""
        answer = self.client.get(CALLBACK, query)
        assert answer.status_code == 302
        target = urlsplit(answer.headers["Location"])
        assert target.path == "/settings/integrations/outlook"
        return {key: values[0] for key, values in parse_qs(target.query).items()}

    def connect(self, name: str = "ana", reconnects: Connection | None = None) -> dict[str, str]:
        """From the button back to the settings page."""
        page = self.sign_in(self.begin(reconnects), name)
        assert page.returned is not None, page.text
        return self.back(page.returned)

    def rows(self) -> tuple[int, int, int, int]:
        """Connections, grants, sign-ins under way, schedules of the workspace."""
        place = self.member.workspace_id
        with scope(workspace=place):
            return (
                Connection.objects.count(),
                Grant.objects.count(),
                SignIn.objects.count(),
                Schedule.objects.filter(workspace_id=place).count(),
            )


@pytest.fixture
def outlook(outlook: Outlook) -> Outlook:
    """A sandbox in which nobody has accepted anything yet."""
    consents = outlook.handle.app.state.identity.consents
    for person in outlook.world.directory.people.values():
        consents.withdraw(person=person)
    return outlook


@pytest.fixture
def desk_of(outlook: Outlook, client_for: Browser) -> Iterator[Callable[[Member], Desk]]:
    """A desk for a member."""
    opened: list[httpx2.Client] = []

    def make(member: Member) -> Desk:
        opened.append(httpx2.Client(trust_env=False, follow_redirects=False))
        return Desk(member, client_for(member), Visitor(opened[-1]), outlook)

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def desk(ana: Member, desk_of: Callable[[Member], Desk], settings: Any) -> Desk:
    settings.WORKESTRA = settings.WORKESTRA.model_copy(update={"public_url": "http://localhost:8000"})
    return desk_of(ana)


def _identity(outlook: Outlook) -> Any:
    return outlook.handle.app.state.identity


def test_a_sign_in_ends_with_a_connection_that_asks_for_a_range_and_syncs(desk: Desk, outlook: Outlook) -> None:
    told = desk.connect()
    assert desk.rows() == (1, 1, 0, 1)
    with scope(workspace=desk.member.workspace_id):
        row = Connection.objects.get()
    assert told == {"choose_range": str(row.pk)}
    person = outlook.person("ana")
    assert (row.address, row.name, row.state, row.owner_id) == (
        person.address,
        person.name,
        "active",
        desk.member.pk,
    )
    start(row)
    work(row)
    assert backfill(row).state == "done"
    assert differences(outlook, row, "ana") == []


def test_a_personal_account_connects_too(desk: Desk) -> None:
    assert "choose_range" in desk.connect("nora.ellis")
    with scope(workspace=desk.member.workspace_id):
        assert Connection.objects.get().outlook_com


def test_a_second_factor_is_given_on_microsofts_page(desk: Desk, outlook: Outlook) -> None:
    outlook.person("ana").mfa = True
    assert "choose_range" in desk.connect()


def test_the_way_to_microsoft_carries_proofs_that_are_kept_sealed(desk: Desk) -> None:
    query = parse_qs(urlsplit(desk.begin()).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["prompt"] == ["select_account"]
    with scope(workspace=desk.member.workspace_id):
        row = SignIn.objects.get()
    assert query["nonce"] == [row.nonce]
    assert query["state"][0].encode() not in bytes(row.state_digest)
    assert len(bytes(row.verifier_sealed)) > 43


@pytest.mark.parametrize("wrong", ["none", "empty", "invented", "used"])
def test_a_state_that_is_not_the_open_one_is_refused(desk: Desk, wrong: str) -> None:
    page = desk.sign_in(desk.begin())
    assert page.returned is not None
    query = dict(page.returned)
    if wrong == "none":
        del query["state"]
    if wrong in ("empty", "invented"):
        query["state"] = "" if wrong == "empty" else "x" * 43
    if wrong == "used":
        desk.back(query)
    before = desk.rows()
    assert desk.back(query) == {"problem": "state_lost"}
    assert desk.rows() == before


def test_a_state_older_than_ten_minutes_is_refused(desk: Desk, time: Time) -> None:
    page = desk.sign_in(desk.begin())
    time.passes(minutes=11)
    assert page.returned is not None
    assert desk.back(page.returned) == {"problem": "state_lost"}
    assert desk.rows()[0] == 0


def test_a_return_in_another_browser_session_is_refused(desk: Desk, desk_of: Callable[[Member], Desk]) -> None:
    page = desk.sign_in(desk.begin())
    assert page.returned is not None
    assert desk_of(desk.member).back(page.returned) == {"problem": "state_lost"}
    assert desk.rows()[:2] == (0, 0)


@pytest.mark.parametrize("who", ["ben", "cleo"])
def test_a_return_as_another_person_is_refused(
    desk: Desk, desk_of: Callable[[Member], Desk], who: str, request: pytest.FixtureRequest
) -> None:
    other = desk_of(request.getfixturevalue(who))
    page = desk.sign_in(desk.begin())
    assert page.returned is not None
    assert other.back(page.returned) == {"problem": "state_lost"}
    assert other.rows()[:2] == desk.rows()[:2] == (0, 0)


def _declined(page: Page, desk: Desk) -> Page:
    while page.step != "consent":
        person = desk.outlook.person("ana")
        if page.step == "pick":
            page = desk.visitor.press(page, person.address)
        else:
            page = desk.visitor.press(page, "Sign in", password=person.password)
    return desk.visitor.press(page, "Cancel")


def test_declined_permissions_are_told_and_nothing_stays(desk: Desk) -> None:
    page = _declined(desk.visitor.open(desk.begin()), desk)
    assert page.returned is not None
    assert desk.back(page.returned)["problem"] == "consent_declined"
    assert desk.rows() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("error", "number", "problem"),
    [
        ("access_denied", 90094, "admin_consent_required"),
        ("access_denied", 53003, "conditional_access"),
        ("interaction_required", 50076, "mfa_required"),
        ("temporarily_unavailable", 90033, "microsoft_unavailable"),
        ("server_error", 0, "microsoft_unavailable"),
        ("a_word_of_tomorrow", 999999, "sign_in_refused"),
    ],
)
def test_a_refusal_in_the_address_is_told_by_its_cause(desk: Desk, error: str, number: int, problem: str) -> None:
    state = parse_qs(urlsplit(desk.begin()).query)["state"][0]
    told = desk.back({"state": state, "error": error, "error_description": f"AADSTS{number}: words of Microsoft's"})
    assert told["problem"] == problem
    assert desk.rows() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("number", "problem"), [(54005, "code_used"), (53003, "conditional_access"), (7000222, "app_misconfigured")]
)
def test_a_refusal_of_the_code_is_told_by_its_cause(desk: Desk, outlook: Outlook, number: int, problem: str) -> None:
    page = desk.sign_in(desk.begin())
    assert page.returned is not None
    _identity(outlook).next_token_problems.append(Problem(number))
    assert desk.back(page.returned)["problem"] == problem
    assert desk.rows() == (0, 0, 0, 0)


def test_a_code_that_was_used_before_is_refused(desk: Desk) -> None:
    first = desk.sign_in(desk.begin()).returned
    assert first is not None
    desk.back(first)
    state = parse_qs(urlsplit(desk.begin()).query)["state"][0]
    assert "problem" in desk.back({**first, "state": state})
    assert desk.rows()[0] == 1


def test_an_account_without_a_mailbox_in_the_cloud_is_told(desk: Desk, outlook: Outlook) -> None:
    person = outlook.person("ana")
    person.mailbox = "onprem"
    outlook.world.mailboxes.pop(person.id)
    assert desk.connect()["problem"] == "mailbox_not_found"
    assert desk.rows() == (0, 0, 0, 0)
    assert not Mailbox.objects.filter(object_id=person.id).exists()


@pytest.mark.parametrize("part", ["before", "between"])
def test_microsoft_out_of_order_is_told(desk: Desk, outlook: Outlook, part: str) -> None:
    if part == "before":
        outlook.stop()
        answer = desk.client.post(BEGIN)
        assert "problem=microsoft_unavailable" in answer.headers["Location"]
    else:
        page = desk.sign_in(desk.begin())
        outlook.stop()
        assert page.returned is not None
        assert desk.back(page.returned)["problem"] == "microsoft_unavailable"
    assert desk.rows()[:2] == (0, 0)


@pytest.mark.parametrize("missing", ["offline_access", "Mail.Read", "Mail.ReadWrite"])
def test_a_sign_in_without_a_permission_that_is_needed_is_refused(
    desk: Desk, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workestra.mail.flows import connect

    monkeypatch.setattr(connect, "SCOPES", tuple(one for one in connect.SCOPES if one != missing))
    told = desk.connect()
    assert told["problem"] == "permission_denied"
    assert desk.rows() == (0, 0, 0, 0)


def test_a_mailbox_of_another_member_is_refused_and_stays_theirs(
    desk: Desk, ben: Member, desk_of: Callable[[Member], Desk]
) -> None:
    desk.connect()
    before, other = desk.rows(), desk_of(ben)
    told = other.connect()
    assert (told["problem"], "connected" in told) == ("already_connected", False)
    assert desk.rows() == before


def test_the_same_mailbox_connects_in_another_workspace(
    desk: Desk, cleo: Member, desk_of: Callable[[Member], Desk]
) -> None:
    desk.connect()
    assert "choose_range" in desk_of(cleo).connect()


def test_reconnecting_with_another_account_leaves_the_row_untouched(desk: Desk, outlook: Outlook) -> None:
    desk.connect()
    with scope(workspace=desk.member.workspace_id):
        row, grant = Connection.objects.get(), Grant.objects.get()
    url = desk.begin(row)
    assert parse_qs(urlsplit(url).query)["login_hint"] == [row.address]
    person = outlook.person("ben")
    desk.visitor.client.close()  # type: ignore[attr-defined]
    with httpx2.Client(trust_env=False, follow_redirects=False) as other:
        page = Visitor(other).sign_in(
            url.replace(person.address, "").replace("login_hint=", "x="),
            address=person.address,
            password=person.password,
        )
    assert page.returned is not None
    assert desk.back(page.returned)["problem"] == "wrong_account"
    assert desk.rows() == (1, 1, 0, 1)
    with scope(workspace=desk.member.workspace_id):
        again = Grant.objects.get()
        assert (again.version, bytes(again.refresh_sealed or b"")) == (
            grant.version,
            bytes(grant.refresh_sealed or b""),
        )
        assert Connection.objects.get().address == row.address
    assert not Mailbox.objects.filter(object_id=person.id).exists()


def test_reconnecting_renews_the_row_in_place_and_the_held_backfill_goes_on(desk: Desk, outlook: Outlook) -> None:
    outlook.history(count=30)
    desk.connect()
    with scope(workspace=desk.member.workspace_id):
        row = Connection.objects.select_related("owner").get()
    work(row)
    start(row)
    address = outlook.person("ana").address
    outlook.world.tokens.revoke(address)  # type: ignore[attr-defined]
    outlook.world.tokens.expire_access(address)  # type: ignore[attr-defined]
    work(row)
    assert (hands.fresh(row).state, backfill(row).state) == ("sign_in", "held")
    told = desk.connect(reconnects=row)
    assert "problem" not in told
    after = hands.fresh(row)
    assert (after.state, after.error_code, after.connected_at) == ("active", "", row.connected_at)
    assert desk.rows() == (1, 1, 0, 1)
    work(row)
    assert backfill(row).state == "done"
    assert differences(outlook, row, "ana") == []
