"""A message as MIME, as /$value serves it. Written by hand: real mail breaks every header library's opinion."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import quote

from ..letters import Enclosure
from ..mailbox import Item
from .message_view import internet_headers

_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_FOREIGN = re.compile(r"[^\s]*[^\x20-\x7e\s][^\s]*(?:\s+[^\s]*[^\x20-\x7e\s][^\s]*)*")
_TOKEN = re.compile(r"[^!-9;-~]")  # what a header's name cannot hold
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_OWN = {"content-type", "content-transfer-encoding", "mime-version", "content-disposition", "content-id"}


def _clean(value: str) -> str:
    return _BREAKS.sub(" ", value).encode("utf-8", "replace").decode().strip()


def _words(text: str) -> str:
    """Text as encoded words of at most 75 characters (RFC 2047)."""
    words, chunk = [], b""
    for letter in text:
        raw = letter.encode()
        if len(chunk) + len(raw) > 42:
            words.append(chunk)
            chunk = b""
        chunk += raw
    return " ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in (*words, chunk))


def _header(name: str, value: str) -> bytes:
    """One header line, folded at spaces."""
    name = _TOKEN.sub("", name) or "X-Nameless"
    pieces = _FOREIGN.sub(lambda found: _words(found.group()), _clean(value)).split(" ")
    lines = [f"{name}:"]
    for piece in pieces:
        if len(lines[-1]) + len(piece) >= 77 and lines[-1].strip():
            lines.append("")
        lines[-1] += f" {piece}"
    return "\r\n".join(lines).encode("ascii", "replace") + b"\r\n"


def _part(kind: str, content: bytes, *more: bytes) -> bytes:
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    head = _header("Content-Type", kind) + b"Content-Transfer-Encoding: base64\r\n" + b"".join(more)
    return head + b"\r\n" + encoded


def _attached(enclosure: Enclosure) -> bytes:
    kind = enclosure.content_type if _TYPE.fullmatch(enclosure.content_type) else "application/octet-stream"
    if kind.split("/")[0].casefold() in ("multipart", "message"):
        kind = "application/octet-stream"
    name = quote(_clean(enclosure.name), safe="")
    place = "inline" if enclosure.is_inline else "attachment"
    more = [_header("Content-Disposition", f"{place}; filename*=utf-8''{name}")]
    if enclosure.content_id:
        more.append(_header("Content-ID", f"<{_clean(enclosure.content_id)}>"))
    return _part(kind, enclosure.content(), *more)


def mime(item: Item) -> bytes:
    """The letter with its headers, body and attachments."""
    kind, content = item.letter.body()
    head = b"".join(
        _header(name, value)
        for name, value in internet_headers(item.letter)
        if _TOKEN.sub("", name).casefold() not in _OWN
    )
    body = _part(f'text/{"html" if kind == "html" else "plain"}; charset="utf-8"', content.encode("utf-8", "replace"))
    files = [_attached(one) for one in item.letter.enclosures if one.kind != "reference"]
    head += b"MIME-Version: 1.0\r\n"
    if not files:
        return head + body
    boundary = b"_" + hashlib.sha256(head).hexdigest()[:40].encode() + b"_"
    parts = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in (body, *files))
    return (
        head
        + b'Content-Type: multipart/mixed; boundary="'
        + boundary
        + b'"\r\n\r\n'
        + parts
        + b"--"
        + boundary
        + b"--\r\n"
    )
