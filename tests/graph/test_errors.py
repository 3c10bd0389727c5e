"""Every way in which Graph says no, or says nothing, ends in the error that tells what to do."""

from __future__ import annotations

import base64
import gzip
import json

import httpx2
import pytest
from tests.graph.wiring import BASE, Wire, error, ok

from workestra.graph import errors, mail
from workestra.graph.errors import GraphError

GZIPPED = {"content-encoding": "gzip"}


async def failure(wire: Wire) -> GraphError:
    with pytest.raises(GraphError) as caught:
        await mail.messages_delta(wire.graph(), folder="inbox")
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "ApplicationThrottled", errors.Throttled),
        (429, "", errors.Throttled),
        (509, "", errors.Throttled),
        (503, "ErrorServerBusy", errors.Throttled),
        (503, "", errors.Unreachable),
        (500, "ErrorInternalServerError", errors.Unreachable),
        (502, "", errors.Unreachable),
        (504, "", errors.TooLarge),
        (408, "", errors.Unreachable),
        (302, "", errors.Unreachable),
        (410, "SyncStateNotFound", errors.CursorExpired),
        (410, "", errors.CursorExpired),
        (404, "syncStateNotFound", errors.CursorExpired),
        (400, "SYNCSTATEINVALID", errors.CursorExpired),
        (409, "resyncRequired", errors.CursorExpired),
        (404, "ErrorItemNotFound", errors.Gone),
        (404, "ErrorFolderNotFound", errors.Gone),
        (404, "", errors.Gone),
        (404, "MailboxNotEnabledForRESTAPI", errors.NoMailbox),
        (404, "ResourceNotFound", errors.NoMailbox),
        (404, "ErrorInvalidUser", errors.NoMailbox),
        (403, "MailboxNotHostedInExchangeOnline", errors.NoMailbox),
        (400, "RESTAPINotEnabledForUser", errors.NoMailbox),
        (403, "ErrorAccessDenied", errors.AccessDenied),
        (403, "ErrorSendAsDenied", errors.AccessDenied),
        (403, "", errors.AccessDenied),
        (403, "ErrorExceededMessageLimit", errors.Refused),
        (429, "ErrorExceededMessageLimit", errors.Refused),
        (400, "InefficientFilter", errors.Refused),
        (413, "requestEntityTooLarge", errors.Refused),
        (507, "ErrorQuotaExceeded", errors.Refused),
        (401, "InvalidAuthenticationToken", errors.SignInNeeded),
    ],
)
async def test_refusal_becomes_the_error_that_says_what_to_do(status: int, code: str, kind: type[GraphError]) -> None:
    caught = await failure(Wire(error(status, code, "why", request_id="r1")))
    assert type(caught) is kind
    assert (caught.status, caught.code, caught.message) == (status, code, "why")
    assert (caught.request_id, caught.client_request_id) == ("r1", "client-id")


async def test_request_id_comes_from_the_body_where_the_header_lacks_it() -> None:
    assert (await failure(Wire(error(404)))).request_id == "r-inner"


async def test_code_of_the_inner_error_counts_where_the_outer_says_nothing_known() -> None:
    body = {"error": {"code": "generic", "message": "", "innererror": {"code": "SyncStateNotFound"}}}
    assert type(await failure(Wire(httpx2.Response(400, json=body)))) is errors.CursorExpired


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("10", None, 10.0),
        ("2.128", None, 2.128),
        ("Sun, 22 Nov 2026 12:00:30 GMT", None, 30.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", "Sun, 22 Nov 2026 12:00:10 GMT", 20.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", None, 0.0),
        ("-5", None, 0.0),
        ("soon", None, None),
        ("nan", None, None),
        ("1e99", None, 86_400.0),
        (None, None, None),
    ],
)
async def test_wait_is_read_as_seconds_decimals_or_date(
    value: str | None, date: str | None, seconds: float | None
) -> None:
    headers = {"retry_after": value} if value else {}
    if date:
        headers["date"] = date
    caught = await failure(Wire(error(429, "TooManyRequests", **headers)))
    assert caught.retry_after == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_server_error_that_names_a_wait_is_throttling(status: int) -> None:
    caught = await failure(Wire(error(status, retry_after="7")))
    assert type(caught) is errors.Throttled
    assert caught.retry_after == 7


@pytest.mark.parametrize(
    "body",
    [
        b'{"value":[{"id":"a"',
        b"<!DOCTYPE html><html><body>Sign in to the Wi-Fi</body></html>",
        b"",
        b"[]",
        b"{}",
        b'{"error":{"code":"x"}}',
        b'{"value":null}',
        b'{"value":[{"subject":"no id"}],"@odata.deltaLink":"' + BASE.encode() + b'/me/messages"}',
        b'{"value":[]}',
        b"[" * 100_000,
    ],
)
async def test_answer_that_is_no_page_is_never_taken_for_an_empty_one(body: bytes) -> None:
    caught = await failure(Wire(httpx2.Response(200, content=body)))
    assert type(caught) is errors.Unreachable


async def test_html_error_page_is_unreachable_not_refused() -> None:
    caught = await failure(Wire(httpx2.Response(502, content=b"<html>Bad gateway</html>")))
    assert type(caught) is errors.Unreachable


async def test_oversized_answer_is_cut_off_as_too_large() -> None:
    wire = Wire(ok({"value": [], "padding": "x" * 5000}))
    with pytest.raises(errors.TooLarge):
        await mail.messages_delta(wire.graph(body_cap=4000), folder="inbox")


