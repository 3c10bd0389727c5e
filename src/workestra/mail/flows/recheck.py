"""Content that may have been edited is read again: a light page told of a later version, not of what changed.

Outlook changes the key of a message with every write, also when it is only marked as read. Bodies that came long
ago are hardly ever edited, so they are not asked for one by one: where the messages lie close together, a page of
the folder's list brings a hundred of them; those that lie far apart come by batches.
"""

from __future__ import annotations

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import GraphError, TooLarge
from workestra.graph.wire import Message
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import held, store
from workestra.mail.doors.held import Doubted
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.runs import Tally
from workestra.mail.flows import fetch, refusal, tree
from workestra.mail.flows.lane import lane
from workestra.rules import replication

MOST = 100  # a page with bodies that comes without trouble
SPARE = 10  # messages that Outlook may have more between them than we hold


async def content(*, graph: Graph, ref: Ref, tally: Tally) -> bool:
    """Read the next doubted messages of one folder again. False: there were none, or nothing came of it."""
    some = await hop(lambda: held.doubted(ref=ref, most=MOST))
    if some is None:
        return False
    folder = next((one.graph_id for one in ref.tracked if one.id == some.folder), None)
    asked_at = clock.now()
    close = folder is not None and fetch.FEW < len(some.received) >= some.among / 2
    found = await _by_list(graph, ref, folder, some) if close and folder is not None else []
    rest = list(some.received.keys() - {one.id for one in found})
    read = await fetch.by_id(graph=graph, ref=ref, ids=rest, light=False)
    more = read.messages
    if folder is not None:
        received = {one: some.received[one] for one in [*read.gone, *read.kept_back]}
        try:
            more += await fetch.listed(graph=graph, ref=ref, folder=folder, received=received)
        except GraphError as problem:
            if not refusal.lasting(problem=problem):
                raise
            return False  # whoever walks the folder finds out what that means
    letters = await fetch.letters(ref=ref, messages=found + more, asked_at=asked_at, folder=folder or "")
    ref = await tree.knowing(graph=graph, ref_=ref, folders=(one.folder for one in letters))
    here = {one.immutable_id for one in letters}
    gone = [one for one in read.gone if one not in here]
    outcome = await hop(lambda: store.absorb(ref=ref, asked_at=asked_at, now=clock.now(), letters=letters, gone=gone))
    tally.changed += outcome.changed
    tally.removed += outcome.removed
    return outcome.changed + outcome.removed > 0


async def _by_list(graph: Graph, ref: Ref, folder: str, some: Doubted) -> list[Message]:
    """Those that one page of the folder's list brings."""
    times = some.received.values()
    try:
        async with lane(ref=ref):
            page = await mail.messages(
                graph,
                root=ref.root,
                folder=folder,
                since=min(times),
                until=replication.second_after(moment=max(times)),
                size=some.among + SPARE,
            )
    except GraphError as problem:
        if not isinstance(problem, TooLarge) and not refusal.lasting(problem=problem):
            raise
        return []
    return [one for one in page.value if one.id in some.received]
