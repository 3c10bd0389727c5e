"""What lists show of a thread, per mailbox, kept in step with its messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

# Kept short for lists, and within the years that every time zone can show. Mail from the future may have lain there
# long before: it is not counted as fresh.
REFRESH = """
with touched as (
    select t.thread_id, t.connection_id from unnest(%(threads)s::bigint[], %(connections)s::bigint[])
        as t (thread_id, connection_id)
), summed as (
    select m.thread_id, m.connection_id, count(*) as messages,
           count(*) filter (where not m.is_read) as unread,
           count(*) filter (where not m.is_read and m.received_at >= c.connected_at
                                  and m.received_at < m.stored_at + interval '1 day') as fresh,
           bool_or(m.has_attachments) as has_attachments, bool_or(m.flag = 'flagged') as flagged,
           least(max(m.received_at), '9999-12-30 00:00+00') as last_at
    from touched t
    join mail_message m on m.thread_id = t.thread_id and m.connection_id = t.connection_id
    join mail_connection c on c.id = m.connection_id
    where m.removed_at is null and not m.is_draft
    group by m.thread_id, m.connection_id
), gone as (
    delete from mail_threadcopy k using touched t
    where k.thread_id = t.thread_id and k.connection_id = t.connection_id
      and not exists (select 1 from summed s where s.thread_id = t.thread_id and s.connection_id = t.connection_id)
)
insert into mail_threadcopy
    (workspace_id, thread_id, connection_id, last_at, subject, preview, people, messages, unread, fresh,
     has_attachments, flagged)
select %(workspace)s, s.thread_id, s.connection_id, s.last_at, latest.subject, latest.preview, who.people,
       s.messages, s.unread, s.fresh, s.has_attachments, s.flagged
from summed s
cross join lateral (
    select left(m.subject, 1000) as subject, left(m.preview, 1000) as preview from mail_message m
    where m.thread_id = s.thread_id and m.connection_id = s.connection_id and m.removed_at is null and not m.is_draft
    order by m.received_at desc, m.id desc limit 1
) latest
cross join lateral (
    select coalesce(array_agg(name order by at desc), '{}') as people from (
        select left(coalesce(nullif(m.from_name, ''), m.from_address), 200) as name, max(m.received_at) as at
        from mail_message m
        where m.thread_id = s.thread_id and m.connection_id = s.connection_id and m.removed_at is null
          and not m.is_draft
        group by 1 order by 2 desc limit 5
    ) named
) who
order by s.thread_id, s.connection_id
on conflict (workspace_id, thread_id, connection_id) do update set
    last_at = excluded.last_at, subject = excluded.subject, preview = excluded.preview, people = excluded.people,
    messages = excluded.messages, unread = excluded.unread, fresh = excluded.fresh,
    has_attachments = excluded.has_attachments, flagged = excluded.flagged
"""


def refresh(*, cursor: psycopg.Cursor[Any], workspace: int, copies: Iterable[tuple[int, int]]) -> None:
    """Compute anew the copies of these (thread, connection) pairs; one without live messages goes."""
    pairs = sorted(set(copies))
    if not pairs:
        return
    cursor.execute(
        REFRESH,
        {
            "workspace": workspace,
            "threads": [thread for thread, _ in pairs],
            "connections": [connection for _, connection in pairs],
        },
    )


def refresh_threads(*, cursor: psycopg.Cursor[Any], workspace: int, threads: Iterable[int]) -> None:
    """Compute anew all copies of these threads, whichever mailboxes hold them."""
    some = sorted(set(threads))
    if not some:
        return
    cursor.execute("select distinct thread_id, connection_id from mail_message where thread_id = any(%s)", (some,))
    refresh(cursor=cursor, workspace=workspace, copies=[(row[0], row[1]) for row in cursor.fetchall()])
