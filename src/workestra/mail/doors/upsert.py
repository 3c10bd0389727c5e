"""Rows of `mail_message` from Letters, many in one statement.

Columns travel as binary arrays and are unnested by the server: one execution for a hundred rows costs a third
of a hundred pipelined ones, on both sides. A row changes only where the answer was asked for later than its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg

from workestra.mail.doors.ref import Ref
from workestra.mail.intake import Letter

AT_ONCE = 125  # under work_mem with usual bodies; larger batches gain nothing

# column -> (type of the array that brings it, what is made of it)
BROUGHT = {
    "immutable_id": ("text", ""),
    "change_key": ("text", ""),
    "folder_id": ("bigint", ""),
    "thread_id": ("bigint", ""),
    "internet_message_id": ("text", ""),
    "conversation_id": ("text", ""),
    "subject": ("text", ""),
    "preview": ("text", ""),
    "from_name": ("text", ""),
    "from_address": ("text", ""),
    "people": ("text", "::jsonb"),
    "received_at": ("timestamptz", ""),
    "sent_at": ("timestamptz", ""),
    "importance": ("text", ""),
    "categories": ("text", "::text[]"),
    "is_read": ("boolean", ""),
    "flag": ("text", ""),
    "is_draft": ("boolean", ""),
    "has_attachments": ("boolean", ""),
    "attachments": ("text", "::jsonb"),
    "headers": ("text", "::jsonb"),
    "web_link": ("text", ""),
    "body": ("bytea", ""),
    "body_type": ("text", ""),
    "body_size": ("bigint", ""),
    "body_hash": ("bytea", ""),
    "search": ("text", ""),
}
_VALUES = ", ".join(
    f"to_tsvector('simple', r.{name})" if name == "search" else f"r.{name}{cast}"
    for name, (_, cast) in BROUGHT.items()
)
UPSERT = (
    f"insert into mail_message (workspace_id, connection_id, stored_at, asked_at, {', '.join(BROUGHT)})"  # noqa: S608
    f" select %s::bigint, %s::bigint, %s::timestamptz, %s::timestamptz, {_VALUES}"
    f" from unnest({', '.join(f'%b::{kind}[]' for kind, _ in BROUGHT.values())}) as r ({', '.join(BROUGHT)})"
    " on conflict (workspace_id, connection_id, immutable_id) do update"
    " set removed_at = null, doubted = false, asked_at = excluded.asked_at, "
    + ", ".join(f"{name} = excluded.{name}" for name in BROUGHT if name != "immutable_id")
    + " where mail_message.asked_at < excluded.asked_at"
)


def upsert(
    *,
    cursor: psycopg.Cursor[Any],
    ref: Ref,
    letters: Sequence[Letter],
    threads: Mapping[str, int],
    asked_at: datetime,
    now: datetime,
) -> None:
    """Write these letters, in this order. `threads`: by immutable id."""
    folders = {graph_id: folder.id for graph_id, folder in ref.by_graph_id.items()}
    for start in range(0, len(letters), AT_ONCE):
        some = [_row(one, folders[one.folder], threads[one.immutable_id]) for one in letters[start : start + AT_ONCE]]
        columns = [list(column) for column in zip(*some, strict=True)]
        cursor.execute(UPSERT, (ref.workspace, ref.connection, now, asked_at, *columns), prepare=True)


def _row(one: Letter, folder: int, thread: int) -> tuple[Any, ...]:
    return (
        *(one.immutable_id, one.change_key, folder, thread, one.internet_message_id, one.conversation_id),
        *(one.subject, one.preview, one.from_name, one.from_address, one.people, one.received_at),
        *(one.sent_at, one.importance, _array(one.categories), one.is_read, one.flag, one.is_draft),
        *(one.has_attachments, one.attachments, one.headers, one.web_link, one.body),
        *(one.body_type, one.body_size, one.body_hash, one.words),
    )


def _array(texts: Sequence[str]) -> str:
    """A text[] literal: arrays of arrays of different lengths cannot travel."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
