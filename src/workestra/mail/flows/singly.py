"""A page of history that Outlook does not give as a whole: one broken message in it is enough. Its messages are named
by a light page, and read by their ids; those that Outlook does not give out are left to the comparison at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import GraphError
from workestra.mail.doors.ref import Ref
from workestra.mail.flows import fetch
from workestra.mail.intake import Letter, told
from workestra.mail.models import Folder, Slice
from workestra.rules import replication

PAGE = 100


@dataclass(frozen=True, slots=True)
class Named:
    """The ids of a page, and when the oldest was received; None where nothing is below it."""

    ids: tuple[str, ...]
    oldest: datetime | None


async def named(*, graph: Graph, ref: Ref, piece: Slice, problem: GraphError) -> Named:
    """Name the next messages of the slice. Raises `problem` where that leads no further, and GraphError."""
    until = piece.until if piece.reached is None else min(piece.until, replication.second_after(moment=piece.reached))
    answer = await mail.ids(
        graph, root=ref.root, folder=piece.folder.graph_id, since=piece.since, until=until, size=PAGE
    )
    ids = tuple(one.id for one in answer.value)
    if answer.next_link is None:
        return Named(ids, None)
    oldest = min((at for one in answer.value if (at := told(one.received_date_time)) is not None), default=None)
    if oldest is None or replication.second_after(moment=oldest) >= until:
        raise problem  # a page of one second
    return Named(ids, oldest)


async def read(
    *, graph: Graph, ref: Ref, some: Named, asked_at: datetime, folder: Folder, problem: GraphError
) -> list[Letter]:
    """Letters of those that Outlook gives out. Raises `problem` where it gives out none, and GraphError."""
    answers = await fetch.by_id(graph=graph, ref=ref, ids=some.ids, light=False)
    if answers.kept_back and not answers.messages:
        raise problem
    return await fetch.letters(ref=ref, messages=answers.messages, asked_at=asked_at, folder=folder.graph_id)
