"""The Inbox's list: newest threads first, each once, by keyset."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workestra.mail.doors import viewer
from workestra.mail.doors.seen import UNREAD
from workestra.mail.doors.store import cursor
from workestra.tenancy.models import Member

# Each mailbox gives its newest few by its own index; the newest of those, each thread once, are the page.
PAGE = """
with newest as (
    select k.thread_id, k.connection_id, k.last_at
    from unnest(%(connections)s::bigint[]) as c (id)
    cross join lateral (
        select k.thread_id, k.connection_id, k.last_at from mail_threadcopy k
        where k.connection_id = c.id and (not %(unread)s or IS_UNREAD(k))
          and (%(at)s::timestamptz is null or (k.last_at, k.thread_id) < (%(at)s, %(thread)s))
          and not exists (
            select 1 from mail_threadcopy o where o.workspace_id = k.workspace_id and o.thread_id = k.thread_id
              and o.connection_id = any(%(connections)s) and o.connection_id <> k.connection_id
              and (not %(unread)s or IS_UNREAD(o))
              and (o.last_at, o.connection_id) > (k.last_at, k.connection_id))
        order by k.last_at desc, k.thread_id desc limit %(limit)s
    ) k
    order by k.last_at desc, k.thread_id desc limit %(limit)s
)
"""
ROW = """
select n.thread_id, latest.subject, latest.people, latest.preview, n.last_at, all_of_it.messages,
       all_of_it.unread, all_of_it.has_attachments, all_of_it.flagged, all_of_it.mailboxes
from newest n
join mail_threadcopy latest on latest.thread_id = n.thread_id and latest.connection_id = n.connection_id
cross join lateral (
    select case when count(*) = 1 then max(o.messages) else (
               select count(distinct coalesce(nullif(m.internet_message_id, ''), m.id::text)) from mail_message m
               where m.thread_id = n.thread_id and m.connection_id = any(%(connections)s) and m.removed_at is null
                 and not m.is_draft) end as messages,
           bool_or(IS_UNREAD(o)) as unread,
           bool_or(o.has_attachments) as has_attachments, bool_or(o.flagged) as flagged,
           array_agg(c.address order by c.id) as mailboxes
    from mail_threadcopy o join mail_connection c on c.id = o.connection_id
    where o.thread_id = n.thread_id and o.connection_id = any(%(connections)s)
) all_of_it
order by n.last_at desc, n.thread_id desc
"""
IS_UNREAD = re.compile(r"IS_UNREAD\((\w)\)")
ONE = """
with newest as (
    select k.thread_id, k.connection_id, k.last_at from mail_threadcopy k
    where k.thread_id = %(thread)s and k.connection_id = any(%(connections)s)
    order by k.last_at desc, k.connection_id desc limit 1
)
"""


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in a list, from the copies that the viewer may see."""

    thread_id: int
    subject: str
    people: list[str]
    preview: str
    last_at: datetime
    message_count: int
    unread: bool
    has_attachments: bool
    mailboxes: list[str]
    flagged: bool


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page, and where the next one begins (None: the end)."""

    rows: list[ThreadRow]
    next: str | None


def _row(some: tuple[Any, ...]) -> ThreadRow:
    return ThreadRow(
        thread_id=some[0],
        subject=some[1],
        people=some[2],
        preview=some[3],
        last_at=some[4],
        message_count=some[5],
        unread=some[6],
        has_attachments=some[7],
        mailboxes=some[9],
        flagged=some[8],
    )


def _place(after: str | None) -> tuple[datetime | None, int]:
    """Read a place back. A place that nobody gave out is the beginning."""
    if not after:
        return None, 0
    try:
        at, _, thread = base64.urlsafe_b64decode(after.encode()).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        return (moment, int(thread)) if moment.tzinfo else (None, 0)
    except (ValueError, binascii.Error):
        return None, 0


def _write(row: ThreadRow) -> str:
    return base64.urlsafe_b64encode(f"{row.last_at.isoformat()} {row.thread_id}".encode()).decode()


def _unread(statement: str, private: Sequence[int]) -> str:
    """Fill in when a copy is unread for this viewer; where all mailboxes are theirs, its number says so."""
    said = UNREAD if private else "{k}.unread > 0"
    return IS_UNREAD.sub(lambda found: said.replace("{k}", found[1]), statement)


def inbox_page(
    *,
    member: Member,
    unread: bool = False,
    connection_id: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> InboxPage:
    """One page of the member's threads, newest first; stable while mail arrives. Three queries."""
    connections = viewer.visible_ids(member=member)
    if connection_id is not None:
        connections = [one for one in connections if one == connection_id]
    if not connections:
        return InboxPage(rows=[], next=None)
    at, thread = _place(after)
    some = cursor()
    private = viewer.private_ids(member=member)
    values = {"connections": connections, "unread": unread, "at": at, "thread": thread, "limit": limit + 1}
    some.execute(_unread(PAGE + ROW, private), {**values, "private": private, "member": member.pk})
    rows = [_row(one) for one in some.fetchall()]
    return InboxPage(rows=rows[:limit], next=_write(rows[limit - 1]) if len(rows) > limit else None)


def thread_row(*, member: Member, thread_id: int) -> ThreadRow | None:
    """One thread as the list shows it, or None where the member may not see it."""
    some = cursor()
    private = viewer.private_ids(member=member)
    values = {"connections": viewer.visible_ids(member=member), "thread": thread_id}
    some.execute(_unread(ONE + ROW, private), {**values, "private": private, "member": member.pk})
    row = some.fetchone()
    return _row(row) if row else None


def unread_count(*, member: Member) -> int:
    """Threads with unread mail that arrived since its mailbox was connected: history does not count."""
    some = cursor()
    private = viewer.private_ids(member=member)
    some.execute(
        _unread(
            "select count(distinct k.thread_id) from mail_threadcopy k"
            " where k.fresh > 0 and k.connection_id = any(%(connections)s) and IS_UNREAD(k)",
            private,
        ),
        {"connections": viewer.visible_ids(member=member), "private": private, "member": member.pk},
    )
    row = some.fetchone()
    return row[0] if row else 0
