"""Complete is proven, not assumed: per folder, Outlook's ids in the range are compared with ours.

Outlook's list is read newest first, a thousand ids a page, and compared stretch by stretch, so that a folder
of any size takes the memory of a few pages; several walkers share it, cut where what is held says. What is
missing here is fetched; what we hold and Outlook does not is asked for by id, and moves or leaves. The bound of
a stretch lies between two seconds: messages of the oldest second of a page are compared with the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.wire import Message
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import held, store
from workestra.mail.doors.outcomes import Tally
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.steps import ProvenStep, Step
from workestra.mail.flows import fetch
from workestra.mail.flows.places import Places
from workestra.mail.flows.together import together
from workestra.mail.intake import Mark
from workestra.rules.replication import missing

PAGE = 1000
SPARE = 50  # messages that Outlook may have more in a part and still answer in one page
WALKERS = 4
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Part:
    """[since, until) of the folder; None: to the end of the range."""

    number: int
    since: datetime | None
    until: datetime | None


async def folder(*, graph: Graph, ref: Ref, folder: FolderRef, tally: Tally) -> int:
    """Compare one folder and repair what differs. Returns the messages that Outlook has in the range."""
    edges = await hop(lambda: held.edges(ref=ref, folder=folder.id, every=PAGE - SPARE))
    parts = deque(enumerate(pairwise([None, *edges, None])))
    places = Places(ref=ref)

    async def walk() -> int:
        seen = 0
        while parts:
            number, (until, since) = parts.popleft()
            part = _Part(number, since, until)
            seen += await _walk(graph, ref, folder, part, places, tally)
        return seen

    try:
        total = sum(await together(walk() for _ in range(WALKERS)))
    finally:
        await asyncio.shield(places.close())
    step: list[Step] = [ProvenStep(folder=folder.id, total=total)]
    await hop(lambda: store.absorb(ref=ref, asked_at=clock.now(), now=clock.now(), steps=step))
    return total


async def _walk(graph: Graph, ref: Ref, folder: FolderRef, part: _Part, places: Places, tally: Tally) -> int:
    """Compare [since, until), page by page. Returns the messages that Outlook has there."""
    upper = part.until - MOMENT if part.until else None
    link: str | None = None
    carried: list[Message] = []
    total = 0
    while True:
        async with places.take(number=part.number):
            asked_at = clock.now()
            answer = await mail.ids(
                graph,
                root=ref.root,
                folder=folder.graph_id,
                since=part.since or ref.scope_start,
                until=part.until,
                size=PAGE,
                link=link,
            )
        link = answer.next_link
        some = carried + answer.value
        edge = min((one.received_date_time for one in some if one.received_date_time), default=None)
        lower = edge if link is not None else None
        carried = [one for one in some if lower is not None and one.received_date_time == lower]
        stretch = [one for one in some if lower is None or one.received_date_time != lower]
        if link is not None and not stretch:
            continue  # a whole page of one second: look at it with the next
        await _stretch(
            graph=graph,
            ref=ref,
            folder=folder,
            outlook=fetch.marks(messages=stretch),
            above=part.since - MOMENT if lower is None and part.since else lower,
            upto=upper,
            asked_at=asked_at,
            tally=tally,
        )
        total += len(stretch)
        upper = lower
        if link is None:
            return total


async def _stretch(
    *,
    graph: Graph,
    ref: Ref,
    folder: FolderRef,
    outlook: list[Mark],
    above: datetime | None,
    upto: datetime | None,
    asked_at: datetime,
    tally: Tally,
) -> None:
    for one in outlook:
        one.folder = one.folder or folder.graph_id
    ours = await hop(lambda: held.ids_between(ref=ref, folder=folder.id, above=above, upto=upto))
    _, surplus = missing(outlook=[one.immutable_id for one in outlook], held=ours)
    moved, gone = await fetch.by_id(graph=graph, ref=ref, ids=surplus, light=True) if surplus else ([], [])
    marks = outlook + fetch.marks(messages=moved)
    plan = await hop(lambda: store.compare(ref=ref, marks=marks, gone=gone, asked_at=asked_at))
    messages, vanished = await fetch.by_id(graph=graph, ref=ref, ids=plan.fetch, light=False)
    letters = await fetch.letters(ref=ref, messages=messages, asked_at=asked_at)
    outcome = await hop(
        lambda: store.absorb(
            ref=ref,
            asked_at=asked_at,
            now=clock.now(),
            letters=[one for one in letters if one.received_at >= ref.scope_start],
            marks=marks,
            gone=[*gone, *vanished],
            history=True,
        )
    )
    tally.added += len(outcome.added)
    tally.changed += outcome.changed
    tally.removed += outcome.removed
