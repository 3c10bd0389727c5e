"""What Outlook says of read states, held against changes that are on their way to it (SYN 11).

Runs inside the transaction of the page that says it, after its rows were written: the message rows are locked by
then, and a press takes the same lock first, so that neither misses the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg

from workestra.rules import readstate
from workestra.rules.readstate import Change

COLUMNS = "p.wanted, p.was, p.number, p.pressed_at, p.sent, p.accepted_at, p.refused <> ''"
# Only rows that this very page wrote: another one's answer, put later, has been held against the change already.
FIND = f"""
select m.immutable_id, p.message_id, {COLUMNS} from mail_readchange p join mail_message m on m.id = p.message_id
where p.connection_id = %s and m.immutable_id = any(%s) and m.asked_at = %s
order by p.message_id for update of p
"""  # noqa: S608


def change(*columns: Any) -> Change:
    """A Change from COLUMNS."""
    wanted, was, number, pressed_at, sent, accepted_at, refused = columns
    return Change(
        wanted=wanted,
        was=was,
        number=number,
        pressed_at=pressed_at,
        sent=sent,
        accepted_at=accepted_at,
        refused=refused,
    )


def told(
    *,
    cursor: psycopg.Cursor[Any],
    connection: int,
    states: Mapping[str, bool | None],
    asked_at: datetime,
    now: datetime,
) -> None:
    """Outlook told these read states by immutable id (None: it did not say); they have been written already.

    What was accepted well after now was accepted before a clock was put back: Outlook's word counts.
    """
    if not states:
        return
    cursor.execute("select 1 from mail_readchange where connection_id = %s limit 1", (connection,))
    if cursor.fetchone() is None:
        return
    cursor.execute(FIND, (connection, list(states), asked_at))
    for immutable_id, message, *columns in cursor.fetchall():
        is_read = states[immutable_id]
        if is_read is None:
            continue
        after, shown = readstate.told(change=change(*columns), is_read=is_read, asked_at=asked_at, now=now)
        if after is None:
            cursor.execute("delete from mail_readchange where message_id = %s", (message,))
        else:
            cursor.execute("update mail_readchange set was = %s where message_id = %s", (after.was, message))
        if shown != is_read:
            cursor.execute("update mail_message set is_read = %s where id = %s", (shown, message))


def gone(*, cursor: psycopg.Cursor[Any], connection: int, ids: Sequence[str]) -> None:
    """These messages left the folders that are kept: there is nothing to tell Outlook any more."""
    if ids:
        cursor.execute(
            "delete from mail_readchange p using mail_message m where m.id = p.message_id"
            " and p.connection_id = %s and m.immutable_id = any(%s) and m.removed_at is not null",
            (connection, list(ids)),
        )
