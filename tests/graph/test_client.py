"""One request: what it carries, where it may go, and that links are used as Graph wrote them."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from tests.graph.wiring import BASE, NOW, Tokens, Wire, error, ok

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, Gone, Unreachable
from workestra.graph.wire import MessagePage

LINK = f"{BASE}/me/mailFolders('AQMk=')/messages/delta?$skiptoken=aB%2fC%2BD-_~'x'(y)|z!*;,"


async def test_every_request_asks_for_immutable_ids_and_gzip_and_names_itself() -> None:
    wire = Wire(ok({"value": [], "@odata.deltaLink": LINK}))
    await mail.messages_delta(wire.graph(), folder="inbox", size=50)
    headers = wire.requests[0].headers
    assert headers["prefer"] == 'IdType="ImmutableId", odata.maxpagesize=50'
    assert headers["accept-encoding"] == "gzip"
    assert headers["client-request-id"] == "client-id"
    assert headers["authorization"] == "Bearer t1"
    assert "cookie" not in headers


async def test_every_wait_is_bounded() -> None:
    wire = Wire(ok({"id": "me"}))
    await mail.me(wire.graph())
    timeout = wire.requests[0].extensions["timeout"]
    assert set(timeout) == {"connect", "read", "write", "pool"}
    assert all(0 < seconds <= 60 for seconds in timeout.values())


class Dripping(httpx2.AsyncByteStream):
    """A body that comes for ever, one space at a time."""

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        while True:
            yield b" "
            await asyncio.sleep(0.001)


async def test_answer_that_drips_for_ever_is_given_up() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Dripping())

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer), trust_env=False)
    graph = Graph(base_url=BASE, tokens=Tokens(), http=http, deadline=0.05)
    with pytest.raises(Unreachable) as caught:
        await mail.me(graph)
    assert caught.value.code == "timeout"


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        f"{BASE}/users('a%40b.com')/mailFolders('x')/messages?%24skip=10&$filter=receivedDateTime+ge+2020",
        f"{BASE}/me/mailFolders/AQ%3D/messages/microsoft.graph.delta()?$deltatoken=[1]{{2}}^`",
    ],
)
async def test_link_is_followed_byte_for_byte(link: str) -> None:
    wire = Wire(ok({"value": []}))
    await wire.graph().follow(link=link, kind=MessagePage)
    request = wire.requests[0]
    on_the_wire = request.extensions.get("target", request.url.raw_path)
    assert on_the_wire.decode() == link.removeprefix("https://graph.example")
    assert request.headers["prefer"].startswith('IdType="ImmutableId"')


FOREIGN = [
    "https://evil.example/v1.0/me/messages",
    "http://graph.example/v1.0/me/messages",
    "https://graph.example:8443/v1.0/me/messages",
    "https://graph.example.evil.example/v1.0/me/messages",
    "https://graph.example@evil.example/v1.0/me/messages",
    "https://user:secret@graph.example/v1.0/me/messages",
    "https://graph.example\\@evil.example/v1.0/me/messages",
    "https://graph.example/beta/me/messages",
    "https://graph.example/v1.0/../beta/me/messages",
    "https://graph.example/v1.0/me/drive",
    "https://graph.example/v1.0",
    "https://graph.example?x=/v1.0/me/messages",
    "https://graph.example/v1.0/me/messages#frag",
    "https://graph.éxample/v1.0/me/messages",
    "//graph.example/v1.0/me/messages",
    "/v1.0/me/messages",
    "https://[::1/v1.0/me/messages",
    "https://graph.example/v1.0/me/messages\r\nX: y",
    "",
]


@pytest.mark.parametrize("link", FOREIGN)
async def test_stored_link_to_elsewhere_is_never_asked_and_starts_a_new_round(link: str) -> None:
    wire = Wire(ok({"value": []}))
    with pytest.raises(CursorExpired):
        await wire.graph().follow(link=link, kind=MessagePage)
    assert wire.requests == []


@pytest.mark.parametrize("link", [one for one in FOREIGN if one])
@pytest.mark.parametrize("name", ["@odata.nextLink", "@odata.deltaLink"])
async def test_page_that_leads_elsewhere_is_refused_as_it_arrives(name: str, link: str) -> None:
    wire = Wire(ok({"value": [], name: link}))
    with pytest.raises(Unreachable) as caught:
        await mail.messages_delta(wire.graph(), folder="inbox")
    assert caught.value.code == "foreignLink"


async def test_same_host_in_other_case_or_with_its_usual_port_is_ours() -> None:
    graph = Wire(ok({})).graph()
    assert graph.is_ours("https://GRAPH.example:443/v1.0/me/messages")


async def test_base_address_may_be_loopback_with_a_port() -> None:
    wire = Wire(ok({"value": [], "@odata.deltaLink": "http://127.0.0.1:8765/v1.0/me/messages?x=1"}))
    page = await mail.messages_delta(wire.graph(base_url="http://127.0.0.1:8765/v1.0/"), folder="inbox")
    assert page.delta_link == "http://127.0.0.1:8765/v1.0/me/messages?x=1"
    assert str(wire.requests[0].url).startswith("http://127.0.0.1:8765/v1.0/me/mailFolders/inbox/messages/delta?")


async def test_exchange_is_told_without_query_token_or_content() -> None:
    secret = ok({"value": [{"id": "m", "subject": "secret"}], "@odata.deltaLink": LINK}, request_id="r")
    wire = Wire(secret)
    await mail.messages_delta(wire.graph(), folder="inbox")
    (told,) = wire.exchanges
    assert (told.method, told.path, told.status) == ("GET", "/me/mailFolders/inbox/messages/delta", 200)
    assert told.size == len(secret.content)
    assert told.seconds >= 0
    for hidden in ("secret", "t1", "select"):
        assert hidden not in repr(told)


async def test_failures_are_told_too() -> None:
    wire = Wire(httpx2.ReadTimeout("x"))
    with pytest.raises(Unreachable):
        await mail.me(wire.graph())
    assert [told.status for told in wire.exchanges] == [None]
    wire = Wire(error(404))
    with pytest.raises(Gone):
        await mail.me(wire.graph())
    assert [told.status for told in wire.exchanges] == [404]


async def test_error_text_names_the_request_but_never_the_token() -> None:
    wire = Wire(error(404, "ErrorItemNotFound", "gone", request_id="r1"))
    with pytest.raises(Gone) as caught:
        await mail.me(wire.graph())
    assert str(caught.value) == "404 ErrorItemNotFound: gone (request r1)"
    assert "t1" not in repr(caught.value)


def test_moment_of_the_client_is_the_one_it_was_given() -> None:
    assert Wire(ok({})).graph().now == NOW


async def test_arrival_is_told_once_for_an_answer_that_came_whole_and_never_for_an_error() -> None:
    told: list[str] = []
    wire = Wire(ok({"value": []}), error(404, "ErrorItemNotFound"))
    graph = wire.graph()
    await graph.follow(link=LINK, kind=MessagePage, arrived=lambda: told.append("page"))
    assert told == ["page"]
    with pytest.raises(Gone):
        await graph.get(path="/me/messages", kind=MessagePage, arrived=lambda: told.append("error"))
    assert told == ["page"]
