"""The calls for messages: what exactly is asked, and what comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx2
import pytest
from tests.graph.wiring import BASE, Wire, error, ok, sent

from workestra.graph import mail
from workestra.graph.errors import Gone, Refused, SignInNeeded, Throttled, Unreachable
from workestra.graph.wire import Message

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 8, tzinfo=UTC)


async def test_history_page_asks_for_stored_fields_of_a_slice_newest_first() -> None:
    wire = Wire(ok({"value": []}))
    await mail.messages(wire.graph(), folder="AAMk=", since=SINCE, until=UNTIL, size=250)
    url = wire.requests[0].url
    assert url.raw_path.partition(b"?")[0] == b"/v1.0/me/mailFolders/AAMk%3D/messages"
    query = dict(url.params)
    assert query["$filter"] == (
        "receivedDateTime ge 2026-11-01T00:00:00Z and receivedDateTime lt 2026-11-08T00:00:00Z"
    )
    assert query["$orderby"] == "receivedDateTime desc"
    assert query["$top"] == "250"
    assert query["$expand"] == "attachments($select=id,name,contentType,size,isInline)"
    selected = set(query["$select"].split(","))
    assert {"internetMessageHeaders", "body", "flag", "categories", "conversationIndex", "replyTo"} <= selected
    assert "uniqueBody" not in selected
    assert b"+" not in url.raw_path


async def test_selected_fields_are_all_known_to_the_struct() -> None:
    import msgspec

    known = {field.encode_name for field in msgspec.structs.fields(Message)}
    assert set(mail.STORED.split(",")) <= known
    assert set(mail.LIGHT.split(",")) <= known


async def test_history_goes_on_from_a_link_as_it_is() -> None:
    link = f"{BASE}/me/messages?$skip=10"
    wire = Wire(ok({"value": []}))
    await mail.messages(wire.graph(), link=link)
    assert str(wire.requests[0].url) == link


async def test_whole_mailbox_with_an_open_beginning_still_names_the_ordered_property() -> None:
    wire = Wire(ok({"value": []}))
    await mail.messages(wire.graph())
    url = wire.requests[0].url
    assert url.path == "/v1.0/me/messages"
    assert url.params["$filter"] == "receivedDateTime ge 1900-01-01T00:00:00Z"


@pytest.mark.parametrize("root", ["users/sales@example.com", "users/o'brien#1@example.com"])
async def test_shared_mailbox_is_reached_by_its_address(root: str) -> None:
    wire = Wire(ok({"value": []}))
    await mail.received_since(wire.graph(), since=SINCE, root=root)
    path = wire.requests[0].url.raw_path.decode().partition("?")[0]
    assert path == f"/v1.0/users/{mail.segment(root.partition('/')[2])}/mailFolders/inbox/messages"


def test_bounds_are_whole_seconds_in_utc_and_never_too_narrow() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert mail.moment(datetime(2026, 11, 22, 11, 30, 0, 999, tzinfo=east)) == "2026-11-22T06:00:00Z"
    assert mail.moment(datetime(2026, 11, 22, 6, 0, 0, 1, tzinfo=UTC), up=True) == "2026-11-22T06:00:01Z"
    assert mail.moment(datetime(2026, 11, 22, 6, tzinfo=UTC), up=True) == "2026-11-22T06:00:00Z"
    assert mail.between(since=None, until=None).startswith("receivedDateTime ge ")


@pytest.mark.parametrize("body", [{}, {"error": {"code": "x"}}, {"value": None}, []])
async def test_answer_without_a_list_is_no_empty_page(body: object) -> None:
    with pytest.raises(Unreachable):
        await mail.messages(Wire(ok(body)).graph())


async def test_count_reads_the_count_and_not_the_page() -> None:
    wire = Wire(ok({"value": [{"id": "m1"}], "@odata.count": 4711}))
    assert await mail.count(wire.graph(), folder="inbox", since=SINCE) == 4711
    query = dict(wire.requests[0].url.params)
    assert (query["$count"], query["$top"], query["$select"]) == ("true", "1", "id")


@pytest.mark.parametrize("said", [{}, {"@odata.count": None}, {"@odata.count": 0}, {"@odata.count": 1}])
@pytest.mark.parametrize(("more", "number"), [(True, None), (False, 1)])
async def test_a_count_that_is_missing_or_cannot_be_right_is_no_number(
    said: dict[str, Any], more: bool, number: int | None
) -> None:
    link = {"@odata.nextLink": f"{BASE}/me/mailFolders('inbox')/messages?$skip=1"} if more else {}
    assert await mail.count(Wire(ok({"value": [{"id": "m1"}], **said, **link})).graph()) == number


async def test_an_empty_folder_needs_no_count() -> None:
    assert await mail.count(Wire(ok({"value": []})).graph()) == 0


async def test_a_server_that_refuses_to_count_is_not_asked_in_vain() -> None:
    assert await mail.count(Wire(error(400, "ErrorInvalidUrlQuery")).graph()) is None
    with pytest.raises(Refused):
        await mail.count(Wire(error(409, "Conflict")).graph())


async def test_oldest_message_is_asked_for_alone_and_may_be_missing() -> None:
    wire = Wire(ok({"value": [{"id": "m1", "receivedDateTime": "2026-11-01T06:00:00Z"}]}), ok({"value": []}))
    graph = wire.graph()
    assert await mail.oldest(graph, folder="inbox", since=SINCE) == datetime(2026, 11, 1, 6, tzinfo=UTC)
    assert await mail.oldest(graph, folder="inbox") is None
    query = dict(wire.requests[0].url.params)
    assert (query["$orderby"], query["$top"]) == ("receivedDateTime", "1")
    assert query["$filter"] == "receivedDateTime ge 2026-11-01T00:00:00Z"


async def test_delta_is_light_and_newest_first_and_keeps_its_page_size_on_links() -> None:
    link = f"{BASE}/me/mailFolders('inbox')/messages/delta?$skiptoken=x"
    wire = Wire(ok({"value": [], "@odata.nextLink": link}), ok({"value": [], "@odata.deltaLink": link}))
    graph = wire.graph()
    first = await mail.messages_delta(graph, folder="inbox", size=500)
    second = await mail.messages_delta(graph, folder="inbox", link=first.next_link, size=500)
    assert (first.next_link, second.delta_link) == (link, link)
    query = dict(wire.requests[0].url.params)
    assert query["$orderby"] == "receivedDateTime desc"
    assert "body" not in query["$select"].split(",")
    assert "$top" not in query
    assert all("odata.maxpagesize=500" in request.headers["prefer"] for request in wire.requests)


async def test_delta_page_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(Unreachable):
        await mail.messages_delta(Wire(ok({"value": [{"id": "a"}]})).graph(), folder="inbox")


@pytest.mark.parametrize("message_id", ["AAMkAD=", "../../subscriptions", "a/b", "a?b#c", "\r\nX: y", "é", ""])
async def test_hostile_message_id_stays_one_segment_or_does_not_leave(message_id: str) -> None:
    wire = Wire(ok({"id": "m"}))
    try:
        await mail.message(wire.graph(), message_id=message_id)
    except Refused as error:
        assert error.code == "ErrorInvalidIdMalformed"
        assert wire.requests == []
        return
    path = wire.requests[0].url.raw_path.decode().partition("?")[0]
    assert path.count("/") == 4
    assert path.startswith("/v1.0/me/messages/")


def batched(outcomes: dict[str, dict[str, Any]]) -> Wire:
    """Answers each inner GET by the message id in its url, in reverse order."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        responses = []
        for item in reversed(sent(request)["requests"]):
            name = item["url"].partition("?")[0].rpartition("/")[2]
            inner = outcomes.get(name, {"status": 200, "body": {"id": name}})
            responses.append({"id": item["id"], **inner})
        return ok({"responses": responses})

    return Wire(handler=answer)


