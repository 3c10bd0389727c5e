"""The live lane of one connection: loops until there is nothing left to do, then ends.

    notices > waiting runs (delta of every tracked folder) > content that may have been edited
    > first rounds, a page at a time > proofs

One job a connection at most runs at once. What arrives while it runs is met by its next turn; what arrives
after its last look finds a new job, because one more may wait while this one runs.
"""

from __future__ import annotations

import asyncio

from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, Gone, GraphError, NoMailbox, SignInNeeded, Throttled
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import folders, notices, outcomes, runs
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.runs import Tally
from workestra.mail.doors.steps import LostRace
from workestra.mail.flows import notice, prove, recheck, since, tree, walk
from workestra.mail.flows.logged import Meter, logged
from workestra.mail.flows.microsoft import Counted, graph_for

MOST_PROBLEMS = 3  # folders that fail in one sync, before it is taken for Microsoft's fault as a whole


async def pull(*, ref: Ref) -> None:
    """Bring the connection up to date. Raises GraphError: the job decides what that means."""
    counted = Counted()
    meter = Meter(counted=counted)
    graph = graph_for(workspace=ref.workspace, connection=ref.connection, counted=counted)
    here: Ref | None = ref
    looked_again = False
    while here is not None and here.state == "active":
        try:
            if not await _turn(graph, here, meter):
                return
        except LostRace:
            pass  # somebody else went on: read again
        except (Gone, CursorExpired):
            if looked_again:
                raise
            looked_again = True  # a folder was deleted since its tree was read: Graph has several words for it
            async with logged(ref=here, kind="first", why="schedule", meter=meter):
                here = await tree.refresh(graph=graph, ref_=here)
        here = await tree.reread(ref_=here)


async def _turn(graph: Graph, ref: Ref, meter: Meter) -> bool:
    """Do the most urgent thing. False: nothing was left."""
    unread = await hop(lambda: notices.unread(ref=ref, now=clock.now()))
    waiting = await hop(lambda: runs.begin(ref=ref, now=clock.now()))
    if not ref.folders:
        async with logged(ref=ref, kind="first", why="connected", meter=meter):
            ref = await tree.refresh(graph=graph, ref_=ref)
    if unread:
        async with logged(ref=ref, kind="notice", why="notice", meter=meter) as tally:
            await notice.work_off(graph=graph, ref=ref, unread=unread, tally=tally)
    if waiting:
        await _sync(graph, ref, waiting, meter)
        return True
    if unread:
        return True
    async with logged(ref=ref, kind="content", why="notice", meter=meter) as tally:
        if await recheck.content(graph=graph, ref=ref, tally=tally):
            return True
    unready = [one for one in ref.tracked if not one.ready]
    if unready:
        await _first(graph, ref, unready, meter)
        return True
    unproven = next((one for one in ref.tracked if one.prove and not ref.pulling), None)
    if unproven is not None:
        await _check(graph, ref, unproven, meter)
        return True
    return False


async def _first(graph: Graph, ref: Ref, unready: list[FolderRef], meter: Meter) -> None:
    """A page of the first round of a folder."""
    async with logged(ref=ref, kind="first", why="connected", meter=meter) as tally:
        await walk.page(graph=graph, ref=ref, folder=unready[0], tally=tally)


async def _check(graph: Graph, ref: Ref, folder: FolderRef, meter: Meter) -> None:
    """The ids of a folder, compared with Outlook's."""
    run = await hop(lambda: runs.opened(ref=ref, kind="check", why="schedule", started=clock.now()))
    async with logged(ref=ref, kind="check", why="schedule", meter=meter) as tally:
        await prove.folder(graph=graph, ref=ref, folder=folder, look=prove.Look(run=run), tally=tally)


async def _sync(graph: Graph, ref: Ref, waiting: list[int], meter: Meter) -> None:
    """One delta sync of every tracked folder, for all runs that wait for one."""
    meter.begin()
    tally = Tally()
    try:
        kinds = await hop(lambda: runs.kinds(ref=ref, ids=waiting))
        # A person who presses Sync now may have made the folder a moment ago.
        outdated = await hop(lambda: folders.outdated(ref=ref, now=clock.now()))
        if outdated or kinds & {"full", "manual"}:
            ref = await tree.refresh(graph=graph, ref_=ref)
        problems: list[GraphError] = []
        for one in ref.tracked:
            try:
                if one.ready:
                    await _round(graph, ref, one.id, tally)
                else:
                    await since.folder(graph=graph, ref=ref, folder=one, tally=tally)
            except (SignInNeeded, Throttled, NoMailbox):
                raise  # the whole mailbox's
            except GraphError as failure:
                problems.append(failure)  # the mail of other folders is not to wait for it
                if len(problems) == MOST_PROBLEMS:
                    raise
        if "full" in kinds:
            await hop(lambda: folders.ask_proof(ref=ref))
        if problems:
            raise problems[0]
    finally:
        meter.into(tally)
        await asyncio.shield(hop(lambda: runs.cost(ref=ref, ids=waiting, tally=tally)))
    await hop(lambda: outcomes.succeed(ref=ref, ids=waiting, found=tally.found, now=clock.now()))


async def _round(graph: Graph, ref: Ref, folder: int, tally: Tally) -> None:
    """Walk a folder's delta to the end of its round."""
    here: Ref | None = ref
    while here is not None:
        one = next((each for each in here.tracked if each.id == folder), None)
        if one is None or await walk.page(graph=graph, ref=here, folder=one, tally=tally):
            return
        here = await tree.reread(ref_=here)
