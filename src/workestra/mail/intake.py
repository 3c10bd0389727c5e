"""Wire message -> Letter: what Graph said, in the form in which it is stored.

Every text is made safe for PostgreSQL (no NUL, no lone surrogate); nothing is cut that a person would miss.
Bodies are hashed as served and compressed here, on the way in, where it costs the least.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import zstandard

from workestra.graph import wire
from workestra.rules.threading import keys_of

KEPT_HEADERS = {
    "references",
    "in-reply-to",
    "message-id",
    "list-id",
    "list-unsubscribe",
    "auto-submitted",
    "x-auto-response-suppress",
    "precedence",
    "return-path",
    "thread-index",
}
IMPORTANCES = ("low", "normal", "high")
FLAGS = ("notFlagged", "flagged", "complete")
COMPRESSION_LEVEL = 1  # level 3 takes 40 % longer for 3 % less
BODY_CAP = 32 * 1024 * 1024
_mine = threading.local()  # a compressor is made once a thread and is not shared


@dataclass(slots=True)
class Letter:
    """One message, ready to be stored. `folder` is Graph's id. `keys` name its thread.

    What becomes jsonb is JSON already: thousands of small lists would keep the garbage collector busy.
    """

    immutable_id: str
    change_key: str
    folder: str
    internet_message_id: str
    conversation_id: str
    subject: str
    preview: str
    from_name: str
    from_address: str
    people: str
    received_at: datetime
    sent_at: datetime | None
    importance: str
    categories: list[str]
    is_read: bool
    flag: str
    is_draft: bool
    has_attachments: bool
    attachments: str
    headers: str
    web_link: str
    body: bytes
    body_type: str
    body_size: int
    body_hash: bytes
    words: str
    keys: tuple[bytes, ...]


@dataclass(slots=True)
class Mark:
    """What a light page tells of a message: state and place, no content. None: not told, so unchanged."""

    immutable_id: str
    change_key: str
    folder: str
    is_read: bool | None
    flag: str | None
    categories: list[str] | None
    received_at: datetime | None


def clean(text: str | None) -> str:
    """Text that PostgreSQL can hold."""
    if not text:
        return ""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text


def _person(who: wire.Recipient | None) -> list[str] | None:
    if who is None or who.email_address is None:
        return None
    name, address = clean(who.email_address.name), clean(who.email_address.address)
    return [name, address] if name or address else None


def _persons(some: Iterable[wire.Recipient] | None) -> list[list[str]]:
    return [person for one in some or () if (person := _person(one)) is not None]


def _attachment(one: wire.Attachment) -> dict[str, Any]:
    return {
        "id": clean(one.id),
        "name": clean(one.name),
        "type": clean(one.content_type),
        "size": one.size or 0,
        "inline": bool(one.is_inline),
        "cid": clean(one.content_id),
        "kind": one.kind,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def version(*, message: wire.Message) -> str:
    """What names this version of the message: its change key, which its entity tag repeats; else when it was changed.

    "" where Graph told none of them: such a version equals no other.
    """
    if message.change_key:
        return clean(message.change_key)[:128]
    if message.etag:
        return clean(message.etag).removeprefix("W/").strip('"')[:128]
    return message.last_modified_date_time.isoformat() if message.last_modified_date_time else ""


def told(moment: datetime | None) -> datetime | None:
    """The moment, unless it stands for "none": Exchange's time begins in 1601, and programs write the year 1."""
    return moment if moment is not None and moment.year >= 1601 else None


def compress(*, content: str) -> tuple[bytes, int, bytes]:
    """(zstd bytes, size in bytes, SHA-256) of a body's UTF-8."""
    raw = content.encode("utf-8", "replace")
    if not hasattr(_mine, "compressor"):
        _mine.compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL)
    return _mine.compressor.compress(raw), len(raw), hashlib.sha256(raw).digest()


def digest(*, message: wire.Message) -> bytes:
    """SHA-256 of a full message's body, as it is kept."""
    content = (message.body.content if message.body else None) or ""
    return hashlib.sha256(content.encode("utf-8", "replace")).digest()


def stored_digest(*, body: bytes) -> bytes:
    """SHA-256 of a stored body; b"" where it cannot be read any more."""
    try:
        raw = zstandard.decompress(body, max_output_size=BODY_CAP * 4) if body else b""
    except zstandard.ZstdError:
        return b""
    return hashlib.sha256(raw).digest()


