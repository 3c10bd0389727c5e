"""Received since: full messages of a folder from a moment on, with overlap.

This brings new mail until a folder's first delta round is complete, which for a large folder takes a while.
The overlap and `ge` make sure that two messages of one second, or a late one, are not lost.
"""

from __future__ import annotations

from datetime import timedelta

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import TooLarge
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import store
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.runs import Tally
from workestra.mail.doors.steps import SinceStep
from workestra.mail.flows import fetch
from workestra.mail.flows.lane import lane

OVERLAP = timedelta(minutes=5)


async def folder(*, graph: Graph, ref: Ref, folder: FolderRef, tally: Tally) -> None:
    """Absorb what the folder received since the last such list."""
    since = max(ref.scope_start, (folder.since_at or ref.connected_at) - OVERLAP)
    begun = clock.now()
    link: str | None = None
    size = 50
    while True:
        asked_at = clock.now()
        try:
            async with lane(ref=ref):
                answer = await mail.received_since(
                    graph, since=since, root=ref.root, folder=folder.graph_id, size=size, link=link
                )
        except TooLarge:
            if size == 1:
                raise
            size, link = max(1, size // 4), None  # absorbing twice does no harm
            continue
        letters = await fetch.letters(ref=ref, messages=answer.value, asked_at=asked_at, folder=folder.graph_id)
        link = answer.next_link
        steps = [] if link else [SinceStep(folder=folder.id, since_at=begun)]
        outcome = await hop(
            lambda letters=letters, asked_at=asked_at, steps=steps: store.absorb(  # type: ignore[misc]
                ref=ref, asked_at=asked_at, now=clock.now(), letters=letters, steps=steps
            )
        )
        tally.added += len(outcome.added)
        tally.changed += outcome.changed
        if link is None:
            return
