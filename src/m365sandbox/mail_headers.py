"""Reads the header fields of real mail: encoded words, odd addresses, impossible dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from .letters import Address

_ID = re.compile(r"<[^<>\s]+>")
# fmt: off
_OWN_FIELDS = frozenset((
    "subject", "from", "sender", "to", "cc", "bcc", "reply-to", "date", "message-id", "in-reply-to", "references",
    "importance", "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id",
    "content-description",
))
# fmt: on
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Head:
    """The fields of one letter. What the mail does not say is None or empty."""

    subject: str
    author: Address | None
    sender: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    sent_at: datetime
    received_at: datetime | None
    message_id: str
    in_reply_to: str | None
    references: tuple[str, ...]
    importance: str
    others: tuple[tuple[str, str], ...]


def read(message: Message, *, now: datetime) -> Head:
    """All fields; `now` stands in for a missing or impossible date."""
    references = tuple(_ID.findall(_raw(message, "references")))
    replied = _ID.findall(_raw(message, "in-reply-to"))
    authors = _addresses(message, "from")
    senders = _addresses(message, "sender")
    return Head(
        subject=decoded(_raw(message, "subject")),
        author=authors[0] if authors else None,
        sender=senders[0] if senders else None,
        to=_addresses(message, "to"),
        cc=_addresses(message, "cc"),
        bcc=_addresses(message, "bcc"),
        reply_to=_addresses(message, "reply-to"),
        sent_at=_moment(_raw(message, "date")) or now,
        received_at=_moment(_raw(message, "received").rpartition(";")[2]),
        message_id="".join(_raw(message, "message-id").split()),
        in_reply_to=replied[0] if replied else None,
        references=references,
        importance=_importance(message),
        others=tuple(
            (name, decoded(str(value)))
            for name, value in message.raw_items()
            if name.casefold() not in _OWN_FIELDS and name.isascii()
        ),
    )


def decoded(value: str) -> str:
    """A header value as text: encoded words decoded, folds undone, undecodable bytes replaced."""
    plain = " ".join(cleaned(value).split("\n")).replace("\r", "") if "\n" in value else cleaned(value)
    try:
        parts = decode_header(plain)
    except ValueError:
        return plain.strip()
    words = [part if isinstance(part, str) else text_of(part, charset or "ascii") for part, charset in parts]
    return re.sub(r"\s+", " ", _CONTROL.sub("", "".join(words))).strip()


def text_of(raw: bytes, charset: str) -> str:
    """Bytes as text, with replacement characters where the charset is wrong or unknown."""
    try:
        return raw.decode(charset, "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def cleaned(value: str) -> str:
    """Text without the surrogates by which the e-mail package keeps raw bytes."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _raw(message: Message, name: str) -> str:
    return next(_values(message, name), "")


def _values(message: Message, name: str) -> Iterator[str]:
    """Every value of a field with raw bytes read as UTF-8, which `Message.get` would already have lost."""
    for field, value in message.raw_items():
        if field.casefold() == name:
            yield cleaned(str(value))


def _addresses(message: Message, name: str) -> tuple[Address, ...]:
    values = [value.replace("\r", " ").replace("\n", " ") for value in _values(message, name)]
    found = []
    for shown, address in getaddresses(values):
        if shown or address:
            found.append(Address(decoded(shown), _CONTROL.sub("", address)))
    return tuple(found)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text.strip())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except (OverflowError, ValueError):
        return None


def _importance(message: Message) -> str:
    told = (_raw(message, "importance") or _raw(message, "x-msmail-priority")).strip().casefold()
    if told in ("high", "low"):
        return told
    number = _raw(message, "x-priority").strip()[:1]
    return {"1": "high", "2": "high", "4": "low", "5": "low"}.get(number, "normal")
