"""The mail of a connection as it is stored, message by message, in constant memory (OPS 2).

Only what people see: live messages of tracked folders. The rows come through a cursor of the server's, in the order
of their immutable ids, so that two exports of the same state are equal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection as database

from workestra.mail.intake import decompress
from workestra.mail.models import Folder
from workestra.tenancy.rows import scope

BATCH = 100
ROWS = """
select m.immutable_id, m.internet_message_id, m.conversation_id, m.folder_id, m.subject, m.from_name, m.from_address,
       m.people, m.received_at, m.sent_at, m.is_read, m.flag, m.categories, m.body, m.body_type
from mail_message m
where m.workspace_id = %s and m.connection_id = %s and m.removed_at is null and m.folder_id = any(%s)
order by m.immutable_id
"""


def lines(*, workspace: int, connection: int) -> Iterator[dict[str, Any]]:
    """One dictionary a message, in one transaction of its own that lasts until the last is taken.

    `bodySha256` is worked out from the stored body while exporting, not copied from the row.
    """
    with scope(workspace=workspace):
        folders = _folders(connection)
        with database.cursor() as settings:
            settings.execute("set local idle_in_transaction_session_timeout = 0")  # the reader may be slow
        with psycopg.ServerCursor(database.connection, "export") as cursor:
            cursor.itersize = BATCH
            cursor.execute(ROWS, (workspace, connection, list(folders)))
            for row in cursor:
                yield _line(row, folders)


def _folders(connection: int) -> dict[int, tuple[str, str]]:
    """Row id -> (path as Outlook shows it, Graph's id), for tracked folders."""
    rows = list(Folder.objects.filter(connection_id=connection, gone_at__isnull=True))
    by_graph_id = {row.graph_id: row for row in rows}
    return {row.pk: (_path(row, by_graph_id), row.graph_id) for row in rows if row.tracked}


def _path(row: Folder, by_graph_id: dict[str, Folder]) -> str:
    names: list[str] = []
    seen: set[int] = set()
    here: Folder | None = row
    while here is not None and here.pk not in seen and here.role != "msgfolderroot":
        seen.add(here.pk)
        names.append(here.name)
        here = by_graph_id.get(here.parent_graph_id)
    return "/".join(reversed(names))


def _line(row: tuple[Any, ...], folders: dict[int, tuple[str, str]]) -> dict[str, Any]:
    (graph_id, message_id, conversation, folder, subject, from_name, from_address, people, received, sent) = row[:10]
    is_read, flag, categories, body, body_type = row[10:]
    known = json.loads(people) if isinstance(people, str) else people
    path, folder_id = folders[folder]
    return {
        "immutableId": graph_id,
        "internetMessageId": message_id,
        "conversationId": conversation,
        "folder": path,
        "folderId": folder_id,
        "subject": subject,
        "from": _person([from_name, from_address]) if from_name or from_address else None,
        "to": [_person(one) for one in known.get("to", ())],
        "cc": [_person(one) for one in known.get("cc", ())],
        "bcc": [_person(one) for one in known.get("bcc", ())],
        "replyTo": [_person(one) for one in known.get("reply_to", ())],
        "receivedDateTime": _moment(received),
        "sentDateTime": _moment(sent),
        "isRead": is_read,
        "flag": flag,
        "categories": categories,
        "bodySha256": hashlib.sha256(decompress(body=bytes(body)).encode()).hexdigest(),
        "bodyType": body_type,
    }


def _person(pair: list[str]) -> dict[str, str]:
    return {"name": pair[0], "address": pair[1]}


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
