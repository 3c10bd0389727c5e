"""I8: a cursor never stands behind rows that are missing: what it has passed is in the store."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from m365sandbox.delta import SyncStateLost
from m365sandbox.mailbox import Mailbox
from m365sandbox.world import World
from workestra.mail.models import Backfill, Connection, Folder, Message
from workestra.rules.replication import OPEN
from workestra.tenancy.rows import scope


def passed(*, world: World, box: Mailbox, connection: Connection) -> list[str]:
    """Messages that a stored delta cursor has passed in the folder where they still lie, and that are not there."""
    found: list[str] = []
    with scope(workspace=connection.workspace_id):
        here = Connection.objects.get(pk=connection.pk)
        pulling = Backfill.objects.filter(connection=here, state__in=OPEN).exists()
        folders = list(Folder.objects.filter(connection=here, tracked=True, gone_at__isnull=True).exclude(cursor=""))
        held = dict(
            Message.objects.filter(connection=here, removed_at__isnull=True).values_list(
                "immutable_id", "folder__graph_id"
            )
        )
    since = max(here.scope_start, here.connected_at) if pulling else here.scope_start
    for row in folders:
        seq = _seq(world, box, row)
        folder = next((one for one in box.folders.values() if one.id == row.graph_id), None)
        if seq is None or folder is None:
            continue
        for item in folder.index.items():
            if item.change > seq or item.letter.received_at < since:
                continue
            if box.immutable_id(item) not in held:
                found.append(f"I8 {row.name} has passed {box.immutable_id(item)}, which is not there")
    return found


def _seq(world: World, box: Mailbox, row: Any) -> int | None:
    """The change up to which the folder's finished round has seen everything; None: not known any more."""
    token = parse_qs(urlsplit(row.cursor).query).get("$deltatoken", [""])[0]
    try:
        number = box.names.folder_number(row.graph_id)
        cursor = world.cursors.read(token, kind="messages", owner=box.owner_id, folder=number or 0)
    except SyncStateLost:
        return None
    return cursor.since
