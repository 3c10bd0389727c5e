"""The live lane of one connection: loops until there is nothing left to do, then ends.

    notices > waiting runs (delta of every tracked folder) > content that may have been edited
    > first rounds, a page at a time > proofs

One job a connection at most runs at once. What arrives while it runs is met by its next turn; what arrives
after its last look finds a new job, because one more may wait while this one runs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, Gone, GraphError
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


@dataclass(frozen=True, slots=True)
class _Job:
    """What lasts from turn to turn. `aside`: folders whose first round failed in this job."""

    graph: Graph
    meter: Meter
    aside: set[int] = field(default_factory=set)


async def pull(*, ref: Ref) -> None:
    """Bring the connection up to date. Raises GraphError: the job decides what that means."""
    counted = Counted()
    graph = graph_for(workspace=ref.workspace, connection=ref.connection, counted=counted)
    job = _Job(graph=graph, meter=Meter(counted=counted))
    here: Ref | None = ref
    looked_again = False
    while here is not None and here.state == "active":
        try:
            if not await _turn(job, here):
                await hop(lambda: runs.settle(ref=ref, now=clock.now()))
                return
        except LostRace:
            pass  # somebody else went on: read again
        except (Gone, CursorExpired):
            if looked_again:
                raise
            looked_again = True  # a folder was deleted since its tree was read: Graph has several words for it
            async with logged(ref=here, kind="first", why="schedule", meter=job.meter):
                here = await tree.refresh(graph=graph, ref_=here)
        here = await tree.reread(ref_=here)
        if here is not None:
            # A sync that succeeds forgets the tries; what failed before is still to be tried without what failed it.
            here = replace(here, failures=max(here.failures, ref.failures))


async def _turn(job: _Job, ref: Ref) -> bool:
    """Do the most urgent thing. False: nothing was left."""
    waiting = await hop(lambda: runs.begin(ref=ref, now=clock.now()))
    if not ref.folders:
        async with logged(ref=ref, kind="first", why="connected", meter=job.meter):
            ref = await tree.refresh(graph=job.graph, ref_=ref)
    announced = await _notices(job, ref)
    if waiting:
        await _sync(job, ref, waiting)
        return True
    if announced:
        return True
    async with logged(ref=ref, kind="content", why="notice", meter=job.meter) as tally:
        if await recheck.content(graph=job.graph, ref=ref, tally=tally):
            return True
    unready = next((one for one in ref.tracked if not one.ready and one.id not in job.aside), None)
    if unready is not None:
        await _first(job, ref, unready)
        return True
    unproven = next((one for one in ref.tracked if one.prove and not one.refused and not ref.pulling), None)
    if unproven is not None:
        await _check(job, ref, unproven)
        return True
    return False


async def _notices(job: _Job, ref: Ref) -> bool:
    """Work off what Microsoft has told of. False: there was nothing."""
    unread = await hop(lambda: notices.unread(ref=ref, now=clock.now()))
    if not unread:
        return False
    async with logged(ref=ref, kind="notice", why="notice", meter=job.meter) as tally:
        await notice.work_off(graph=job.graph, ref=ref, unread=unread, tally=tally)
    return True


async def _meanwhile(job: _Job, ref: Ref, tally: Tally) -> None:
    """Work off notices within longer work, `tally`'s. Their failures are not its own: the next turn meets them."""
    job.meter.into(tally)
    try:
        await _notices(job, ref)
    except refusal.WHOLE:
        raise
    except GraphError:
        pass


async def _first(job: _Job, ref: Ref, folder: FolderRef) -> None:
    """A page of the first round of a folder."""
    async with logged(ref=ref, kind="first", why="connected", meter=job.meter) as tally:
        try:
            await walk.page(graph=job.graph, ref=ref, folder=folder, tally=tally)
        except GraphError as problem:
            await refusal.judge(graph=job.graph, ref=ref, folder=folder, problem=problem)
            job.aside.add(folder.id)


async def _check(job: _Job, ref: Ref, folder: FolderRef) -> None:
    """The ids of a folder, compared with Outlook's. It takes minutes for a large one: notices do not wait for it."""
    run = await hop(lambda: runs.opened(ref=ref, kind="check", why="schedule", started=clock.now()))
    busy = asyncio.Lock()
    async with logged(ref=ref, kind="check", why="schedule", meter=job.meter) as tally:

        async def seen(messages: int) -> None:
            if not busy.locked():
                async with busy:
                    await _meanwhile(job, ref, tally)

        look = prove.Look(run=run, seen=seen)
        try:
            await prove.folder(graph=job.graph, ref=ref, folder=folder, look=look, tally=tally)
        except GraphError as problem:
            await refusal.judge(graph=job.graph, ref=ref, folder=folder, problem=problem, prove=False)


async def _sync(job: _Job, ref: Ref, waiting: list[int]) -> None:
    """One delta sync of every tracked folder, for all runs that wait for one."""
    job.meter.begin()
    tally = Tally()
    try:
        kinds = await hop(lambda: runs.kinds(ref=ref, ids=waiting))
        # A person who presses Sync now may have made the folder a moment ago.
        outdated = await hop(lambda: folders.outdated(ref=ref, now=clock.now()))
        if outdated or kinds & {"full", "manual"}:
            ref = await tree.refresh(graph=job.graph, ref_=ref)
        if "full" in kinds:
            await hop(lambda: folders.ask_proof(ref=ref))
        await _rounds(job, ref, tally)
    finally:
        job.meter.into(tally)
        await asyncio.shield(hop(lambda: runs.cost(ref=ref, ids=waiting, tally=tally)))
    await hop(lambda: outcomes.succeed(ref=ref, ids=waiting, found=tally.found, now=clock.now()))


async def _rounds(job: _Job, ref: Ref, tally: Tally) -> None:
    """What each tracked folder has become since last time. The mail of one does not wait for another that fails."""
    read = 0
    refused: list[tuple[FolderRef, GraphError]] = []
    problems: list[GraphError] = []
    for one in ref.tracked:
        try:
            if one.ready:
                await _round(job, ref, one.id, tally)
            else:
                await since.folder(graph=job.graph, ref=ref, folder=one, tally=tally)
        except refusal.WHOLE:
            raise
        except GraphError as failure:
            if refusal.lasting(problem=failure):
                refused.append((one, failure))
                continue
            problems.append(failure)
            if len(problems) == MOST_PROBLEMS:
                raise
        else:
            read += 1
            if one.refused:
                await hop(lambda one=one: folders.readable(ref=ref, folder=one.id))  # type: ignore[misc]
    if refused and not read:
        raise refused[0][1]
    for one, problem in refused:
        await refusal.put_aside(graph=job.graph, ref=ref, folder=one, problem=problem)
    if problems:
        raise problems[0]


async def _round(job: _Job, ref: Ref, folder: int, tally: Tally) -> None:
    """Walk a folder's delta to the end of its round. A new one takes minutes for a large folder: notices do not wait
    for it.
    """
    here: Ref | None = ref
    while here is not None:
        one = next((each for each in here.tracked if each.id == folder), None)
        if one is None or await walk.page(graph=job.graph, ref=here, folder=one, tally=tally):
            return
        await _meanwhile(job, here, tally)
        here = await tree.reread(ref_=here)
