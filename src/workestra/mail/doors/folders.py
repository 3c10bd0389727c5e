"""The folder tree as Outlook has it, and which folders are tracked (SYN 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as _replace
from datetime import datetime, timedelta

from workestra.graph import wire
from workestra.kit import clock
from workestra.kit.live import announce
from workestra.mail.doors import branches, copies
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.store import cursor
from workestra.mail.intake import clean
from workestra.mail.models import Connection, Folder
from workestra.rules.tracking import tracked_by_default
from workestra.tenancy.rows import scope

FRESH = timedelta(minutes=10)
TREE = ("name", "parent_graph_id", "role", "total", "tracked", "gone_at")
WALK = ("cursor", "link", "ready_at", "refused")


@dataclass(frozen=True, slots=True)
class Seen:
    """A folder as Graph tells of it."""

    graph_id: str
    parent: str
    name: str
    role: str
    total: int


def seen(*, folders: Sequence[wire.Folder], roles: Mapping[str, str]) -> list[Seen]:
    """The tree of wire folders; `roles`: well-known name -> folder id."""
    role_of = {graph_id: role for role, graph_id in roles.items()}
    return [
        Seen(
            graph_id=clean(one.id),
            parent=clean(one.parent_folder_id),
            name=clean(one.display_name)[:512],
            role=role_of.get(one.id, ""),
            total=one.total_item_count or 0,
        )
        for one in folders
    ]


def _default(one: Seen, by_id: Mapping[str, Seen]) -> bool:
    chain: dict[str, str] = {}
    here: Seen | None = one
    while here is not None and here.graph_id not in chain:
        chain[here.graph_id] = here.role
        here = by_id.get(here.parent)
    return tracked_by_default(roles=chain.values())


def replace(*, ref: Ref, folders: Sequence[Seen], now: datetime) -> None:
    """Make our tree equal to Outlook's. Mail of a folder that is gone or no longer tracked leaves the views;
    the messages themselves are asked about by whoever walks next."""
    with scope(workspace=ref.workspace):
        branches.alone(cursor=cursor(), ref=ref)
        held = {row.graph_id: row for row in Folder.objects.filter(connection_id=ref.connection)}
        # A folder keeps its well-known name: an answer may miss it for once.
        told = {one.role for one in folders}
        kept = {graph_id: row.role for graph_id, row in held.items() if row.role not in told}
        folders = [one if one.role else _replace(one, role=kept.get(one.graph_id, "")) for one in folders]
        by_id = {one.graph_id: one for one in folders}
        for one in folders:
            row = held.get(one.graph_id)
            if row is None:
                row = Folder(workspace_id=ref.workspace, connection_id=ref.connection, graph_id=one.graph_id)
            was = None if row.pk is None or row.gone_at else row.tracked
            row.name, row.parent_graph_id, row.role, row.total = one.name, one.parent, one.role, one.total
            row.tracked = _default(one, by_id) if row.chosen is None else row.chosen
            row.gone_at = None
            fields: tuple[str, ...] = TREE
            if (was is not None and was != row.tracked) or (row.pk and was is None):
                row.cursor, row.link, row.ready_at, row.refused = "", "", None, ""  # walked anew from here on
                fields = (*TREE, *WALK)
            row.save(update_fields=fields if row.pk else None)  # a walk may go on meanwhile
        lost = [row for graph_id, row in held.items() if graph_id not in by_id and row.gone_at is None]
        for row in lost:
            row.gone_at, row.tracked, row.cursor, row.link = now, False, "", ""
            row.save(update_fields=("gone_at", "tracked", "cursor", "link"))
        _clear(ref, now)
        Connection.objects.filter(pk=ref.connection).update(folders_at=now)
        if lost or len(held) != len(by_id):
            announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")


def _clear(ref: Ref, now: datetime) -> None:
    """What lies in folders that are no longer tracked leaves the views (it is kept, as removed)."""
    some = cursor()
    some.execute(
        "update mail_message m set removed_at = %s, change_key = '' from mail_folder f"
        " where f.id = m.folder_id and f.connection_id = %s and not f.tracked and m.connection_id = %s"
        " and m.removed_at is null returning m.thread_id",
        (now, ref.connection, ref.connection),
    )
    touched = {row[0] for row in some.fetchall()}
    copies.refresh(cursor=some, workspace=ref.workspace, copies=[(one, ref.connection) for one in touched])


def outdated(*, ref: Ref, now: datetime) -> bool:
    """Whether the tree was not read for some minutes."""
    with scope(workspace=ref.workspace):
        row = Connection.objects.filter(pk=ref.connection).values_list("folders_at", flat=True).first()
    return row is None or not now - FRESH <= row <= now + clock.SKEW


def restart_round(*, ref: Ref, folder: int, was_cursor: str, was_link: str) -> None:
    """The cursor is worn out: begin a new round, after which all ids are compared (SYN 9)."""
    with scope(workspace=ref.workspace):
        Folder.objects.filter(pk=folder, cursor=was_cursor, link=was_link).update(cursor="", link="", prove=True)


def ask_proof(*, ref: Ref) -> None:
    """Have the ids of every tracked folder compared with Outlook's."""
    with scope(workspace=ref.workspace):
        Folder.objects.filter(connection_id=ref.connection, tracked=True, gone_at__isnull=True).update(prove=True)


def refuse(*, ref: Ref, folder: int, why: str, prove: bool) -> None:
    """It cannot be read just now. `prove`: once it can, its ids are compared."""
    with scope(workspace=ref.workspace):
        row = Folder.objects.filter(pk=folder, gone_at__isnull=True)
        if row.filter(refused="").update(refused=clean(why)[:64] or "refused"):
            announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
        row.update(prove=prove)


def readable(*, ref: Ref, folder: int) -> None:
    """It can be read again, as far as is known: where its ids could not be compared, that is still to be tried."""
    with scope(workspace=ref.workspace):
        if Folder.objects.filter(pk=folder, prove=True).exclude(refused="").update(refused=""):
            announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
