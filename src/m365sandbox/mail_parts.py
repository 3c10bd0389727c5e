"""Takes the parts of real mail apart: one body, everything else an attachment. Nothing is dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from html import escape, unescape
from html.parser import HTMLParser

from .letters import Enclosure
from .mail_headers import cleaned, decoded, text_of

_MAX_DEPTH = 40
PREVIEW = 255


@dataclass(slots=True)
class Found:
    """The body ("html" or "text") and the attachments met so far."""

    kind: str = "text"
    content: str = ""
    has_body: bool = False
    enclosures: list[Enclosure] = field(default_factory=list)


def read(message: Message) -> Found:
    """Body and attachments of a message."""
    found = Found()
    _take(message, found, depth=0, related=False)
    return found


def preview(kind: str, content: str) -> str:
    """The first 255 characters of the text."""
    if kind == "html":
        reader = _Text()
        reader.feed(content[:60_000])
        content = unescape(" ".join("".join(reader.words).split()))
    return content.strip()[:PREVIEW]


def _take(part: Message, found: Found, *, depth: int, related: bool) -> None:
    kind = part.get_content_type()
    children = part.get_payload()
    if isinstance(children, list) and kind != "message/rfc822" and depth < _MAX_DEPTH:
        parts = [one for one in children if isinstance(one, Message)]
        if kind == "multipart/alternative":
            _take_best(parts, found, depth=depth)
            return
        for number, child in enumerate(parts):
            inside = related or (kind == "multipart/related" and number > 0)
            _take(child, found, depth=depth + 1, related=inside)
        return
    if kind == "message/rfc822" and isinstance(children, list):
        found.enclosures.append(_nested(part, [one for one in children if isinstance(one, Message)]))
    elif kind in ("text/plain", "text/html", "text/enriched") and not _is_attached(part):
        _add_text(part, kind, found)
    elif kind.startswith("multipart/") and not found.has_body:
        _add_text(part, "text/plain", found)  # a multipart without its boundary is one long text
    else:
        found.enclosures.append(_enclosure(part, related=related))


def _take_best(parts: list[Message], found: Found, *, depth: int) -> None:
    def rank(part: Message) -> int:
        kind = part.get_content_type()
        if kind == "text/html" or (
            kind.startswith("multipart/") and any(one.get_content_type() == "text/html" for one in part.walk())
        ):
            return 3
        return 2 if kind.startswith("multipart/") else 1 if kind == "text/plain" else 0

    if not parts:
        return
    best = max(range(len(parts)), key=lambda number: (rank(parts[number]), number))
    _take(parts[best], found, depth=depth + 1, related=False)
    for number, part in enumerate(parts):
        if number != best and not part.get_content_type().startswith(("text/plain", "text/html", "multipart/")):
            _take(part, found, depth=depth + 1, related=False)


def _add_text(part: Message, kind: str, found: Found) -> None:
    text = text_of(_bytes(part), str(part.get_param("charset", "utf-8") or "utf-8")).replace("\0", "")
    is_html = kind == "text/html"
    if not found.has_body:
        found.kind, found.content, found.has_body = ("html" if is_html else "text"), text, True
    elif found.kind == "text" and not is_html:
        found.content += f"\r\n{text}" if text else ""
    else:
        before = found.content if found.kind == "html" else f"<pre>{escape(found.content)}</pre>"
        found.content = before + (text if is_html else f"<pre>{escape(text)}</pre>")
        found.kind = "html"


def _is_attached(part: Message) -> bool:
    told = cleaned(str(part.get("content-disposition", ""))).strip().casefold()
    return told.startswith("attachment") or (bool(_name(part)) and not told.startswith("inline"))


def _enclosure(part: Message, *, related: bool) -> Enclosure:
    content = _bytes(part)
    kind = part.get_content_type()
    content_id = cleaned(str(part.get("content-id", ""))).strip().strip("<>") or None
    told = cleaned(str(part.get("content-disposition", ""))).strip().casefold()
    inline = bool(content_id) and (related or told.startswith("inline"))
    name = _name(part) or f"attachment.{re.sub('[^a-z0-9]', '', kind.partition('/')[2])[:8] or 'bin'}"
    return Enclosure(name, kind, len(content), partial(bytes, content), is_inline=inline, content_id=content_id)


def _nested(part: Message, children: list[Message]) -> Enclosure:
    inner = children[0] if children else None
    subject = decoded(str(inner.get("subject", ""))) if inner is not None else ""
    content = inner.as_bytes() if inner is not None else b""
    name = _name(part) or subject or "Untitled"
    return Enclosure(name, "message/rfc822", len(content), partial(bytes, content), kind="item")


def _name(part: Message) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return decoded(str(name)).replace("/", "_").replace("\\", "_") if name else ""


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    if isinstance(part.get_payload(), list):
        return b"\n".join(one.as_bytes() for one in part.get_payload() if isinstance(one, Message))
    return cleaned(str(part.get_payload() or "")).encode()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script", "title")
        self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script", "title") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)
