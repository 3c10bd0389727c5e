"""A thread as the reader shows it: every message once, from the copies that the viewer may see.

Read is what this viewer's Outlook says, where the mailbox is theirs, and what they saw themselves elsewhere. The
same mail in several of their mailboxes is read once it is read in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from workestra.mail.doors import readstate, seen, viewer
from workestra.mail.models import Message
from workestra.tenancy.models import Member

LATEST = datetime(9999, 12, 30, tzinfo=UTC)  # that every time zone can show


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
    """A thread, oldest message first. `refusal`: why Outlook did not take the viewer's last mark, a code or ""."""

    thread_id: int
    subject: str
    messages: list[MessageView]
    mailboxes: list[str]
    unread: bool
    categories: list[str]
    refusal: str


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
    private = viewer.private_ids(member=member)
    upto = seen.upto(member=member, thread_id=thread_id, connections=private)
    chosen: dict[str, Message] = {}
    unread: set[str] = set()
    for row in rows:
        key = row.internet_message_id or f"#{row.pk}"
        if row.removed_at is None and not _is_read(row, upto):
            unread.add(key)
        best = chosen.get(key)
        # Of several copies the one that is still there counts, and of those the received one.
        if best is None or _rank(row) < _rank(best):
            chosen[key] = row
    shown = sorted(chosen.items(), key=lambda one: (one[1].received_at, one[1].pk))
    return ThreadView(
        thread_id=thread_id,
        subject=next((row.subject for _, row in reversed(shown) if row.subject), ""),
        messages=[_message(row, is_read=key not in unread) for key, row in shown],
        mailboxes=sorted({row.connection.address for row in rows}),
        unread=bool(unread),
        categories=sorted({one for _, row in shown for one in row.categories if row.removed_at is None}),
        refusal=readstate.refusal(member=member, thread_id=thread_id),
    )


def _is_read(row: Message, upto: Mapping[int, datetime]) -> bool:
    mark = upto.get(row.connection_id)
    return row.is_read if mark is None else min(row.received_at, LATEST) <= mark


def _rank(row: Message) -> tuple[bool, bool, int]:
    return row.removed_at is not None, row.folder.role == "sentitems", row.pk


def _people(row: Message, key: str) -> list[Person]:
    return [Person(name=one[0], address=one[1]) for one in row.people.get(key) or ()]


def _message(row: Message, *, is_read: bool) -> MessageView:
    return MessageView(
        id=row.pk,
        from_name=row.from_name,
        from_address=row.from_address,
        to=_people(row, "to"),
        cc=_people(row, "cc"),
        bcc=_people(row, "bcc"),
        reply_to=_people(row, "reply_to"),
        received_at=min(row.received_at, LATEST),
        sent_at=min(row.sent_at, LATEST) if row.sent_at else None,
        preview=row.preview,
        is_read=is_read,
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
