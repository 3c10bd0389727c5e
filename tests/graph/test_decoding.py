"""Odd mail does not cost a page of mail; a broken answer is never taken for a whole one."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workestra.graph.decoding import decode, unpacked
from workestra.graph.errors import TooLarge, Unreachable
from workestra.graph.wire import (
    BatchAnswer,
    FolderPage,
    Message,
    MessagePage,
    NotificationBatch,
    Subscription,
)


def page(body: bytes) -> MessagePage:
    return decode(body=body, kind=MessagePage)


def one(text: str) -> Message:
    (message,) = page(b'{"value":[{"id":"m1",' + text.encode() + b"}]}").value
    return message


def test_message_is_read_with_all_that_is_stored_of_it() -> None:
    message = one(
        """
        "@odata.etag":"W/\\"CQ\\"","changeKey":"CQ","parentFolderId":"f","conversationId":"c","subject":"Hé",
        "receivedDateTime":"2026-11-22T06:00:00Z","sentDateTime":"2026-11-22T07:00:00.1234567+01:00",
        "from":{"emailAddress":{"name":"Ana","address":"ana@example.com"}},"toRecipients":[],
        "internetMessageHeaders":[{"name":"References","value":"<a@b>"}],"unknownField":{"x":1},
        "body":{"contentType":"html","content":"<p>x</p>"},"flag":{"flagStatus":"flagged"},"bccRecipients":null,
        "attachments":[{"@odata.type":"#microsoft.graph.itemAttachment","id":"a1","size":10,"isInline":false}]
        """
    )
    assert message.received_date_time == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert message.sent_date_time == datetime(2026, 11, 22, 6, 0, 0, 123457, tzinfo=UTC)
    assert message.from_ is not None and message.from_.email_address is not None
    assert message.from_.email_address.address == "ana@example.com"
    assert message.to_recipients == []
    assert message.bcc_recipients is None
    assert message.removed is None
    assert message.attachments is not None and message.attachments[0].kind == "item"
    assert message.internet_message_headers is not None
    assert message.internet_message_headers[0].value == "<a@b>"


def test_tombstone_is_told_apart_from_a_message() -> None:
    assert one('"@removed":{"reason":"deleted"}').removed is not None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("#microsoft.graph.fileAttachment", "file"),
        ("#microsoft.graph.itemAttachment", "item"),
        ("#microsoft.graph.referenceAttachment", "reference"),
        (None, "file"),
    ],
)
def test_attachment_knows_its_kind(kind: str | None, expected: str) -> None:
    message = one(f'"attachments":[{{"id":"a","@odata.type":{json.dumps(kind)}}}]')
    assert message.attachments is not None
    assert message.attachments[0].kind == expected


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b'"cut \\ud83d"', "cut \ufffd"),
        (b'"\\ude00 tail"', "\ufffd tail"),
        (b'"whole \\ud83d\\ude00 pair"', "whole \U0001f600 pair"),
        (b'"two \\ud83d\\ud83d\\ude00"', "two \ufffd\U0001f600"),
        (b'"backslash \\\\ud83d stays \\udfff"', "backslash \\ud83d stays \ufffd"),
        (b'"latin \xe9"', "latin \ufffd"),
        (b'"cesu \xed\xa0\xbd"', "cesu \ufffd\ufffd\ufffd"),
    ],
)
def test_text_that_is_no_unicode_is_replaced_not_refused(raw: bytes, subject: str) -> None:
    messages = page(b'{"value":[{"id":"m1","subject":' + raw + b'},{"id":"m2","subject":"fine"}]}').value
    assert [message.subject for message in messages] == [subject, "fine"]


def test_byte_order_mark_is_no_obstacle() -> None:
    assert page(b'\xef\xbb\xbf{"value":[{"id":"m1"}]}').value[0].id == "m1"


@pytest.mark.parametrize(
    "odd",
    [
        '"receivedDateTime":"tomorrow"',
        '"receivedDateTime":"2026-11-22T06:00:00"',
        '"receivedDateTime":"9999-12-31T23:59:59.9999999Z"',
        '"flag":"red"',
        '"subject":5',
        '"body":[]',
        '"isRead":"yes"',
        '"toRecipients":{"a":1}',
        '"toRecipients":[null,5,"x"]',
        '"categories":[{"a":1}]',
        '"from":{"emailAddress":{"name":5,"address":[]}}',
        '"attachments":[{"name":"no id"},{"id":5}]',
        '"internetMessageHeaders":[{"name":1,"value":{}}]',
    ],
)
def test_value_that_does_not_fit_is_left_out_and_the_rest_is_kept(odd: str) -> None:
    message = one(f'{odd},"changeKey":"CQ"')
    assert (message.id, message.change_key) == ("m1", "CQ")
    assert message.received_date_time is None
    assert message.subject is None


def test_good_recipients_survive_a_bad_neighbour() -> None:
    message = one('"toRecipients":[5,{"emailAddress":{"address":"a@b.c"}},null]')
    assert message.to_recipients is not None
    assert [r.email_address.address for r in message.to_recipients if r.email_address] == ["a@b.c"]


def test_page_where_every_message_is_odd_is_read_whole() -> None:
    many = [{"id": f"m{n}", "receivedDateTime": "?", "flag": 1} for n in range(500)]
    assert len(page(json.dumps({"value": many}).encode()).value) == 500


@pytest.mark.parametrize(
    "body",
    [
        b'{"value":[{"id":5}]}',
        b'{"value":[{"subject":"x"}]}',
        b'{"value":[null]}',
        b'{"value":[{"id":"a","@removed":"yes"}]}',
        b'{"value":[],"@odata.nextLink":5}',
        b'{"value":"x"}',
        b'{"value":[{"id":"a","subject":"cut \\ud83d',
        b"null",
        b"5",
    ],
)
def test_what_must_be_there_is_never_made_up(body: bytes) -> None:
    with pytest.raises(Unreachable):
        page(body)


WHOLE = json.dumps(
    {
        "@odata.context": "x",
        "value": [{"id": "m1", "subject": "Hé \U0001f600", "categories": ["a"], "isRead": True}, {"id": "m2"}],
        "@odata.nextLink": "https://graph.example/v1.0/me/messages?x",
    }
).encode()


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_page_cut_at_any_byte_is_refused(length: int) -> None:
    with pytest.raises(Unreachable):
        page(WHOLE[:length])


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["subject", "from", "body", "flag", "receivedDateTime", "toRecipients", "attachments", "isRead", "categories"]
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(fields, json_values, max_size=6), max_size=4))
def test_messages_of_any_shape_keep_their_ids_and_order(messages: list[dict[str, object]]) -> None:
    body = json.dumps({"value": [{**message, "id": str(n)} for n, message in enumerate(messages)]}).encode()
    assert [message.id for message in page(body).value] == [str(n) for n in range(len(messages))]


@settings(deadline=None)
@given(json_values, st.sampled_from([MessagePage, FolderPage, BatchAnswer, Subscription, NotificationBatch]))
def test_any_json_is_an_answer_or_unreachable(value: object, kind: type[object]) -> None:
    try:
        answer = decode(body=json.dumps(value).encode(), kind=kind)
    except Unreachable:
        return
    assert isinstance(answer, kind)


def test_notices_and_lifecycle_events_are_read_from_one_mixed_body() -> None:
    body = {
        "value": [
            {
                "subscriptionId": "s1",
                "clientState": "x",
                "changeType": "created",
                "resource": "Users/u/Messages/m",
                "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "id": "m"},
                "tenantId": "t",
                "subscriptionExpirationDateTime": "2026-11-28T11:30:00+05:30",
            },
            {"subscriptionId": "s1", "clientState": "x", "lifecycleEvent": "missed", "tenantId": "t"},
        ]
    }
    change, event = decode(body=json.dumps(body).encode(), kind=NotificationBatch).value
    assert change.resource_data is not None and change.resource_data.id == "m"
    assert (event.lifecycle_event, event.resource_data) == ("missed", None)


def test_structs_are_left_alone_by_the_garbage_collector() -> None:
    import gc

    message = one('"subject":"x"')
    assert not gc.is_tracked(message)
    assert isinstance(message, msgspec.Struct)


@pytest.mark.parametrize("odd", [b'"subject":"half \\ud83d"', b'"subject":"\xff\xfe"', b'"toRecipients":[null]'])
def test_one_odd_message_in_a_batch_costs_none_of_the_others(odd: bytes) -> None:
    body = b'{"responses":[{"id":"0","status":200,"body":{"id":"a",%s}},{"id":"1","status":200,"body":{"id":"b"}}]}'
    answers = decode(body=body % odd, kind=BatchAnswer).responses
    assert [decode(body=bytes(answer.body), kind=Message).id for answer in answers] == ["a", "b"]


def test_an_odd_value_before_text_that_is_no_unicode_costs_neither_message() -> None:
    body = b'{"value":[{"id":"a","toRecipients":[null]},{"id":"b","subject":"half \\ud83d"}]}'
    assert [message.id for message in page(body).value] == ["a", "b"]


def test_an_odd_header_in_a_batch_costs_the_header_alone() -> None:
    body = b'{"responses":[{"id":"0","status":200,"headers":{"Retry-After":5},"body":{"id":"a"}}]}'
    (answer,) = decode(body=body, kind=BatchAnswer).responses
    assert decode(body=bytes(answer.body), kind=Message).id == "a"


PLAIN = b'{"value": []}' * 5000


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, len(PLAIN)), max_size=3))
def test_an_answer_in_one_or_several_gzip_members_is_unpacked_whole(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(PLAIN)]
    members = [gzip.compress(PLAIN[low:high]) for low, high in pairwise(edges)]
    assert unpacked(body=b"".join(members), cap=len(PLAIN)) == PLAIN


def test_padding_after_the_last_member_is_no_obstacle() -> None:
    assert unpacked(body=gzip.compress(PLAIN) + b"\0" * 512, cap=len(PLAIN)) == PLAIN


@settings(deadline=None)
@given(length=st.integers(1, len(gzip.compress(PLAIN)) - 1))
def test_gzip_cut_at_any_byte_is_refused(length: int) -> None:
    with pytest.raises(Unreachable):
        unpacked(body=gzip.compress(PLAIN)[:length], cap=len(PLAIN))


@pytest.mark.parametrize(
    "body",
    [b"<html>proxy</html>", zlib.compress(PLAIN), gzip.compress(PLAIN) + b"rubbish", b"\x1f\x8b\x08"],
    ids=["html", "deflate", "rubbish", "three-bytes"],
)
def test_what_is_no_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(Unreachable):
        unpacked(body=body, cap=len(PLAIN))


def test_a_flipped_bit_is_refused() -> None:
    body = bytearray(gzip.compress(PLAIN))
    body[-6] ^= 1  # in the checksum
    with pytest.raises(Unreachable):
        unpacked(body=bytes(body), cap=len(PLAIN))


@pytest.mark.parametrize("members", [1, 3])
def test_an_answer_above_the_cap_is_too_large_and_never_inflated_further(members: int) -> None:
    bomb = gzip.compress(b"0" * (64 << 20) if members == 1 else PLAIN) * members
    with pytest.raises(TooLarge):
        unpacked(body=bomb, cap=len(PLAIN) * members - 1)
