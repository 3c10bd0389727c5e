"""Complete is proven, not assumed: per folder, Outlook's ids in the range are compared with ours.

Outlook's list is read newest first, a thousand ids a page, and compared stretch by stretch, so that a folder
of any size takes the memory of a page. What is missing here is fetched; what we hold and Outlook does not is
asked for by id, and moves or leaves. The bound of a stretch lies between two seconds: messages of the oldest
second of a page are compared with the next.
"""

from __future__ import annotations

from datetime import datetime

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
from workestra.mail.flows.lane import lane
from workestra.mail.intake import Mark
from workestra.rules.replication import missing

PAGE = 1000


async def folder(*, graph: Graph, ref: Ref, folder: FolderRef, tally: Tally) -> int:
    """Compare one folder and repair what differs. Returns the messages that Outlook has in the range."""
    upper: datetime | None = None
    link: str | None = None
    carried: list[Message] = []
    total = 0
    while True:
        asked_at = clock.now()
        async with lane(ref=ref):
            answer = await mail.ids(
                graph, root=ref.root, folder=folder.graph_id, since=ref.scope_start, size=PAGE, link=link
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
            above=lower,
            upto=upper,
            asked_at=asked_at,
            tally=tally,
        )
        total += len(stretch)
        upper = lower
        if link is None:
            break
    step: list[Step] = [ProvenStep(folder=folder.id, total=total)]
    await hop(lambda: store.absorb(ref=ref, asked_at=clock.now(), now=clock.now(), steps=step))
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
