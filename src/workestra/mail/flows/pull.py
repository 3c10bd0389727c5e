"""The live lane of one connection: loops until there is nothing left to do, then ends.

    notices > waiting runs (delta of every tracked folder) > content that may have been edited
    > first rounds, a page at a time > proofs

One job a connection at most runs at once. What arrives while it runs is met by its next turn; what arrives
after its last look finds a new job, because one more may wait while this one runs.
"""

from __future__ import annotations

import asyncio
import contextlib

from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, Gone, GraphError, NoMailbox, SignInNeeded, Throttled, Unreachable
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import folders, notices, outcomes, runs
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.runs import Tally
from workestra.mail.doors.steps import LostRace
from workestra.mail.flows import notice, prove, recheck, refusal, since, tree, walk
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
    waiting = await hop(lambda: runs.begin(ref=ref, now=clock.now()))
    if not ref.folders:
        async with logged(ref=ref, kind="first", why="connected", meter=meter):
            ref = await tree.refresh(graph=graph, ref_=ref)
    told = await _notices(graph, ref, meter)
    if waiting:
        await _sync(graph, ref, waiting, meter)
        return True
    if told:
        return True
    async with logged(ref=ref, kind="content", why="notice", meter=meter) as tally:
        if await recheck.content(graph=graph, ref=ref, tally=tally):
            return True
    unready = next((one for one in ref.readable if not one.ready), None)
    if unready is not None:
        await _first(graph, ref, unready, meter)
        return True
    unproven = next((one for one in ref.readable if one.prove and not ref.pulling), None)
    if unproven is not None:
        await _check(graph, ref, unproven, meter)
        return True
    return False


async def _notices(graph: Graph, ref: Ref, meter: Meter, *, within: Tally | None = None) -> bool:
    """Work off what Microsoft has told of. `within`: longer work that this interrupts. False: there was nothing."""
    unread = await hop(lambda: notices.unread(ref=ref, now=clock.now()))
    if not unread:
        return False
    if within is not None:
        meter.into(within)
    async with logged(ref=ref, kind="notice", why="notice", meter=meter) as tally:
        await notice.work_off(graph=graph, ref=ref, unread=unread, tally=tally)
    return True


async def _first(graph: Graph, ref: Ref, folder: FolderRef, meter: Meter) -> None:
    """A page of the first round of a folder."""
    async with logged(ref=ref, kind="first", why="connected", meter=meter) as tally:
        try:
            await walk.page(graph=graph, ref=ref, folder=folder, tally=tally)
        except GraphError as problem:
            if not refusal.lasting(problem=problem, failures=ref.failures):
                raise
            await refusal.put_aside(graph=graph, ref=ref, folder=folder, problem=problem)


async def _check(graph: Graph, ref: Ref, folder: FolderRef, meter: Meter) -> None:
    """The ids of a folder, compared with Outlook's. It takes minutes for a large one: notices do not wait for it."""
    run = await hop(lambda: runs.opened(ref=ref, kind="check", why="schedule", started=clock.now()))
    busy = asyncio.Lock()
    async with logged(ref=ref, kind="check", why="schedule", meter=meter) as tally:

        async def seen(messages: int) -> None:
            if not busy.locked():
                async with busy:
                    with contextlib.suppress(Unreachable):  # the next turn tries again: a comparison is long
                        await _notices(graph, ref, meter, within=tally)

        look = prove.Look(run=run, seen=seen)
        try:
            await prove.folder(graph=graph, ref=ref, folder=folder, look=look, tally=tally)
        except GraphError as problem:
            if not refusal.lasting(problem=problem, failures=ref.failures):
                raise
            await refusal.put_aside(graph=graph, ref=ref, folder=folder, problem=problem, prove=False)


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
        if "full" in kinds:
            await hop(lambda: folders.ask_proof(ref=ref))
        problems: list[GraphError] = []
        for one in ref.tracked:
            try:
                if one.ready:
                    await _round(graph, ref, one.id, tally, meter)
                else:
                    await since.folder(graph=graph, ref=ref, folder=one, tally=tally)
                if one.refused:
                    await hop(lambda one=one: folders.readable(ref=ref, folder=one.id))  # type: ignore[misc]
            except (SignInNeeded, Throttled, NoMailbox):
                raise  # the whole mailbox's
            except GraphError as failure:
                if refusal.lasting(problem=failure, failures=ref.failures, known=one.refused):
                    await refusal.put_aside(graph=graph, ref=ref, folder=one, problem=failure)
                    continue
                problems.append(failure)  # the mail of other folders is not to wait for it
                if len(problems) == MOST_PROBLEMS:
                    raise
        if problems:
            raise problems[0]
    finally:
        meter.into(tally)
        await asyncio.shield(hop(lambda: runs.cost(ref=ref, ids=waiting, tally=tally)))
    await hop(lambda: outcomes.succeed(ref=ref, ids=waiting, found=tally.found, now=clock.now()))


async def _round(graph: Graph, ref: Ref, folder: int, tally: Tally, meter: Meter) -> None:
    """Walk a folder's delta to the end of its round. A new one takes minutes for a large folder: notices do not wait
    for it.
    """
    here: Ref | None = ref
    while here is not None:
        one = next((each for each in here.tracked if each.id == folder), None)
        if one is None or await walk.page(graph=graph, ref=here, folder=one, tally=tally):
            return
        await _notices(graph, here, meter, within=tally)
        here = await tree.reread(ref_=here)
