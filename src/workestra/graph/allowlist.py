"""What may be asked of Graph at all. Everything else is refused before the socket, in a batch as well.

This is how Workestra never deletes or moves a person's mail (SYN 8): there is no entry here for a DELETE, a
move, a copy or a permanentDelete of a message or a folder, so no code path can send one. The only DELETE is
that of our own subscriptions. The only thing that may be changed of a message is whether it was read. Entries are
added here, and only here, when a feature needs them.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

from .errors import Forbidden

_ROOT = r"/(?:me|users/[^/]+|users\('[^/']+'\))"
_KEY = r"(?:/[^/]+|\('[^/']+'\))"
_FOLDER = rf"{_ROOT}/mailFolders{_KEY}"
_MESSAGE = rf"(?:{_ROOT}|{_FOLDER})/messages{_KEY}"
_DELTA = r"/(?:microsoft\.graph\.)?delta(?:\(\))?"
_SUBSCRIPTION = r"/subscriptions/[0-9A-Za-z-]{1,64}"

_ALLOWED = {
    "GET": (
        _ROOT,
        rf"{_ROOT}/mailFolders(?:{_DELTA})?",
        rf"{_FOLDER}(?:/childFolders)?",
        rf"(?:{_ROOT}|{_FOLDER})/messages",
        rf"{_FOLDER}/messages{_DELTA}",
        rf"{_MESSAGE}(?:/\$value)?",
        rf"{_MESSAGE}/attachments(?:{_KEY}(?:/\$value)?)?",
        rf"{_ROOT}/contactFolders(?:{_KEY}(?:/childFolders)?)?",
        rf"{_ROOT}(?:/contactFolders{_KEY})?/contacts(?:{_DELTA})?",
        r"/subscriptions",
        _SUBSCRIPTION,
    ),
    "POST": (r"/\$batch", r"/subscriptions", rf"{_SUBSCRIPTION}/reauthorize"),
    "PATCH": (rf"{_ROOT}/messages{_KEY}", _SUBSCRIPTION),
    "DELETE": (_SUBSCRIPTION,),
}
_PATTERNS = {method: re.compile("|".join(f"(?:{one})" for one in paths)) for method, paths in _ALLOWED.items()}
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\?#\"<>]")
_ONE_MESSAGE = re.compile(rf"{_ROOT}/messages{_KEY}")
_BATCH_HEADERS = {"prefer", "content-type"}


def check(*, method: str, path: str, body: bytes = b"") -> None:
    """Raises `Forbidden` unless this request may leave.

    `path` is the encoded path below the base address, without a query ("/me/messages/AAMk%3D"). For a batch,
    `body` is read and each of its requests is held against the same list; for a PATCH of a message, it may say
    `isRead` and nothing else.
    """
    pattern = _PATTERNS.get(method)
    if pattern is None or not pattern.fullmatch(path) or not _is_plain(path):
        raise Forbidden(code="notAllowed", message=f"{method} {path} is not on the list of allowed requests")
    if path == "/$batch":
        _check_batch(body)
    elif method == "PATCH" and _ONE_MESSAGE.fullmatch(path):
        _check_patch(body)


def _is_plain(path: str) -> bool:
    """No segment may turn into several, or into none, when the other side decodes it."""
    if _UNSAFE.search(path):
        return False
    for segment in path[1:].split("/"):
        once = unquote(segment)
        for form in (segment, once, unquote(once)):
            if form in {"", ".", ".."} or "/" in form or "\\" in form:
                return False
    return True


def _check_patch(body: bytes) -> None:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Forbidden(code="notAllowed", message="a change that cannot be read may not leave") from error
    if not isinstance(said, dict) or said.keys() != {"isRead"} or not isinstance(said["isRead"], bool):
        raise Forbidden(code="notAllowed", message="only the read state of a message may be changed")


def _check_batch(body: bytes) -> None:
    try:
        requests: list[dict[str, Any]] = msgspec.json.decode(body)["requests"]
        for request in requests:
            headers = request.get("headers") or {}
            if request["url"].partition("?")[0] == "/$batch" or {name.lower() for name in headers} - _BATCH_HEADERS:
                raise Forbidden(code="notAllowed", message="a batch holds a batch or a header that is not allowed")
            inner = msgspec.json.encode(request.get("body"))
            check(method=request["method"], path=request["url"].partition("?")[0], body=inner)
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise Forbidden(code="notAllowed", message="a batch that cannot be read may not leave") from error