async def test_messages_by_id_come_back_under_their_ids_each_with_its_own_outcome() -> None:
    throttled = {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"code": "ApplicationThrottled"}}}
    gone = {"status": 404, "body": {"error": {"code": "ErrorItemNotFound", "message": "x"}}}
    wire = batched({"m3": throttled, "m5": gone})
    found = await mail.messages_by_id(wire.graph(), message_ids=[f"m{n}" for n in range(45)] + ["m1"])
    assert list(found) == [f"m{n}" for n in range(45)]
    assert [len(sent(request)["requests"]) for request in wire.requests] == [20, 20, 5]
    ids = {key: one.id for key, one in found.items() if isinstance(one, Message)}
    assert ids == {f"m{n}": f"m{n}" for n in range(45) if n not in {3, 5}}
    assert isinstance(found["m3"], Throttled)
    assert found["m3"].retry_after == 7
    assert isinstance(found["m5"], Gone)


async def test_id_that_can_be_none_does_not_spoil_the_batch() -> None:
    wire = batched({})
    found = await mail.messages_by_id(wire.graph(), message_ids=["a", "../../subscriptions", "", "b"])
    assert list(found) == ["a", "../../subscriptions", "", "b"]
    assert [isinstance(one, Message) for one in found.values()] == [True, False, False, True]
    assert isinstance(found[""], Refused)
    assert len(sent(wire.requests[0])["requests"]) == 2


