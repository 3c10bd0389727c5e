"""Every address of the product, asked by somebody who has no business there (SEC 5, REC 6).

Cleo sits in another workspace, Ben is Ana's teammate; both know all of Ana's ids. An address that is not in the
table below fails the test: whoever adds one says here what a stranger gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from tests.sandboxes import Outlook, ref_of, run

from m365sandbox.letters import Enclosure
from workestra.kit import clock
from workestra.mail.doors import connections
from workestra.mail.flows.history import history
from workestra.mail.flows.pull import pull
from workestra.mail.models import Backfill, Connection, Message, SyncRun
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

SUBJECT = "The price of the lighthouse"
OPEN = {"mail:graph-notices", "entry:home", "entry:login", "entry:logout"}
OPEN |= {"entry:theme", "entry:density"}  # appearance, which the sign-in page has, too
POSTED = {"connections:begin", "connections:history", "connections:skip", "connections:steer", "connections:sync"}
POSTED |= {"inbox:read", "inbox:split", "inbox:merge"}
POSTED |= {"entry:logout", "entry:theme", "entry:density", "mail:graph-notices"}
OWN = {"inbox:list", "inbox:count", "connections:integrations", "connections:mark", "connections:outlook"}
OWN |= {"entry:profile", "events", "connections:begin", "connections:callback"}
PARTS = {"connections:check"}  # of a page, which leads to that page when opened as one
FOREIGN: dict[str, tuple[str, ...]] = {
    "mail:body": ("message_id",),
    "mail:attachment": ("message_id", "index"),
    "mail:inline": ("message_id", "content_id"),
    "inbox:row": ("thread_id",),
    "inbox:thread": ("thread_id",),
    "inbox:read": ("thread_id",),
    "inbox:refusal": ("thread_id",),
    "inbox:split": ("thread_id",),
    "inbox:merge": ("thread_id",),
    "inbox:choices": ("thread_id",),
    "connections:row": ("connection_id",),
    "connections:one": ("connection_id",),
    "connections:check": ("connection_id",),
    "connections:backfill": ("connection_id",),
    "connections:history": ("connection_id",),
    "connections:skip": ("connection_id",),
    "connections:steer": ("connection_id", "backfill_id", "verb"),
    "connections:sync": ("connection_id",),
    "connections:run": ("connection_id", "run_id"),
}


@dataclass(frozen=True)
class Hers:
    """What Ana has, and everybody knows the ids of."""

    connection: Connection
    ids: dict[str, Any]


def _names(patterns: list[Any], space: str = "") -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from _names(one.url_patterns, f"{space}{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern):
            yield f"{space}{one.name}"


NAMES = sorted(set(_names(get_resolver().url_patterns)))


@pytest.fixture
def hers(ana: Member, outlook: Outlook) -> Hers:
    picture = Enclosure(
        name="lighthouse.png",
        content_type="image/png",
        size=4,
        content=lambda: b"\x89PNG",
        content_id="lamp",
        is_inline=True,
    )
    item = outlook.deliver(subject=SUBJECT, enclosures=(picture,))
    connection = outlook.connect(ana)
    with scope(workspace=ana.workspace_id):
        connections.start_backfill(member=ana, connection_id=connection.pk, choice="30d", now=clock.now())
    run(history(ref=ref_of(connection)))
    run(pull(ref=ref_of(connection)))
    with scope(workspace=ana.workspace_id):
        message = Message.objects.get(immutable_id=outlook.mailbox("ana").immutable_id(item))
        return Hers(
            connection,
            {
                "message_id": message.pk,
                "thread_id": message.thread_id,
                "index": 0,
                "content_id": "lamp",
                "connection_id": connection.pk,
                "backfill_id": Backfill.objects.get(connection=connection).pk,
                "run_id": SyncRun.objects.filter(connection=connection).latest("id").pk,
                "verb": "pause",
            },
        )


@pytest.fixture(params=["cleo", "ben"])
def stranger(request: pytest.FixtureRequest) -> Member:
    """Of another workspace, or a teammate: mail is its owner's alone."""
    member: Member = request.getfixturevalue(request.param)
    return member


def _address(name: str, ids: dict[str, Any]) -> str:
    return reverse(name, kwargs={key: ids[key] for key in FOREIGN.get(name, ())})


def _ask(client: Client, name: str, ids: dict[str, Any], **more: Any) -> Any:
    method = client.post if name in POSTED else client.get
    return method(_address(name, ids), {"choice": "all", "theme": "dark", "density": "compact", **more})


def _leaks(answer: Any, hers: Hers) -> list[str]:
    text = f"{answer.headers} " + ("" if answer.streaming else answer.content.decode(errors="replace"))
    return [one for one in (SUBJECT, "lighthouse", hers.connection.address) if one in text]


def _rows(hers: Hers) -> list[Any]:
    with scope(workspace=hers.connection.workspace_id):
        return [
            list(kind.objects.filter(pk=pk).values())
            for kind, pk in (
                (Connection, hers.connection.pk),
                (Backfill, hers.ids["backfill_id"]),
                (Message, hers.ids["message_id"]),
            )
        ] + [SyncRun.objects.filter(connection=hers.connection).count()]


def test_every_address_says_here_what_a_stranger_gets() -> None:
    assert set(NAMES) == OPEN | OWN | set(FOREIGN)


