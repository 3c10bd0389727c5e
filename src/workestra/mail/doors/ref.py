"""What a flow needs to know of the connection it works for, read once and passed on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from workestra.mail.models import Backfill, Connection, Folder
from workestra.rules.replication import LIVE, OPEN


@dataclass(frozen=True, slots=True)
class FolderRef:
    """A folder and the place that its walk has reached."""

    id: int
    graph_id: str
    role: str
    tracked: bool
    cursor: str
    link: str
    ready: bool
    prove: bool
    refused: bool  # the last try to read it failed
    since_at: datetime | None
    total: int  # as the folder's own count says, things that are no mail included


@dataclass(frozen=True, slots=True)
class Ref:
    """A connection as flows see it. `pulling` is True while a worker may pull history."""

    workspace: int
    connection: int
    mailbox: int
    root: str
    state: str
    kind: str
    connected_at: datetime
    scope_start: datetime
    first_done: bool
    folders: tuple[FolderRef, ...] = field(default=())
    pulling: bool = False
    failures: int = 0  # tries in a row
    history_until: datetime | None = None  # what is received before is an open backfill's to bring

    @property
    def tracked(self) -> tuple[FolderRef, ...]:
        """The folders whose mail is kept."""
        return tuple(folder for folder in self.folders if folder.tracked)

    @property
    def floor(self) -> datetime:
        """From here on everything is to be here already, whatever a backfill still brings."""
        if self.history_until is None:
            return self.scope_start
        return max(self.scope_start, min(self.connected_at, self.history_until))

    @property
    def by_graph_id(self) -> dict[str, FolderRef]:
        """Tracked folders by Graph's id."""
        return {folder.graph_id: folder for folder in self.tracked}


def read(*, connection: int) -> Ref | None:
    """The connection as it is now, or None. Inside its workspace's scope."""
    row = Connection.objects.filter(pk=connection).first()
    if row is None:
        return None
    folders = Folder.objects.filter(connection_id=connection, gone_at__isnull=True).order_by("id")
    open_ = list(Backfill.objects.filter(connection_id=connection, state__in=OPEN).values_list("state", "until"))
    states = {state for state, _ in open_}
    return Ref(
        workspace=row.workspace_id,
        connection=row.pk,
        mailbox=row.mailbox_id,
        root=row.root,
        state=row.state,
        kind=row.kind,
        connected_at=row.connected_at,
        scope_start=row.scope_start,
        first_done=row.first_done_at is not None,
        pulling=bool(states & set(LIVE)),
        failures=row.failures,
        history_until=min((until for _, until in open_), default=None),
        folders=tuple(
            FolderRef(
                id=folder.pk,
                graph_id=folder.graph_id,
                role=folder.role,
                tracked=folder.tracked,
                cursor=folder.cursor,
                link=folder.link,
                ready=folder.ready_at is not None,
                prove=folder.prove,
                refused=bool(folder.refused),
                since_at=folder.since_at,
                total=folder.total,
            )
            for folder in folders
        ),
    )
