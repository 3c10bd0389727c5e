"""What the store holds of a folder, stretch by stretch of time: for comparing ids with Outlook's."""

from __future__ import annotations

from datetime import datetime

from workestra.mail.doors.ref import Ref
from workestra.mail.doors.store import cursor
from workestra.tenancy.rows import scope


def ids_between(*, ref: Ref, folder: int, above: datetime | None, upto: datetime | None) -> list[str]:
    """Immutable ids of live messages in the folder with above < received <= upto (None: no bound), and never
    older than the connection's range."""
    with scope(workspace=ref.workspace):
        some = cursor()
        some.execute(
            "select immutable_id from mail_message where folder_id = %s and connection_id = %s"
            " and removed_at is null and received_at >= %s"
            " and (%s::timestamptz is null or received_at > %s) and (%s::timestamptz is null or received_at <= %s)",
            (folder, ref.connection, ref.scope_start, above, above, upto, upto),
        )
        return [row[0] for row in some.fetchall()]


def edges(*, ref: Ref, folder: int, every: int) -> list[datetime]:
    """Whole seconds, newest first, that cut what the folder holds in the range into about `every` messages."""
    with scope(workspace=ref.workspace):
        some = cursor()
        some.execute(
            "select distinct date_trunc('second', received_at) from ("
            " select received_at, row_number() over (order by received_at desc) as place from mail_message"
            " where folder_id = %s and connection_id = %s and removed_at is null and received_at >= %s"
            ") as held where place %% %s = 0 order by 1 desc",
            (folder, ref.connection, ref.scope_start, every),
        )
        return [row[0] for row in some.fetchall()]
