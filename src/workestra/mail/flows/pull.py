"""The live lane of one connection: loops until there is nothing left to do, then ends.

    notices > waiting runs (delta of every tracked folder) > first rounds, a page at a time > proofs

One job a connection at most runs at once. What arrives while it runs is met by its next turn; what arrives
after its last look finds a new job, because one more may wait while this one runs.
"""

from __future__ import annotations

from workestra.graph.client import Graph
from workestra.graph.errors import Gone
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import folders, notices, outcomes
from workestra.mail.doors.outcomes import Tally
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import LostRace
from workestra.mail.flows import notice, prove, since, tree, walk
from workestra.mail.flows.microsoft import Counted, graph_for
from workestra.mail.models import SyncRun


async def pull(*, ref: Ref) -> None:
    """Bring the connection up to date. Raises GraphError: the job decides what that means."""
    counted = Counted()
    graph = graph_for(workspace=ref.workspace, connection=ref.connection, counted=counted)
    here: Ref | None = ref
    looked_again = False
    while here is not None and here.state == "active":
        try:
            if not await _turn(graph, here, counted):
                return
        except LostRace:
            pass  # somebody else went on: read again
        except Gone:
            if looked_again:
                raise
            looked_again = True  # a folder was deleted since its tree was read
            here = await tree.refresh(graph=graph, ref_=here)
        here = await tree.reread(ref_=here)


async def _turn(graph: Graph, ref: Ref, counted: Counted) -> bool:
    """Do the most urgent thing. False: nothing was left."""
    unread = await hop(lambda: notices.unread(ref=ref, now=clock.now()))
    runs = await hop(lambda: outcomes.begin_runs(ref=ref, now=clock.now()))
    if not ref.folders:
        ref = await tree.refresh(graph=graph, ref_=ref)
    if unread:
        await notice.work_off(graph=graph, ref=ref, unread=unread, tally=Tally())
    if runs or not ref.first_done:
        await _sync(graph, ref, runs, counted)
        return True
    if unread:
        return True
    unready = next((one for one in ref.tracked if not one.ready), None)
    if unready is not None:
        await walk.page(graph=graph, ref=ref, folder=unready, tally=Tally())
        return True
    unproven = next((one for one in ref.tracked if one.prove and not ref.backfill), None)
    if unproven is not None:
        await prove.folder(graph=graph, ref=ref, folder=unproven, tally=Tally())
        return True
    return False


async def _sync(graph: Graph, ref: Ref, runs: list[SyncRun], counted: Counted) -> None:
    """One delta sync of every tracked folder, for all runs that wait for one."""
    tally = Tally()
    before = counted.requests
    full = any(run.kind == "full" for run in runs)
    if full or await hop(lambda: folders.outdated(ref=ref, now=clock.now())):
        ref = await tree.refresh(graph=graph, ref_=ref)
    for one in ref.tracked:
        if one.ready:
            await _round(graph, ref, one.id, tally)
        else:
            await since.folder(graph=graph, ref=ref, folder=one, tally=tally)
    if full:
        await hop(lambda: folders.ask_proof(ref=ref))
    tally.requests = counted.requests - before
    await hop(lambda: outcomes.succeed(ref=ref, runs=runs, tally=tally, now=clock.now()))


async def _round(graph: Graph, ref: Ref, folder: int, tally: Tally) -> None:
    """Walk a folder's delta to the end of its round."""
    here: Ref | None = ref
    while here is not None:
        one = next((each for each in here.tracked if each.id == folder), None)
        if one is None or await walk.page(graph=graph, ref=here, folder=one, tally=tally):
            return
        here = await tree.reread(ref_=here)
