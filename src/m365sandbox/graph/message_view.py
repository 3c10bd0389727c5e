"""What Graph shows of a message: one function a property (Graph: message resource type)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from ..letters import Address, Letter
from ..mailbox import Item, Mailbox
from .bodies import served, unique
from .errors import GraphError
from .filters import Field
from .wire import iso


@dataclass(frozen=True, slots=True)
class View:
    """Through which eyes messages are shown."""

    box: Mailbox
    immutable: bool = False
    body_type: str | None = None

    def item_id(self, item: Item) -> str:
        """The id in the format that was asked for."""
        return self.box.immutable_id(item) if self.immutable else self.box.default_id(item)


class Missing(Exception):
    """This message does not carry the property."""


def recipient(address: Address) -> dict[str, Any]:
    """A name and address as Graph's recipient."""
    return {"emailAddress": {"name": address.name, "address": address.address}}


def _people(addresses: tuple[Address, ...]) -> list[dict[str, Any]]:
    return [recipient(one) for one in addresses]


def author(letter: Letter) -> Address | None:
    """Who the letter is from, which is not its sender when sent on behalf."""
    return letter.from_ or letter.sender


def _one(address: Address | None) -> dict[str, Any]:
    if address is None:
        raise Missing
    return recipient(address)


def has_attachments(letter: Letter) -> bool:
    """Inline attachments alone do not count."""
    return any(not one.is_inline for one in letter.enclosures)


def internet_headers(letter: Letter) -> list[tuple[str, str]]:
    """All header lines, those of the fields first."""

    def line(addresses: tuple[Address, ...]) -> str:
        return ", ".join(f"{one.name} <{one.address}>" if one.name else one.address for one in addresses)

    written = author(letter)
    own: list[tuple[str, str]] = []
    if written is not None:
        own.append(("From", line((written,))))
    if letter.from_ is not None and letter.sender is not None and letter.sender != letter.from_:
        own.append(("Sender", line((letter.sender,))))
    own += [
        (name, line(people))
        for name, people in (("To", letter.to), ("CC", letter.cc), ("Reply-To", letter.reply_to))
        if people
    ]
    own += [
        ("Subject", letter.subject),
        ("Date", format_datetime(letter.sent_at)),
        ("Message-ID", letter.internet_message_id),
    ]
    if letter.in_reply_to:
        own.append(("In-Reply-To", letter.in_reply_to))
    if letter.references:
        own.append(("References", " ".join(letter.references)))
    given = {name.casefold() for name, _ in letter.headers}
    return [*(pair for pair in own if pair[0].casefold() not in given), *letter.headers]


def _headers(view: View, item: Item) -> list[dict[str, str]]:
    if item.is_draft:
        raise Missing
    return [{"name": name, "value": value} for name, value in internet_headers(item.letter)]


def _conversation_index(view: View, item: Item) -> str:
    depth = min(len(item.letter.references), 40)
    mark = (item.number & 0xFFFFFFFF).to_bytes(4, "big")  # a part has room for four bytes
    tail = b"".join(mark + bytes([n]) for n in range(depth))
    return base64.b64encode(view.box.conversation_head(item.letter) + tail).decode()


def _web_link(view: View, item: Item) -> str:
    return (
        f"https://outlook.office365.com/owa/?ItemID={quote(view.box.default_id(item), safe='')}"
        "&exvsurl=1&viewmodel=ReadMessageItem"
    )


Getter = Callable[[View, Item], Any]

