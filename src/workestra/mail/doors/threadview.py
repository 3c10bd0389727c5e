"""A thread as the reader shows it: every message once, from the copies that the viewer may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workestra.mail.doors import viewer
from workestra.mail.models import Message
from workestra.tenancy.models import Member


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address; either may be empty."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """An attachment's place in its message and what is known of it. `size` in bytes."""

    index: int
    name: str
    content_type: str
    size: int
    is_inline: bool


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message of a thread."""

    id: int
    from_name: str
    from_address: str
    to: list[Person]
    cc: list[Person]
    bcc: list[Person]
    reply_to: list[Person]
    received_at: datetime
    sent_at: datetime | None
    preview: str
    is_read: bool
    removed_at: datetime | None
    attachments: list[AttachmentView]
    web_link: str
    mailbox_address: str
    folder_name: str
    flag: str
    categories: list[str]
    importance: str
    is_sent: bool


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A thread, oldest message first."""

    thread_id: int
    subject: str
    messages: list[MessageView]
    mailboxes: list[str]
    unread: bool


def thread(*, member: Member, thread_id: int) -> ThreadView | None:
    """The thread as this member may see it, or None. The same mail in two of their mailboxes shows once."""
    rows = list(
        Message.objects.filter(
            thread_id=thread_id, connection_id__in=viewer.visible_ids(member=member), is_draft=False
        )
        .select_related("connection", "folder")
        .defer("body", "search", "headers")
        .order_by("received_at", "id")
    )
    if not rows:
        return None
    chosen: dict[str, Message] = {}
    for row in rows:
        key = row.internet_message_id or f"#{row.pk}"
        best = chosen.get(key)
        # Of several copies the one that is still there counts, and of those the received one.
        if best is None or _rank(row) < _rank(best):
            chosen[key] = row
    shown = sorted(chosen.values(), key=lambda row: (row.received_at, row.pk))
    return ThreadView(
        thread_id=thread_id,
        subject=next((row.subject for row in reversed(shown) if row.subject), ""),
        messages=[_message(row) for row in shown],
        mailboxes=sorted({row.connection.address for row in rows}),
        unread=any(not row.is_read and row.removed_at is None for row in rows),
    )


def _rank(row: Message) -> tuple[bool, bool, int]:
    return row.removed_at is not None, row.folder.role == "sentitems", row.pk


def _people(row: Message, key: str) -> list[Person]:
    return [Person(name=one[0], address=one[1]) for one in row.people.get(key) or ()]


def _message(row: Message) -> MessageView:
    return MessageView(
        id=row.pk,
        from_name=row.from_name,
        from_address=row.from_address,
        to=_people(row, "to"),
        cc=_people(row, "cc"),
        bcc=_people(row, "bcc"),
        reply_to=_people(row, "reply_to"),
        received_at=row.received_at,
        sent_at=row.sent_at,
        preview=row.preview,
        is_read=row.is_read,
        removed_at=row.removed_at,
        attachments=[
            AttachmentView(
                index=index,
                name=one.get("name", ""),
                content_type=one.get("type", ""),
                size=one.get("size", 0),
                is_inline=one.get("inline", False),
            )
            for index, one in enumerate(row.attachments)
        ],
        web_link=row.web_link if row.web_link.startswith("https://") else "",
        mailbox_address=row.connection.address,
        folder_name=row.folder.name,
        flag=row.flag,
        categories=list(row.categories),
        importance=row.importance,
        is_sent=row.folder.role == "sentitems",
    )
