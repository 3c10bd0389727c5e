"""No request that deletes or moves a person's mail can leave: neither alone nor inside a batch (SYN 8)."""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.graph.wiring import Wire, ok

from workestra.graph import allowlist
from workestra.graph.batch import Ask, batch
from workestra.graph.errors import Forbidden
from workestra.graph.wire import Message

HARMFUL = [
    ("DELETE", "/me/messages/AAA"),
    ("DELETE", "/me/messages('AAA')"),
    ("DELETE", "/me/mailFolders/inbox"),
    ("DELETE", "/me/mailFolders/inbox/messages/AAA"),
    ("DELETE", "/users/ana%40example.com/messages/AAA"),
    ("DELETE", "/me/messages/AAA/attachments/BBB"),
    ("DELETE", "/subscriptions/../me/messages/AAA"),
    ("DELETE", "/subscriptions/..%2Fme%2Fmessages%2FAAA"),
    ("DELETE", "/subscriptions/%2e%2e/me/messages/AAA"),
    ("DELETE", "/subscriptions"),
    ("delete", "/subscriptions/1"),
    ("POST", "/me/messages/AAA/move"),
    ("POST", "/me/messages/AAA/microsoft.graph.move"),
    ("POST", "/me/messages('AAA')/copy"),
    ("POST", "/me/messages/AAA/permanentDelete"),
    ("POST", "/me/mailFolders/AAA/move"),
    ("POST", "/me/mailFolders/AAA/permanentDelete"),
    ("POST", "/subscriptions/1/reauthorize/../../../me/messages/AAA/move"),
    ("POST", "/me/messages/delta/../AAA/move"),
    ("PATCH", "/me/mailFolders/AAA"),
    ("PATCH", "/me/messages/AAA%2Fmove"),
    ("PATCH", "/me/messages/AAA%252Fmove"),
    ("PUT", "/me/messages/AAA"),
    ("GET", "/me/drive/root"),
    ("GET", "/me/events"),
    ("GET", "//me/messages"),
    ("GET", "/me/messages/AAA\r\nDELETE /me/messages/AAA"),
    ("GET", "/me/messages/A?B"),
    ("GET", ""),
]


@pytest.mark.parametrize(("method", "path"), HARMFUL)
def test_harmful_request_is_refused(method: str, path: str) -> None:
    with pytest.raises(Forbidden):
        allowlist.check(method=method, path=path)


@pytest.mark.parametrize(("method", "path"), HARMFUL)
async def test_harmful_request_never_reaches_the_wire(method: str, path: str) -> None:
    wire = Wire(ok({}))
    with pytest.raises(Forbidden):
        await wire.graph().command(method=method, path=path)
    assert wire.requests == []


@pytest.mark.parametrize(("method", "path"), [one for one in HARMFUL if "?" not in one[1]])
async def test_harmful_request_hidden_in_a_batch_never_reaches_the_wire(method: str, path: str) -> None:
    wire = Wire(ok({}))
    asks = [
        Ask(path="/me/messages/AAA", kind=Message),
        Ask(path=path, method=method, kind=Message),
    ]
    with pytest.raises(Forbidden):
        await batch(wire.graph(), asks=asks)
    assert wire.requests == []


@pytest.mark.parametrize(
    "request_",
    [
        {"id": "1", "method": "POST", "url": "/$batch", "body": {"requests": []}},
        {"id": "1", "method": "GET", "url": "/me/messages", "headers": {"X-HTTP-Method-Override": "DELETE"}},
        {"id": "1", "method": "GET", "url": "/me/messages", "headers": {"Authorization": "Bearer other"}},
        {"id": "1", "method": "GET", "url": "https://evil.example/me/messages"},
        {"id": "1", "method": "GET", "url": "me/messages/AAA/../../.."},
        {"id": "1", "url": "/me/messages"},
        {"id": "1", "method": "GET"},
        {"id": "1", "method": ["GET"], "url": "/me/messages"},
        {"id": "1", "method": "GET", "url": 5},
        "DELETE",
    ],
)
def test_batch_that_disguises_a_request_is_refused(request_: object) -> None:
    body = msgspec.json.encode({"requests": [request_]})
    with pytest.raises(Forbidden):
        allowlist.check(method="POST", path="/$batch", body=body)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"requests":{"a":1}}', b'{"requests":5}', b"\xff"])