DEFAULT: dict[str, Getter] = {
    "createdDateTime": lambda v, i: iso(i.letter.received_at),
    "lastModifiedDateTime": lambda v, i: iso(i.modified),
    "changeKey": lambda v, i: v.box.names.change_key(i.change),
    "categories": lambda v, i: list(i.categories),
    "receivedDateTime": lambda v, i: iso(i.letter.received_at),
    "sentDateTime": lambda v, i: iso(i.letter.sent_at),
    "hasAttachments": lambda v, i: has_attachments(i.letter),
    "internetMessageId": lambda v, i: i.letter.internet_message_id,
    "subject": lambda v, i: i.letter.subject,
    "bodyPreview": lambda v, i: i.letter.preview()[:255],
    "importance": lambda v, i: i.letter.importance,
    "parentFolderId": lambda v, i: i.folder.id,
    "conversationId": lambda v, i: i.conversation_id,
    "conversationIndex": _conversation_index,
    "isDeliveryReceiptRequested": lambda v, i: i.receipts[0],
    "isReadReceiptRequested": lambda v, i: i.receipts[1],
    "isRead": lambda v, i: i.is_read,
    "isDraft": lambda v, i: i.is_draft,
    "webLink": _web_link,
    "inferenceClassification": lambda v, i: "focused" if i.focused else "other",
    "body": lambda v, i: served(i.letter.body(), v.body_type),
    "sender": lambda v, i: _one(i.letter.sender),
    "from": lambda v, i: _one(author(i.letter)),
    "toRecipients": lambda v, i: _people(i.letter.to),
    "ccRecipients": lambda v, i: _people(i.letter.cc),
    "bccRecipients": lambda v, i: _people(i.letter.bcc),
    "replyTo": lambda v, i: _people(i.letter.reply_to),
    "flag": lambda v, i: i.flag,
}
SELECTED: dict[str, Getter] = {
    "internetMessageHeaders": _headers,
    "uniqueBody": lambda v, i: served(unique(i.letter.body()), v.body_type),
}
ALL: dict[str, Getter] = {**DEFAULT, **SELECTED}
BASIC_HIDES = frozenset({"body", "bodyPreview", "uniqueBody"})  # what Mail.ReadBasic does not show

FILTERS: dict[str, Field] = {
    "receivedDateTime": Field("date", lambda i: i.letter.received_at),
    "sentDateTime": Field("date", lambda i: i.letter.sent_at),
    "createdDateTime": Field("date", lambda i: i.letter.received_at),
    "lastModifiedDateTime": Field("date", lambda i: i.modified),
    "isRead": Field("bool", lambda i: i.is_read),
    "isDraft": Field("bool", lambda i: i.is_draft),
    "hasAttachments": Field("bool", lambda i: has_attachments(i.letter)),
    "subject": Field("string", lambda i: i.letter.subject),
    "importance": Field("string", lambda i: i.letter.importance),
    "internetMessageId": Field("string", lambda i: i.letter.internet_message_id),
    "conversationId": Field("id", lambda i: i.conversation_id),
    "inferenceClassification": Field("string", lambda i: "focused" if i.focused else "other"),
    "flag/flagStatus": Field("string", lambda i: i.flag["flagStatus"]),
    "from/emailAddress/address": Field("string", lambda i: a.address if (a := author(i.letter)) else None),
    "from/emailAddress/name": Field("string", lambda i: a.name if (a := author(i.letter)) else None),
    "sender/emailAddress/address": Field("string", lambda i: i.letter.sender.address if i.letter.sender else None),
    "sender/emailAddress/name": Field("string", lambda i: i.letter.sender.name if i.letter.sender else None),
}
KNOWN = frozenset(
    {*ALL, "id", "attachments", "singleValueExtendedProperties", "multiValueExtendedProperties", "extensions"}
)


def show(view: View, item: Item, wanted: dict[str, Getter] | None, *, typed: bool = False) -> dict[str, Any]:
    """One message; `wanted` None is the default set, `typed` adds @odata.type always (delta does)."""
    shown: dict[str, Any] = {}
    if typed or item.letter.odata_type != "#microsoft.graph.message":
        shown["@odata.type"] = item.letter.odata_type
    shown["@odata.etag"] = f'W/"{view.box.names.change_key(item.change)}"'
    shown["id"] = view.item_id(item)
    for name, get in (DEFAULT if wanted is None else wanted).items():
        try:
            shown[name] = get(view, item)
        except Missing:
            continue
    for name in item.odd.keys() & shown.keys():
        if isinstance(item.odd[name], GraphError):
            raise item.odd[name]  # a broken message: any answer that would show this is an error
        if item.odd[name] is ...:
            del shown[name]
        else:
            shown[name] = item.odd[name]
    return shown
