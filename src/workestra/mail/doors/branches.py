"""Which folders are tracked, in a way that stays true until the transaction ends.

A page is asked for with the folders that were known then. Another job may have read the tree since, left a folder
out and taken its mail out of the views; the page must not bring it back. So whoever stores mail holds the tree as it
is, together with others, and whoever changes it waits for them and has it alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg

from workestra.mail.doors.ref import Ref

_KEY = "(hashtextextended('mail tree', %s))"


def hold(*, cursor: psycopg.Cursor[Any], ref: Ref) -> Ref:
    """The same connection, its folders tracked or not as they are now."""
    cursor.execute(f"select pg_advisory_xact_lock_shared{_KEY}", (ref.connection,))
    cursor.execute(
        "select id from mail_folder where connection_id = %s and tracked and gone_at is null", (ref.connection,)
    )
    tracked = {row[0] for row in cursor.fetchall()}
    return replace(ref, folders=tuple(replace(one, tracked=one.id in tracked) for one in ref.folders))


def alone(*, cursor: psycopg.Cursor[Any], ref: Ref) -> None:
    """Wait for all who store mail of this connection, and let others wait."""
    cursor.execute(f"select pg_advisory_xact_lock{_KEY}", (ref.connection,))