def test_her_own_ids_open_for_ana(hers: Hers, ana: Member, client_for: Callable[[Member], Client]) -> None:
    client = client_for(ana)
    for name in sorted(set(FOREIGN) - POSTED - {"mail:attachment", "mail:inline"} - PARTS):
        assert _ask(client, name, hers.ids).status_code == 200, name
    part = client_for(ana)
    part.defaults["HTTP_HX_REQUEST"] = "true"
    for name in PARTS:
        assert _ask(part, name, hers.ids).status_code == 200, name
    assert SUBJECT in _ask(client, "inbox:thread", hers.ids).content.decode()


def test_what_is_anas_is_not_there_for_a_stranger(
    hers: Hers, stranger: Member, client_for: Callable[[Member], Client]
) -> None:
    page, fragment = client_for(stranger), client_for(stranger)
    fragment.defaults["HTTP_HX_REQUEST"] = "true"
    before = _rows(hers)
    for name in sorted(FOREIGN):
        for client in (page, fragment):
            answer = _ask(client, name, hers.ids)
            assert answer.status_code == 404, name
            assert _leaks(answer, hers) == [], name
        assert _rows(hers) == before, name


def test_a_strangers_own_page_shows_nothing_of_anas(
    hers: Hers, stranger: Member, client_for: Callable[[Member], Client]
) -> None:
    pk = hers.connection.pk
    known = {"choose_range": pk, "connected": pk, "mailbox": pk, "thread": hers.ids["thread_id"]}
    for name in sorted(OWN - {"events", "connections:begin"}):
        answer = _ask(client_for(stranger), name, hers.ids, **known)
        assert answer.status_code in (200, 302), name
        assert _leaks(answer, hers) == [], name


def test_reconnecting_anas_mailbox_does_not_tell_a_stranger_whose_it_is(
    hers: Hers, stranger: Member, client_for: Callable[[Member], Client]
) -> None:
    answer = _ask(client_for(stranger), "connections:begin", hers.ids, connection_id=hers.connection.pk)
    assert answer.status_code == 302
    assert "login_hint" not in answer.headers["Location"]
    assert _leaks(answer, hers) == []


def test_anas_ids_do_not_open_next_to_ones_own_connection(
    hers: Hers, cleo: Member, outlook: Outlook, client_for: Callable[[Member], Client]
) -> None:
    mine = outlook.connect(cleo, "cleo")
    client, before = client_for(cleo), _rows(hers)
    ids = {**hers.ids, "connection_id": mine.pk}
    assert _ask(client, "connections:run", ids).status_code == 404
    for verb in ("pause", "resume", "cancel", "dismiss"):
        answer = _ask(client, "connections:steer", {**ids, "verb": verb})
        assert _leaks(answer, hers) == []
    assert _rows(hers) == before


def test_without_a_sign_in_every_address_leads_to_the_login_page(hers: Hers) -> None:
    before = _rows(hers)
    for name in sorted({*OWN, *FOREIGN}):
        answer = _ask(Client(), name, hers.ids)
        assert answer.status_code == 302, name
        assert answer.headers["Location"].startswith("/login?next=/"), name
    assert _rows(hers) == before


def test_looking_changes_nothing_and_what_changes_something_takes_a_post(
    hers: Hers, ana: Member, client_for: Callable[[Member], Client]
) -> None:
    before, mine = _rows(hers), client_for(ana)
    for name in sorted(POSTED):
        for client in (mine, Client()):
            assert client.get(_address(name, hers.ids)).status_code == 405, name
    for name in sorted({*OWN, *FOREIGN} - POSTED - {"events", "mail:attachment", "mail:inline"}):
        assert _ask(mine, name, hers.ids).status_code in (200, 204, 302), name
    assert _rows(hers) == before


def test_a_post_from_another_site_is_refused(hers: Hers, ana: Member) -> None:
    before = _rows(hers)
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana.user)
    for name in sorted(POSTED - {"mail:graph-notices"}):
        assert _ask(client, name, hers.ids).status_code == 403, name
    assert _rows(hers) == before


def test_a_member_whose_seat_was_taken_away_gets_nothing(
    hers: Hers, ben: Member, client_for: Callable[[Member], Client]
) -> None:
    client = client_for(ben)
    assert client.get("/inbox").status_code == 200
    ben.delete()
    assert client.get("/inbox").status_code == 403


def test_a_person_who_was_switched_off_is_signed_out_at_once(
    ana: Member, client_for: Callable[[Member], Client]
) -> None:
    client = client_for(ana)
    ana.user.is_active = False
    ana.user.save()
    assert client.get("/inbox").headers["Location"].startswith("/login")


def test_a_person_with_two_seats_sees_one_workspace_at_a_time(
    hers: Hers, ana: Member, cleo: Member, client_for: Callable[[Member], Client]
) -> None:
    Member.objects.create(workspace=cleo.workspace, user=ana.user)
    client = client_for(ana)
    session = client.session
    session["workspace"] = cleo.workspace_id
    session.save()
    assert _ask(client, "inbox:thread", hers.ids).status_code == 404
    session["workspace"] = ana.workspace_id
    session.save()
    assert _ask(client, "inbox:thread", hers.ids).status_code == 200
