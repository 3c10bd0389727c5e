"""Over real sockets: a cut line, a writer in another thread, and notices over TLS that is verified."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.contract.graph.stagecraft import ALL_SCOPES, ANA, FakeAccess, letter

from m365sandbox import app as sandbox
from m365sandbox.faults import Fault
from m365sandbox.people import Person
from m365sandbox.server import Handle, Tls, serve_app_in_thread
from m365sandbox.world import World


class Receiver:
    """A notification endpoint on a socket of its own."""

    def __init__(self, *, tls: Tls | None) -> None:
        self.notices: list[dict[str, Any]] = []
        self.came = threading.Semaphore(0)

        async def hook(request: Request) -> Response:
            if "validationToken" in request.query_params:
                return PlainTextResponse(parse_qs(request.url.query)["validationToken"][0])
            for notice in (await request.json())["value"]:
                self.notices.append(notice)
                self.came.release()
            return Response(status_code=202)

        self.handle = serve_app_in_thread(Starlette(routes=[Route("/hook", hook, methods=["POST"])]), tls=tls)


@pytest.fixture
def world() -> World:
    return sandbox.create_world(5, small=True)


@pytest.fixture
def served(world: World) -> Iterator[Handle]:
    handle = sandbox.serve_in_thread(world)
    yield handle
    handle.stop()


def person(world: World) -> Person:
    """Ana."""
    return next(one for one in world.directory.people.values() if one.address.startswith(f"{ANA}@"))


def token(world: World) -> dict[str, str]:
    """The header of Ana's token, as issued by the sandbox itself."""
    tokens: Any = world.tokens
    access, _ = tokens.issue_access(person=person(world), app_id="app", scopes=ALL_SCOPES)
    return {"Authorization": f"Bearer {access}"}


def subscribe(handle: Handle, headers: dict[str, str], url: str) -> httpx2.Response:
    expires = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    return httpx2.post(
        f"{handle.url}/v1.0/subscriptions",
        headers=headers,
        trust_env=False,
        timeout=20,
        json={
            "changeType": "created",
            "notificationUrl": url,
            "resource": "me/mailFolders('inbox')/messages",
            "expirationDateTime": expires,
            "clientState": "s",
        },
    )


def test_cut_line_is_a_transport_error(world: World, served: Handle) -> None:
    world.faults.add(Fault("mailFolders", "cut"))
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(f"{served.url}/v1.0/me/mailFolders", headers=token(world), trust_env=False)
    fine = httpx2.get(f"{served.url}/v1.0/me/mailFolders", headers=token(world), trust_env=False)
    assert fine.status_code == 200


@pytest.mark.parametrize("secure", [False, True])
def test_notice_of_a_letter_delivered_by_another_thread_arrives(world: World, served: Handle, secure: bool) -> None:
    tls = Tls.create() if secure else None
    receiver = Receiver(tls=tls)
    try:
        if tls is not None:
            refused = subscribe(served, token(world), f"{receiver.handle.url}/hook")
            assert refused.status_code == 400, "an authority that nobody vouched for must not do"
            world.trust(str(tls.ca_path))
        assert subscribe(served, token(world), f"{receiver.handle.url}/hook").status_code == 201
        box = world.mailbox_of(person(world).address)
        assert box is not None
        for _ in range(20):
            box.deliver(letter())
        for _ in range(20):
            assert receiver.came.acquire(timeout=5)
        assert {n["changeType"] for n in receiver.notices} == {"created"}
    finally:
        receiver.handle.stop()


def test_many_threads_write_while_the_server_reads(world: World, served: Handle) -> None:
    box = world.mailbox_of(person(world).address)
    assert box is not None
    before = len(box)

    def write() -> None:
        for _ in range(150):
            box.move(box.deliver(letter()), "archive")

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    headers = token(world)
    with httpx2.Client(trust_env=False, headers=headers) as http:
        while any(thread.is_alive() for thread in threads):
            assert http.get(f"{served.url}/v1.0/me/messages?$top=100&$select=subject").status_code == 200
        count = http.get(f"{served.url}/v1.0/me/messages/$count").text
    assert int(count) == len(box) == before + 450


def test_access_of_the_stage_matches_the_contract() -> None:
    """The fake of the other tests has what the identity half's access has."""
    world = sandbox.create_world(5, small=True)
    tokens: Any = world.tokens
    text, _ = tokens.issue_access(person=person(world), app_id="app", scopes=ALL_SCOPES)
    real = tokens.check(text)
    for name in FakeAccess.__dataclass_fields__:
        assert hasattr(real, name), name