def test_batch_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(Forbidden):
        allowlist.check(method="POST", path="/$batch", body=body)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me"),
        ("GET", "/users/sales%40example.com"),
        ("GET", "/me/mailFolders"),
        ("GET", "/me/mailFolders/delta"),
        ("GET", "/me/mailFolders/AAMk%3D/childFolders"),
        ("GET", "/me/mailFolders('AQMk=')/messages/delta"),
        ("GET", "/me/mailFolders('AQMk=')/messages/microsoft.graph.delta()"),
        ("GET", "/users('7d1f%40x.com')/mailFolders('inbox')/messages"),
        ("GET", "/me/messages"),
        ("GET", "/me/messages/AAMk%3D"),
        ("GET", "/me/messages/AAMk%3D/$value"),
        ("GET", "/me/messages/AAMk%3D/attachments/BBB/$value"),
        ("GET", "/me/contactFolders/contacts/contacts/delta"),
        ("GET", "/subscriptions"),
        ("POST", "/subscriptions"),
        ("POST", "/subscriptions/7f105c7d-2dc5-4530-97cd-4e7ae6534c07/reauthorize"),
        ("PATCH", "/subscriptions/7f105c7d-2dc5-4530-97cd-4e7ae6534c07"),
        ("DELETE", "/subscriptions/7f105c7d-2dc5-4530-97cd-4e7ae6534c07"),
    ],
)
def test_what_sync_needs_may_leave(method: str, path: str) -> None:
    allowlist.check(method=method, path=path)


@pytest.mark.parametrize("state", [True, False])
def test_the_read_state_of_a_message_may_be_changed(state: bool) -> None:
    said = {"isRead": state}
    allowlist.check(method="PATCH", path="/me/messages/AAMk%3D", body=msgspec.json.encode(said))
    item = {"id": "1", "method": "PATCH", "url": "/users/7d1f/messages/AAMk%3D", "body": said}
    allowlist.check(method="POST", path="/$batch", body=msgspec.json.encode({"requests": [item]}))


@pytest.mark.parametrize(
    "said",
    [
        *({}, [], None, "isRead", {"isRead": "true"}, {"isRead": None}, {"isRead": 1}, {"isread": True}),
        *({"isRead": True, "categories": []}, {"subject": "New"}, {"parentFolderId": "deleteditems"}),
    ],
)
def test_nothing_else_of_a_message_may_be_changed(said: object) -> None:
    with pytest.raises(Forbidden):
        allowlist.check(method="PATCH", path="/me/messages/AAMk%3D", body=msgspec.json.encode(said))
    item = {"id": "1", "method": "PATCH", "url": "/me/messages/AAMk%3D", "body": said}
    with pytest.raises(Forbidden):
        allowlist.check(method="POST", path="/$batch", body=msgspec.json.encode({"requests": [item]}))


@pytest.mark.parametrize("body", [b"", b"{", b'{"isRead": true', b"\xff", b"[" * 100_000])
def test_a_change_of_a_message_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(Forbidden):
        allowlist.check(method="PATCH", path="/me/messages/AAMk%3D", body=body)


pieces = st.sampled_from(
    [
        *("/", "//", "me", "users", "messages", "mailFolders", "inbox", "subscriptions", "contacts", "$batch"),
        *("move", "copy", "permanentDelete", "microsoft.graph.move", "reauthorize", "delta", "$value"),
        *("AAMk", "..", ".", "%2F", "%2f", "%252F", "%2e%2e", "%5C", "\\", "('", "')", "()", "?", "#", ";", ":"),
        *("@", "%00", "\n", " ", "é", "\uff0f"),
    ]
)
paths = st.one_of(
    st.lists(pieces, max_size=12).map("".join),
    st.lists(pieces, max_size=8).map(lambda parts: "/" + "/".join(parts)),
    st.text(max_size=40),
)
methods = st.one_of(
    st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "get", "delete", "MERGE"]),
    st.text(max_size=8),
)


def harms(method: str, path: str) -> bool:
    """Whether this would delete or move mail on a server that decodes, splits and folds case as it likes."""
    while unquote(path) != path:
        path = unquote(path)
    plain = path.replace("\\", "/").lower()
    about_mail = "message" in plain or "mailfolders" in plain
    verbs = re.search(r"\b(move|copy|permanentdelete)\b", plain) is not None
    if method.upper() == "GET":
        return False
    if method.upper() in {"DELETE", "PUT", "MERGE"}:
        return about_mail
    if method.upper() == "PATCH":
        return "mailfolders" in plain or (about_mail and verbs)
    return about_mail or verbs


@given(method=methods, path=paths)
@example(method="DELETE", path="/subscriptions/..%2fme%2fmessages%2fAAMk")
@example(method="PATCH", path="/me/messages/AAMk%2fmove")
def test_nothing_that_passes_the_list_can_delete_or_move_mail(method: str, path: str) -> None:
    try:
        allowlist.check(method=method, path=path, body=b'{"requests":[]}')
    except Forbidden:
        return
    assert not harms(method, path)
    assert method in {"GET", "POST", "PATCH", "DELETE"}
    assert "/../" not in f"{unquote(path)}/"


@given(items=st.lists(st.tuples(methods, paths), min_size=1, max_size=4))
def test_nothing_that_passes_in_a_batch_can_delete_or_move_mail(items: list[tuple[str, str]]) -> None:
    requests = [{"id": str(n), "method": method, "url": path} for n, (method, path) in enumerate(items)]
    try:
        allowlist.check(method="POST", path="/$batch", body=msgspec.json.encode({"requests": requests}))
    except Forbidden:
        return
    assert not any(harms(method, path.partition("?")[0]) for method, path in items)
