"""Finding, making and joining threads, inside the transaction of a page.

Keys are inserted in order, so that two pages of two mailboxes that name the same messages wait for each other
instead of dying together; whoever comes second adopts the thread of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from workestra.mail.doors import seen
from workestra.rules.threading import Named, gather

Cursor = psycopg.Cursor[Any]


def assign(
    *, cursor: Cursor, workspace: int, messages: Sequence[Named], now: datetime
) -> tuple[dict[str, int], set[int]]:
    """The thread of each message by immutable id, and the threads into which others were joined.

    A message that shares keys with several threads joins them: the oldest stays. All of these are roots; where
    people split or merged, `arranged.arrange` finds the place in the family.
    """
    wanted = sorted({key for message in messages for key in message.keys})
    known = _known(cursor, workspace, wanted)
    groups = gather(messages=messages, known=known)
    fresh = [group for group in groups if not group.threads]
    made = _make(cursor, workspace, len(fresh), now)
    mine = {id(group): thread for group, thread in zip(fresh, made, strict=True)}
    proposed = {
        key: (group.threads[0] if group.threads else mine[id(group)])
        for group in groups
        for key in group.keys
        if key not in known
    }
    lost = _claim(cursor, workspace, proposed)
    place: dict[str, int] = {}
    joined: set[int] = set()
    for group in groups:
        threads = set(group.threads) | {lost[key] for key in group.keys if key in lost}
        if id(group) in mine:
            threads.add(mine[id(group)])  # joined away at once where somebody else was a moment faster
        keeper = min(threads)
        joined |= _join(cursor, workspace, keeper, threads - {keeper})
        place.update(dict.fromkeys(group.members, keeper))
    return place, joined


def _known(cursor: Cursor, workspace: int, keys: Sequence[bytes]) -> dict[bytes, int]:
    cursor.execute(
        "select key, thread_id from mail_threadkey where workspace_id = %s and key = any(%s)",
        (workspace, list(keys)),
    )
    return {bytes(key): thread for key, thread in cursor.fetchall()}


def _make(cursor: Cursor, workspace: int, count: int, now: datetime) -> list[int]:
    if not count:
        return []
    cursor.execute(
        "insert into mail_thread (workspace_id, created_at) select %s, %s from generate_series(1, %s) returning id",
        (workspace, now, count),
    )
    return [row[0] for row in cursor.fetchall()]


def _claim(cursor: Cursor, workspace: int, proposed: dict[bytes, int]) -> dict[bytes, int]:
    """Insert the keys; the threads of those that another transaction inserted first."""
    if not proposed:
        return {}
    keys = sorted(proposed)
    cursor.execute(
        "insert into mail_threadkey (workspace_id, key, thread_id)"
        " select %s, k, t from unnest(%s::bytea[], %s::bigint[]) as fresh (k, t)"
        " on conflict (workspace_id, key) do nothing returning key",
        (workspace, keys, [proposed[key] for key in keys]),
    )
    won = {bytes(row[0]) for row in cursor.fetchall()}
    late = [key for key in keys if key not in won]
    return _known(cursor, workspace, late) if late else {}


def _join(cursor: Cursor, workspace: int, keeper: int, others: set[int]) -> set[int]:
    """Move everything of `others` to `keeper` and drop them. Returns {keeper} if anything was joined."""
    if not others:
        return set()
    some = sorted(others)
    cursor.execute("select id from mail_thread where id = any(%s) order by id for update", ([keeper, *some],))
    cursor.execute("update mail_message set thread_id = %s where thread_id = any(%s)", (keeper, some))
    cursor.execute("update mail_threadkey set thread_id = %s where thread_id = any(%s)", (keeper, some))
    cursor.execute("update mail_threadpin set thread_id = %s where thread_id = any(%s)", (keeper, some))
    cursor.execute("update mail_thread set root_id = %s where root_id = any(%s)", (keeper, some))
    cursor.execute(
        "update mail_thread set parted = true where id = %s and not parted"
        " and exists (select from mail_thread where id = any(%s) and parted)",
        (keeper, some),
    )
    seen.joined(cursor=cursor, workspace=workspace, keeper=keeper, others=some)
    cursor.execute("delete from mail_threadcopy where thread_id = any(%s)", (some,))
    cursor.execute("delete from mail_thread where id = any(%s) and workspace_id = %s", (some, workspace))
    return {keeper}