def decompress(*, body: bytes) -> str:
    """The text of a stored body."""
    if not body:
        return ""
    return zstandard.decompress(body, max_output_size=BODY_CAP * 4).decode("utf-8", "replace")


def letter(*, message: wire.Message, mailbox: int, asked_at: datetime, folder: str = "") -> Letter:
    """The Letter of a full wire message of this mailbox. `folder` is the one that was asked, where it names none.

    A message without a received time (a draft that was never sent) counts as received when it was made, or sent.
    """
    sender = _person(message.sender)
    author = _person(message.from_) or sender or ["", ""]
    people: dict[str, Any] = {
        "sender": sender,
        "to": _persons(message.to_recipients),
        "cc": _persons(message.cc_recipients),
        "bcc": _persons(message.bcc_recipients),
        "reply_to": _persons(message.reply_to),
    }
    headers = [
        [clean(one.name), clean(one.value)]
        for one in message.internet_message_headers or ()
        if (one.name or "").lower() in KEPT_HEADERS
    ]
    content = (message.body.content if message.body else None) or ""
    body, size, digest = compress(content=content)
    subject, preview = clean(message.subject), clean(message.body_preview)
    everybody = " ".join(" ".join(one) for one in (author, *people["to"], *people["cc"], *people["bcc"]))[:8000]
    return Letter(
        immutable_id=clean(message.id),
        change_key=version(message=message),
        folder=clean(message.parent_folder_id) or folder,
        internet_message_id=clean(message.internet_message_id),
        conversation_id=clean(message.conversation_id)[:512],
        subject=subject,
        preview=preview,
        from_name=author[0],
        from_address=author[1],
        people=_json(people),
        received_at=next(filter(None, map(told, _moments(message))), asked_at),
        sent_at=told(message.sent_date_time),
        importance=message.importance if message.importance in IMPORTANCES else "normal",
        categories=[clean(one) for one in message.categories or ()],
        is_read=bool(message.is_read),
        flag=_flag(message) or "notFlagged",
        is_draft=bool(message.is_draft),
        has_attachments=bool(message.has_attachments),
        attachments=_json([_attachment(one) for one in message.attachments or ()]),
        headers=_json(headers),
        web_link=clean(message.web_link),
        body=body,
        body_type="text" if message.body and (message.body.content_type or "").lower() == "text" else "html",
        body_size=size,
        body_hash=digest,
        words=f"{subject[:2000]} {everybody}",
        keys=keys_of(
            mailbox=mailbox,
            internet_message_id=clean(message.internet_message_id),
            conversation_id=clean(message.conversation_id),
            references=[value for name, value in headers if name.lower() in ("references", "in-reply-to")],
        ),
    )


def _moments(message: wire.Message) -> tuple[datetime | None, ...]:
    return (
        *(message.received_date_time, message.created_date_time),
        *(message.sent_date_time, message.last_modified_date_time),
    )


def _flag(message: wire.Message) -> str | None:
    status = message.flag.flag_status if message.flag else None
    return status if status is None or status in FLAGS else "notFlagged"


def mark(*, message: wire.Message, folder: str = "") -> Mark:
    """The Mark of a light wire message. `folder` is the one that was asked, where it names none."""
    return Mark(
        immutable_id=clean(message.id),
        change_key=version(message=message),
        folder=clean(message.parent_folder_id) or folder,
        is_read=message.is_read,
        flag=_flag(message),
        categories=None if message.categories is None else [clean(one) for one in message.categories],
        received_at=told(message.received_date_time),
    )


def merged(*, marks: Iterable[Mark]) -> list[Mark]:
    """One Mark a message: of two on a page the later counts, and what it does not tell is kept of the earlier."""
    found: dict[str, Mark] = {}
    for one in marks:
        before = found.get(one.immutable_id)
        found[one.immutable_id] = one if before is None else _over(before, one)
    return list(found.values())


def _over(before: Mark, later: Mark) -> Mark:
    return Mark(
        immutable_id=later.immutable_id,
        change_key=later.change_key or before.change_key,
        folder=later.folder or before.folder,
        is_read=before.is_read if later.is_read is None else later.is_read,
        flag=before.flag if later.flag is None else later.flag,
        categories=before.categories if later.categories is None else later.categories,
        received_at=later.received_at or before.received_at,
    )
