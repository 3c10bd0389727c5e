"""What the store holds of a folder, stretch by stretch of time: for comparing it with Outlook's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min

from workestra.mail.doors.ref import Ref
from workestra.mail.doors.store import cursor
from workestra.mail.intake import stored_digest
from workestra.mail.models import Folder, Message
from workestra.rules.comparing import State
from workestra.tenancy.rows import scope

STATES = """
select m.immutable_id, m.change_key, m.is_read, m.flag, m.categories,
       not exists (select 1 from mail_readchange c where c.message_id = m.id and c.refused = ''),
       case when %(bodies)s then m.body end
from mail_message m
where m.folder_id = %(folder)s and m.connection_id = %(connection)s and m.removed_at is null
  and m.received_at >= %(since)s
  and (%(above)s::timestamptz is null or m.received_at > %(above)s)
  and (%(upto)s::timestamptz is null or m.received_at <= %(upto)s)
"""


def between(
    *, ref: Ref, folder: int, since: datetime, above: datetime | None, upto: datetime | None, bodies: bool
) -> dict[str, State]:
    """The live messages of the folder with since <= received, and above < received <= upto (None: no bound), by
    immutable id. `bodies`: with the digest of what is stored of each body.
    """
    with scope(workspace=ref.workspace):
        some = cursor()
        bounds = {"since": since, "above": above, "upto": upto}
        some.execute(STATES, {"folder": folder, "connection": ref.connection, "bodies": bodies, **bounds})
        return {
            row[0]: State(
                version=row[1],
                is_read=row[2],
                flag=row[3],
                categories=tuple(row[4]),
                body=stored_digest(body=bytes(row[6])) if bodies else None,
                settled=row[5],
            )
            for row in some.fetchall()
        }


def oldest(*, ref: Ref, folder: int) -> datetime | None:
    """When the oldest live message that is held of the folder was received."""
    with scope(workspace=ref.workspace):
        rows = Message.objects.filter(connection_id=ref.connection, folder_id=folder, removed_at__isnull=True)
        at: datetime | None = rows.aggregate(at=Min("received_at"))["at"]
    return at


def live(*, ref: Ref, ids: Sequence[str]) -> set[str]:
    """Those of these ids that the store shows in some folder."""
    if not ids:
        return set()
    with scope(workspace=ref.workspace):
        some = cursor()
        some.execute(
            "select immutable_id from mail_message where workspace_id = %s and connection_id = %s"
            " and immutable_id = any(%s) and removed_at is null",
            (ref.workspace, ref.connection, list(ids)),
        )
        return {row[0] for row in some.fetchall()}


def doubt(*, ref: Ref, ids: Sequence[str]) -> None:
    """What is stored of these is not what Outlook has: their content is read again, whatever their version says."""
    with scope(workspace=ref.workspace):
        cursor().execute(
            "update mail_message set doubted = true where workspace_id = %s and connection_id = %s"
            " and immutable_id = any(%s)",
            (ref.workspace, ref.connection, list(ids)),
        )


def agreed(*, ref: Ref, folder: int) -> int:
    """How many messages of the folder may leave because a person said so."""
    with scope(workspace=ref.workspace):
        return Folder.objects.values_list("sweep_agreed", flat=True).get(pk=folder)


def edges(*, ref: Ref, folder: int, since: datetime, until: datetime | None, every: int) -> list[datetime]:
    """Whole seconds, newest first, that cut what the folder holds of [since, until) into about `every` messages."""
    with scope(workspace=ref.workspace):
        some = cursor()
        some.execute(
            "select distinct date_trunc('second', received_at) from ("
            " select received_at, row_number() over (order by received_at desc) as place from mail_message"
            " where folder_id = %s and connection_id = %s and removed_at is null and received_at >= %s"
            " and (%s::timestamptz is null or received_at < %s)"
            ") as held where place %% %s = 0 order by 1 desc",
            (folder, ref.connection, since, until, until, every),
        )
        return [row[0] for row in some.fetchall()]


@dataclass(frozen=True, slots=True)
class Doubted:
    """Messages of one folder, newest first, whose content may have been edited: immutable id -> when received.

    `among`: how many live messages the folder holds from the oldest to the newest of them.
    """

    folder: int
    received: dict[str, datetime]
    among: int


def doubted(*, ref: Ref, most: int) -> Doubted | None:
    """The newest doubted messages of a folder that has any, up to `most`; None where there is no doubt."""
    with scope(workspace=ref.workspace):
        some = cursor()
        some.execute(
            "select folder_id, immutable_id, received_at from mail_message where connection_id = %(connection)s"
            " and doubted and removed_at is null and folder_id = (select min(folder_id) from mail_message"
            " where connection_id = %(connection)s and doubted and removed_at is null"
            " and folder_id <> all(%(refused)s::bigint[])) order by received_at desc limit %(most)s",
            {
                "connection": ref.connection,
                "most": most,
                "refused": [one.id for one in ref.folders if one.refused],
            },
        )
        rows = some.fetchall()
        if not rows:
            return None
        some.execute(
            "select count(*) from mail_message where folder_id = %s and removed_at is null"
            " and received_at between %s and %s",
            (rows[0][0], rows[-1][2], rows[0][2]),
        )
        among = some.fetchone()
    return Doubted(folder=rows[0][0], received={row[1]: row[2] for row in rows}, among=among[0] if among else 0)