async def test_compressed_bomb_is_cut_off_by_its_real_size() -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    wire = Wire(httpx2.Response(200, stream=httpx2.ByteStream(bomb), headers=GZIPPED))
    assert len(bomb) < 20_000
    with pytest.raises(errors.TooLarge):
        await mail.messages_delta(wire.graph(), folder="inbox")


async def test_broken_compression_is_unreachable() -> None:
    wire = Wire(httpx2.Response(200, stream=httpx2.ByteStream(b"not gzip"), headers=GZIPPED))
    assert type(await failure(wire)) is errors.Unreachable


@pytest.mark.parametrize(
    ("cause", "code", "never_left"),
    [
        (httpx2.ConnectTimeout("x"), "timeout", True),
        (httpx2.PoolTimeout("x"), "timeout", True),
        (httpx2.ReadTimeout("x"), "timeout", False),
        (httpx2.ConnectError("x"), "cutLine", True),
        (httpx2.ReadError("x"), "cutLine", False),
        (httpx2.RemoteProtocolError("x"), "cutLine", False),
    ],
)
async def test_line_that_fails_is_unreachable_and_says_whether_anything_left(
    cause: Exception, code: str, never_left: bool
) -> None:
    caught = await failure(Wire(cause))
    assert isinstance(caught, errors.Unreachable)
    assert (caught.code, caught.never_left) == (code, never_left)


async def test_get_is_tried_once_more_when_its_line_died_before_an_answer() -> None:
    page = {"value": [], "@odata.deltaLink": f"{BASE}/me/mailFolders/inbox/messages/delta?t=1"}
    wire = Wire(httpx2.ReadError("reset"), ok(page))
    await mail.messages_delta(wire.graph(), folder="inbox")
    assert len(wire.requests) == 2
    assert len(wire.slept) == 1


async def test_time_out_and_throttling_are_not_tried_again() -> None:
    for answer in (httpx2.ReadTimeout("x"), error(429), error(503), error(500)):
        wire = Wire(answer)
        await failure(wire)
        assert len(wire.requests) == 1


async def test_write_whose_line_died_is_not_tried_again() -> None:
    wire = Wire(httpx2.ReadError("reset"))
    with pytest.raises(errors.Unreachable):
        await mail.mark_read(wire.graph(), message_id="m1", is_read=True)
    assert len(wire.requests) == 1


async def test_gateway_time_out_of_a_write_is_no_reason_to_ask_for_less() -> None:
    wire = Wire(error(504))
    with pytest.raises(errors.Unreachable) as caught:
        await mail.mark_read(wire.graph(), message_id="m1", is_read=True)
    assert type(caught.value) is errors.Unreachable
    assert caught.value.never_left is False


async def test_one_spurious_401_is_healed_by_one_fresh_token() -> None:
    wire = Wire(error(401, "InvalidAuthenticationToken"), ok({"id": "me"}))
    assert (await mail.me(wire.graph())).id == "me"
    assert wire.tokens.stale == ["t1"]
    assert [r.headers["authorization"] for r in wire.requests] == ["Bearer t1", "Bearer t2"]


async def test_second_401_asks_for_a_sign_in() -> None:
    wire = Wire(error(401, "InvalidAuthenticationToken"))
    assert type(await failure(wire)) is errors.SignInNeeded
    assert len(wire.requests) == 2


CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'


@pytest.mark.parametrize(
    "encoded",
    [
        base64.b64encode(CLAIMS.encode()).decode(),
        base64.urlsafe_b64encode(CLAIMS.encode()).decode().rstrip("="),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
async def test_claims_challenge_is_passed_on_decoded_and_not_retried(encoded: str, status: int) -> None:
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{encoded}"'
    headers = [("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", challenge)]
    wire = Wire(httpx2.Response(status, headers=headers, json={"error": {"code": "InvalidAuthenticationToken"}}))
    caught = await failure(wire)
    assert type(caught) is errors.SignInNeeded
    assert json.loads(caught.claims or "") == json.loads(CLAIMS)
    assert len(wire.requests) == 1


async def test_unreadable_claims_still_ask_for_a_sign_in() -> None:
    challenge = 'Bearer error="insufficient_claims", claims="%%%"'
    caught = await failure(Wire(httpx2.Response(403, headers={"WWW-Authenticate": challenge})))
    assert type(caught) is errors.SignInNeeded
    assert caught.claims is None


async def test_redirect_is_not_followed() -> None:
    wire = Wire(httpx2.Response(302, headers={"location": "https://evil.example/"}))
    await failure(wire)
    assert len(wire.requests) == 1


def test_every_error_says_what_to_do_next() -> None:
    def tree(kind: type[GraphError]) -> list[type[GraphError]]:
        return [kind, *(one for child in kind.__subclasses__() for one in tree(child))]

    kinds = tree(GraphError)
    assert {kind.__name__: kind.advice for kind in kinds} == {
        "GraphError": "give up",
        "Throttled": "retry",
        "Unreachable": "retry",
        "TooLarge": "retry",
        "KeptBack": "retry",
        "CursorExpired": "retry",
        "SignInNeeded": "ask",
        "SignInRefused": "ask",
        "AccessDenied": "ask",
        "NoMailbox": "ask",
        "Gone": "give up",
        "Refused": "give up",
        "AlreadySubscribed": "give up",
        "LifeTooLong": "retry",
        "HandshakeFailed": "ask",
        "Forbidden": "give up",
    }
