"""Every connection of this installation, for the operator at the command line. It crosses workspaces, one at a time.

No page reads through this door: people read through `queries`, as themselves. It tells of connections, never of mail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workestra.mail.doors.cards import ConnectionCard, connection_cards
from workestra.mail.models import Connection
from workestra.tenancy.models import Member, Workspace
from workestra.tenancy.rows import scope


@dataclass(frozen=True, slots=True)
class Overview:
    """A connection with its workspace. `push` is "push" or "schedule"; `owner` an address; times in UTC."""

    id: int
    workspace_id: int
    workspace: str
    owner_id: int
    owner: str
    address: str
    kind: str
    state: str
    health: str
    last_success_at: datetime | None
    next_sync_at: datetime | None
    push: str
    push_expires_at: datetime | None
    error_code: str
    error_detail: dict[str, Any]

    @property
    def active(self) -> bool:
        """Whether it syncs: signed in and not disconnected."""
        return self.state == Connection.State.ACTIVE


def connections(*, now: datetime) -> list[Overview]:
    """All of them, workspace by workspace, in the order in which they were made."""
    return [one for workspace in Workspace.objects.order_by("id") for one in _of(workspace, now)]


def find(*, mailbox: str, now: datetime) -> list[Overview]:
    """The connections with this id or address (in any letter case); several where workspaces share a mailbox."""
    wanted = mailbox.strip().casefold()
    return [one for one in connections(now=now) if wanted in (str(one.id), one.address.casefold())]


def owner(*, of: Overview) -> Member:
    """The member whose connection it is. Inside its workspace's scope."""
    return Member.objects.get(pk=of.owner_id)


def _of(workspace: Workspace, now: datetime) -> Iterator[Overview]:
    with scope(workspace=workspace.pk):
        rows = {row.pk: row for row in Connection.objects.select_related("owner__user")}
        owners = {row.owner_id: row.owner for row in rows.values()}
        cards = [card for _, member in sorted(owners.items()) for card in connection_cards(member=member, now=now)]
    for card in sorted(cards, key=lambda one: one.id):
        yield _overview(workspace, rows[card.id], card)


def _overview(workspace: Workspace, row: Connection, card: ConnectionCard) -> Overview:
    return Overview(
        id=row.pk,
        workspace_id=workspace.pk,
        workspace=workspace.name,
        owner_id=row.owner_id,
        owner=row.owner.user.email,
        address=row.address,
        kind=row.kind,
        state=row.state,
        health=card.health,
        last_success_at=row.last_success_at,
        next_sync_at=card.next_sync_at,
        push=card.push,
        push_expires_at=card.push_expires_at,
        error_code=row.error_code,
        error_detail=row.error_detail,
    )
