"""Private marks: how far a member has seen mail whose read state in Outlook is not theirs to change (SYN 11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workestra.mail.doors.steps import Cursor
from workestra.mail.models import SeenMark
from workestra.tenancy.models import Member

# How far a copy is seen: to its end, or up to just before what arrived last.
MARK = """
insert into mail_seenmark (workspace_id, member_id, thread_id, connection_id, upto)
select k.workspace_id, %(member)s, k.thread_id, k.connection_id,
       case when %(is_read)s then k.last_at else k.last_at - interval '1 microsecond' end
from mail_threadcopy k where k.thread_id = %(thread)s and k.connection_id = any(%(connections)s)
order by k.connection_id
on conflict (workspace_id, member_id, thread_id, connection_id) do update set upto = excluded.upto
where mail_seenmark.upto <> excluded.upto
"""
# When the copy that a statement calls {k} is unread for the viewer; %(private)s and %(member)s are to be given.
UNREAD = """
case when {k}.connection_id = any(%(private)s)
     then coalesce((select {k}.last_at > s.upto from mail_seenmark s where s.workspace_id = {k}.workspace_id
         and s.member_id = %(member)s and s.thread_id = {k}.thread_id and s.connection_id = {k}.connection_id),
         {k}.unread > 0)
     else {k}.unread > 0 end
"""


def mark(*, cursor: Cursor, member: Member, thread_id: int, connections: Sequence[int], is_read: bool) -> int:
    """Mark the member's view of these copies of a thread. Returns how many copies that changed."""
    if not connections:
        return 0
    cursor.execute(
        MARK,
        {"member": member.pk, "thread": thread_id, "connections": list(connections), "is_read": is_read},
    )
    return cursor.rowcount


def upto(*, member: Member, thread_id: int, connections: Sequence[int]) -> dict[int, datetime]:
    """How far the member has seen these copies (connection -> received up to then)."""
    if not connections:
        return {}
    marks = SeenMark.objects.filter(member=member, thread_id=thread_id, connection_id__in=list(connections))
    return dict(marks.values_list("connection_id", "upto"))


def joined(*, cursor: Cursor, workspace: int, keeper: int, others: Sequence[int]) -> None:
    """Threads are about to become one: what stays seen is what was seen in each of those that the mailbox holds."""
    threads = [keeper, *others]
    cursor.execute(
        "select s.member_id, s.connection_id, min(s.upto) from mail_seenmark s where s.thread_id = any(%(threads)s)"
        " group by 1, 2 having count(*) >= (select count(*) from mail_threadcopy k"
        " where k.thread_id = any(%(threads)s) and k.connection_id = s.connection_id)",
        {"threads": threads},
    )
    kept = [(workspace, member, keeper, connection, upto) for member, connection, upto in cursor.fetchall()]
    cursor.execute("delete from mail_seenmark where thread_id = any(%s)", (threads,))
    cursor.executemany(
        "insert into mail_seenmark (workspace_id, member_id, thread_id, connection_id, upto)"
        " values (%s, %s, %s, %s, %s)",
        kept,
    )