async def test_every_request_of_a_batch_asks_for_immutable_ids() -> None:
    wire = batched({})
    await mail.messages_by_id(wire.graph(), message_ids=["a", "b"])
    requests = sent(wire.requests[0])["requests"]
    assert [item["headers"]["Prefer"] for item in requests] == ['IdType="ImmutableId"'] * 2
    assert all(item["url"].startswith("/me/messages/") for item in requests)


async def test_no_ids_ask_nothing() -> None:
    wire = batched({})
    assert await mail.messages_by_id(wire.graph(), message_ids=[]) == {}
    assert wire.requests == []


async def test_read_state_is_patched_and_nothing_else() -> None:
    wire = Wire(ok({"id": "m1", "isRead": True, "changeKey": "CQ2"}))
    answer = await mail.mark_read(wire.graph(), message_id="m1", is_read=True)
    request = wire.requests[0]
    assert (request.method, request.url.path, sent(request)) == ("PATCH", "/v1.0/me/messages/m1", {"isRead": True})
    assert answer.change_key == "CQ2"


async def test_read_state_of_many_is_patched_in_one_request() -> None:
    gone = {"status": 404, "body": {"error": {"code": "ErrorItemNotFound"}}}
    wire = batched({"m2": gone})
    found = await mail.mark_many_read(wire.graph(), message_ids=["m1", "m2"], is_read=False)
    items = sent(wire.requests[0])["requests"]
    assert [(item["method"], item["body"]) for item in items] == [("PATCH", {"isRead": False})] * 2
    assert isinstance(found["m1"], Message)
    assert isinstance(found["m2"], Gone)


async def test_batch_lost_as_a_whole_raises() -> None:
    with pytest.raises(Throttled):
        await mail.messages_by_id(Wire(error(429, retry_after="3")).graph(), message_ids=["a"])


async def test_spurious_401_inside_a_batch_is_asked_once_more() -> None:
    refused_once = set()

    def answer(request: httpx2.Request) -> httpx2.Response:
        responses = []
        for item in sent(request)["requests"]:
            name = item["url"].partition("?")[0].rpartition("/")[2]
            if name == "b" and name not in refused_once:
                refused_once.add(name)
                responses.append({"id": item["id"], "status": 401, "body": {"error": {"code": "x"}}})
            else:
                responses.append({"id": item["id"], "status": 200, "body": {"id": name}})
        return ok({"responses": responses})

    wire = Wire(handler=answer)
    found = await mail.messages_by_id(wire.graph(), message_ids=["a", "b", "c"])
    assert all(isinstance(one, Message) for one in found.values())
    assert [len(sent(request)["requests"]) for request in wire.requests] == [3, 1]


async def test_batch_in_which_all_are_told_to_sign_in_asks_for_a_sign_in() -> None:
    inner = {"status": 401, "body": {"error": {"code": "InvalidAuthenticationToken"}}}
    with pytest.raises(SignInNeeded):
        await mail.messages_by_id(batched({"a": inner, "b": inner}).graph(), message_ids=["a", "b"])


async def test_answer_missing_from_a_batch_is_unreachable_not_gone() -> None:
    found = await mail.messages_by_id(Wire(ok({"responses": []})).graph(), message_ids=["a"])
    assert isinstance(found["a"], Unreachable)


async def test_base64_body_inside_a_batch_is_understood() -> None:
    import base64

    body = base64.b64encode(b'{"id":"a"}').decode()
    wire = Wire(ok({"responses": [{"id": "0", "status": 200, "body": body}]}))
    found = await mail.messages_by_id(wire.graph(), message_ids=["a"])
    assert isinstance(found["a"], Message)


async def test_odd_body_inside_a_batch_hurts_only_itself() -> None:
    found = await mail.messages_by_id(
        batched({"a": {"status": 200, "body": []}, "b": {"status": 200}}).graph(), message_ids=["a", "b", "c"]
    )
    assert isinstance(found["a"], Unreachable)
    assert isinstance(found["b"], Unreachable)
    assert isinstance(found["c"], Message)
