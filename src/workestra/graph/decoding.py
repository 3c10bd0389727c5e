"""From bytes to structs: one decode for a whole page, and a slow careful way for the odd ones.

Mail is written by strangers. A preview cut in the middle of an emoji leaves half a surrogate pair; a calendar
program writes a date that no calendar has. One such value must not cost a page of mail. So, when the fast
decode fails on JSON that is whole: text that is no Unicode becomes U+FFFD, and a value that does not fit its
field is left out, as though Graph had not sent it. JSON that is not whole (a cut line, an HTML page) is never
repaired.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec
from isal import isal_zlib

from .errors import TooLarge, Unreachable

T = TypeVar("T")

MOST_ODD_VALUES = 200
"""A message with more values that do not fit is not what we asked for."""

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.",
    re.DOTALL,
)
_PATH = re.compile(r" - at `\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]")
_NEEDED = {"id", "status"}
_NEVER_LEFT_OUT = (["value"], ["responses"], ["@removed"])
_BOM = b"\xef\xbb\xbf"


_decoders: dict[object, msgspec.json.Decoder[Any]] = {}
"""One compiled decoder for each kind of answer: there are a dozen kinds."""


def unpacked(*, body: bytes, cap: int) -> bytes:
    """The bytes in a gzip answer. Raises `TooLarge` above `cap` bytes, `Unreachable` for what is no whole gzip."""
    parts: list[bytes] = []
    room = cap + 1
    while body:  # an answer may be several members (RFC 1952, 2.2)
        inflater = isal_zlib.decompressobj(wbits=31)
        try:
            parts.append(inflater.decompress(body, room))
        except isal_zlib.error as error:  # type: ignore[misc]  # its stubs take the class for an instance
            raise Unreachable(code="malformedAnswer", message="the answer is not the gzip that it claims") from error
        room -= len(parts[-1])
        if room <= 0:
            raise TooLarge(code="bodyTooLarge", message=f"the answer is over {cap} bytes")
        if not inflater.eof:
            raise Unreachable(code="malformedAnswer", message="the answer is cut short")
        body = inflater.unused_data.lstrip(b"\0")
    return b"".join(parts)


def decode(*, body: bytes, kind: type[T]) -> T:
    """The struct in `body`. Raises `Unreachable` where there is none: cut, not JSON, or something else."""
    decoder = _decoders.get(kind) or _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    try:
        decoded: T = decoder.decode(body)
        return decoded
    except (msgspec.DecodeError, ValueError):  # an odd value may stand before text that is no Unicode
        return _without_odd_values(body=_as_unicode(body), kind=kind)


def _as_unicode(body: bytes) -> bytes:
    """The same JSON with broken UTF-8 and lone surrogates replaced by U+FFFD."""
    text = body.removeprefix(_BOM).decode("utf-8", errors="replace").encode()
    return _ESCAPE.sub(_without_lone_surrogate, text)


def _without_lone_surrogate(match: re.Match[bytes]) -> bytes:
    escape = match.group()
    return b"\\ufffd" if len(escape) == 6 else escape


def _without_odd_values(*, body: bytes, kind: type[T]) -> T:
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Unreachable(code="malformedAnswer", message="the answer is cut short or is not JSON") from error
    item_kind = _item_kind(kind)
    if item_kind is not None and isinstance(tree, dict) and isinstance(tree.get("value"), list):
        tree["value"] = [_converted(tree=item, kind=item_kind) for item in tree["value"]]
    if isinstance(tree, dict) and isinstance(tree.get("responses"), list):
        for item in tree["responses"]:
            if isinstance(item, dict) and "body" in item:  # read later, each by itself
                item["body"] = msgspec.Raw(msgspec.json.encode(item["body"]))
    return _converted(tree=tree, kind=kind)


def _item_kind(kind: type[Any]) -> type[Any] | None:
    """What the `value` list of a page holds; None for what is no page."""
    hint = get_type_hints(kind).get("value") if issubclass(kind, msgspec.Struct) else None
    return next(iter(get_args(hint)), None)


def _converted(*, tree: Any, kind: type[T]) -> T:
    for _ in range(MOST_ODD_VALUES):
        try:
            return msgspec.convert(tree, kind)
        except msgspec.ValidationError as error:
            if not _left_out(tree=tree, complaint=str(error)):
                raise Unreachable(code="malformedAnswer", message="the answer is not what was asked for") from error
    raise Unreachable(code="malformedAnswer", message="the answer holds too many unreadable values")


def _left_out(*, tree: Any, complaint: str) -> bool:
    """Takes the value that msgspec complains about out of the tree; False where that cannot help."""
    found = _PATH.search(complaint)
    steps: list[str | int] = [name or int(index) for name, index in _STEP.findall(found["path"])] if found else []
    if steps and (steps[-1] in _NEEDED or "missing required field" in complaint):
        # What has no name of its own is of no use: an attachment goes whole. A message never does.
        steps = steps if "missing required field" in complaint else steps[:-1]
        if not steps or not isinstance(steps[-1], int):
            return False
    if not steps or steps in _NEVER_LEFT_OUT:
        return False
    try:
        holder = tree
        for step in steps[:-1]:
            holder = holder[step]
        del holder[steps[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True
