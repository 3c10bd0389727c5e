"""A letter out of the simple fields of a control request."""

from __future__ import annotations

import base64
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .graph.bodies import to_text
from .letters import Address, Enclosure, Letter
from .mailbox import Mailbox


def _address(value: Any) -> Address:
    """`{"name", "address"}`, "Name <address>" or a bare address."""
    if isinstance(value, dict):
        return Address(value.get("name") or value["address"], value["address"])
    name, _, rest = str(value).partition("<")
    return Address(name.strip(), rest.rstrip("> ")) if rest else Address(name.strip(), name.strip())


def _addresses(value: Any) -> tuple[Address, ...]:
    listed = value if isinstance(value, list) else [value] if value else []
    return tuple(_address(one) for one in listed)


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _enclosure(value: dict[str, Any]) -> Enclosure:
    content = base64.b64decode(value.get("content", ""))
    return Enclosure(
        name=value["name"],
        content_type=value.get("content_type", "application/octet-stream"),
        size=len(content),
        content=lambda: content,
        is_inline=bool(value.get("is_inline", False)),
        content_id=value.get("content_id"),
        kind=value.get("kind", "file"),
    )


def _content(kind: str, content: str) -> dict[str, Any]:
    return {
        "body": lambda: (kind, content),
        "preview": lambda: (
            (to_text(content) if kind == "html" else content).replace("\r\n", " ").replace("\n", " ")[:255]
        ),
    }


def edited(letter: Letter, body: dict[str, Any]) -> Letter:
    """The letter with another subject, html or text, as add-ins and protection services write them."""
    if "subject" in body:
        letter = replace(letter, subject=str(body["subject"]))
    kind = next((one for one in ("html", "text") if one in body), None)
    return replace(letter, **_content(kind, str(body[kind]))) if kind else letter


def letter_of(body: dict[str, Any], *, box: Mailbox, now: datetime) -> Letter:
    """The letter that the fields describe. KeyError, TypeError and ValueError for fields that cannot be read.

    Fields: from, sender, to, cc, bcc, reply_to, subject, html or text, received_at, sent_at, internet_message_id,
    in_reply_to, references, conversation, importance, headers, attachments, odata_type.
    """
    sender = _address(body["from"]) if body.get("from") else None
    kind = "html" if "html" in body else "text"
    content = str(body.get(kind, ""))
    received = _moment(body["received_at"]) if "received_at" in body else now.astimezone(UTC).replace(microsecond=0)
    answered = str(body["in_reply_to"]) if body.get("in_reply_to") else None
    domain = sender.address.rpartition("@")[2] if sender and "@" in sender.address else "sandbox.example"
    conversation, references = body.get("conversation", ""), tuple(body.get("references", ()))
    if answered is not None:
        parent = next((one for one in box.truth() if one.letter.internet_message_id == answered), None)
        if parent is not None:
            conversation = conversation or parent.letter.conversation or parent.letter.internet_message_id
            references = references or (*parent.letter.references, answered)
    return Letter(
        subject=str(body.get("subject", "")),
        sender=_address(body["sender"]) if body.get("sender") else sender,
        from_=sender if body.get("sender") else None,
        to=_addresses(body.get("to")),
        cc=_addresses(body.get("cc")),
        bcc=_addresses(body.get("bcc")),
        reply_to=_addresses(body.get("reply_to")),
        received_at=received,
        sent_at=_moment(body["sent_at"]) if "sent_at" in body else received,
        internet_message_id=str(body.get("internet_message_id") or f"<{uuid.uuid4()}@{domain}>"),
        **_content(kind, content),
        importance=body.get("importance", "normal"),
        conversation=conversation,
        in_reply_to=answered,
        references=references or ((answered,) if answered else ()),
        headers=tuple((str(name), str(value)) for name, value in body.get("headers", ())),
        enclosures=tuple(_enclosure(one) for one in body.get("attachments", ())),
        odata_type=body.get("odata_type", "#microsoft.graph.message"),
    )
