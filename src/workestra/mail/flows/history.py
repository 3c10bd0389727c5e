"""A backfill, newest mail first, on streams over disjoint slices of time that share four places (BKF).

    plan: count each tracked folder, cut its range into slices
    pull: streams take slices, newest first, and walk them page by page; each page takes a place only while it is
          asked for, the newest slice first; before each page a stream sees whether the backfill still runs
    prove: ids of every folder are compared with Outlook's and repaired; then it is done

Whatever is in hand when somebody pauses or cancels is not stored: it is asked for again on Resume.
A worker that dies leaves slices where their last stored page put them; whoever comes next goes on from there.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import GraphError, Refused, Unreachable
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import backfills, runs, schedule, slots
from workestra.mail.doors.backfills import Work
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.steps import RunningStep, Stopped
from workestra.mail.flows import prove, refusal, streams, tree
from workestra.mail.flows.lane import lane, respect_pause
from workestra.mail.flows.logged import Account, Meter, logged
from workestra.mail.flows.microsoft import Counted, graph_for
from workestra.mail.flows.together import together
from workestra.rules import replication

PASSES = 2  # over the slices: most refusals of a folder pass


async def history(*, ref: Ref) -> None:
    """Work on the connection's backfill until it is done or may not go on. Raises GraphError."""
    work = await hop(lambda: backfills.current(ref=ref))
    if work is None:
        return
    longest = slots.LONGEST_PAUSE
    if work.waiting_until and not clock.due(work.waiting_until, now=clock.now(), longest=longest):
        at = work.waiting_until  # an earlier call woke us; the one that was asked for is spent with it
        await hop(lambda: schedule.wake(connection_id=ref.connection, at=at))
        return
    await respect_pause(ref=ref)
    if not await hop(lambda: backfills.start(ref=ref, work=work, now=clock.now())):
        return
    meter = Meter(counted=Counted())
    graph = graph_for(workspace=ref.workspace, connection=ref.connection, counted=meter.counted)
    begun = clock.now()
    run = await hop(lambda: runs.opened(ref=ref, kind="backfill", why="person", started=begun, backfill=work.id))
    async with logged(ref=ref, kind="backfill", why="person", meter=meter, over=False, backfill=work.id) as tally:
        account = Account(ref, run, meter, tally)
        if not ref.folders:
            ref = await tree.refresh(graph=graph, ref_=ref)
        whole = await _phases(graph=graph, ref=ref, work=work, account=account)
    if whole:
        await hop(lambda: backfills.finish(ref=ref, work=work, now=clock.now()))


async def _phases(*, graph: Graph, ref: Ref, work: Work, account: Account) -> bool:
    """Go on from the phase that the backfill has reached. True: it is pulled and proven; False: it may not go on."""
    if work.phase == "plan":
        await plan_range(graph=graph, ref=ref, work=work)
    if work.phase in ("plan", "pull"):
        for _ in range(PASSES):
            await streams.pull_range(graph=graph, ref=ref, work=work, came=account.came)
            if not await hop(lambda: backfills.may_go_on(ref=ref, work=work)):
                return False
            if not await hop(lambda: backfills.slices(ref=ref, work=work)):
                break
        await hop(lambda: backfills.to_phase(ref=ref, work=work, was="pull", phase="prove"))
    return await prove_range(graph=graph, ref=ref, work=work, account=account)


async def plan_range(*, graph: Graph, ref: Ref, work: Work) -> None:
    """Count what each tracked folder has in the range, and cut it into slices."""
    folders = ref.tracked
    measured = await together(_measure(graph, ref, work, folder) for folder in folders)
    stretches = [
        stretch
        for folder, (number, oldest) in zip(folders, measured, strict=True)
        for stretch in replication.cut(
            folder=folder.id,
            since=work.since,
            until=work.until,
            messages=max(1, folder.total) if number is None else number,
            oldest=oldest,
        )
    ]
    total = replication.total(counts=[number for number, _ in measured])
    await hop(lambda: backfills.plan(ref=ref, work=work, stretches=stretches, estimate=total, now=clock.now()))


async def _measure(graph: Graph, ref: Ref, work: Work, folder: FolderRef) -> tuple[int | None, datetime | None]:
    """How many messages of the range the folder has, and when the oldest came (None: not known)."""

    async def number() -> int | None:
        async with lane(ref=ref):
            return await mail.count(graph, root=ref.root, folder=folder.graph_id, since=work.since, until=work.until)

    async def oldest() -> datetime | None:
        if folder.total <= replication.SLICE_MESSAGES:
            return None
        async with lane(ref=ref):
            with contextlib.suppress(Refused, Unreachable):  # only makes the cuts even
                return await mail.oldest(graph, root=ref.root, folder=folder.graph_id, since=work.since)
        return None

    try:
        pair: list[Any] = await together((number(), oldest()))
    except GraphError as problem:
        await refusal.judge(graph=graph, ref=ref, folder=folder, problem=problem)
        return 0, None
    return pair[0], pair[1]


async def prove_range(*, graph: Graph, ref: Ref, work: Work, account: Account) -> bool:
    """Compare every tracked folder's ids with Outlook's, in the part that was pulled. False: it may not go on.

    The folders are read anew after each: one that was made meanwhile may hold what was moved out of the others.
    """
    look = prove.Look(run=account.run, since=work.since, until=work.bound, steps=(RunningStep(work.id),))
    aside: dict[int, GraphError] = {}
    while True:
        here = await tree.reread(ref_=ref) or ref
        proven = await hop(lambda: runs.proven(ref=ref, run=account.run))
        folder = next((one for one in here.tracked if one.id not in proven and one.id not in aside), None)
        if folder is None:
            if aside and not proven:
                raise next(iter(aside.values()))
            return True
        if not await hop(lambda: backfills.may_go_on(ref=ref, work=work)):
            return False
        try:
            await prove.folder(graph=graph, ref=here, folder=folder, look=look, tally=account.tally)
        except Stopped:
            return False
        except GraphError as problem:
            await refusal.judge(graph=graph, ref=here, folder=folder, problem=problem)
            aside[folder.id] = problem
        await account.tell()
