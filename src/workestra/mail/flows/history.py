"""A backfill, newest mail first, on up to four streams over disjoint slices of time (BKF).

    plan: count each tracked folder, cut its range into slices
    pull: streams take slices in order, page by page; between pages each gives its slot back to whoever goes
          first, and sees whether the backfill is still running
    prove: ids of every folder are compared with Outlook's and repaired; then it is done

A worker that dies leaves slices where their last stored page put them; whoever comes next goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import deque

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, Gone, Refused, TooLarge
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import backfills, slots, store
from workestra.mail.doors.backfills import Work
from workestra.mail.doors.outcomes import Tally
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import LostRace, SliceStep, Stopped
from workestra.mail.flows import fetch, prove, tree
from workestra.mail.flows.lane import lane, respect_pause
from workestra.mail.flows.microsoft import graph_for
from workestra.mail.models import Slice
from workestra.rules import replication

STREAMS = 4
IDLE = 0.05


async def history(*, ref: Ref) -> None:
    """Work on the connection's backfill until it is done or may not go on. Raises GraphError."""
    work = await hop(lambda: backfills.current(ref=ref))
    if work is None or (work.waiting_until and work.waiting_until > clock.now()):
        return
    await respect_pause(ref=ref)
    if not await hop(lambda: backfills.start(ref=ref, work=work, now=clock.now())):
        return
    graph = graph_for(workspace=ref.workspace, connection=ref.connection)
    if not ref.folders:
        ref = await tree.refresh(graph=graph, ref_=ref)
    if work.phase == "plan":
        await plan_range(graph=graph, ref=ref, work=work)
    if work.phase in ("plan", "pull"):
        await pull_range(graph=graph, ref=ref, work=work)
        if not await hop(lambda: backfills.may_go_on(ref=ref, work=work)):
            return
        await hop(lambda: backfills.to_phase(ref=ref, work=work, was="pull", phase="prove"))
    await prove_range(graph=graph, ref=ref, work=work)


async def plan_range(*, graph: Graph, ref: Ref, work: Work) -> None:
    """Count what each tracked folder has in the range, and cut it into slices."""
    stretches: list[replication.Stretch] = []
    total = 0
    for folder in ref.tracked:
        async with lane(ref=ref):
            number = await mail.count(
                graph, root=ref.root, folder=folder.graph_id, since=work.since, until=work.until
            )
        oldest = None
        if number > replication.SLICE_MESSAGES:
            async with lane(ref=ref):
                with contextlib.suppress(Refused):  # only makes the cuts even
                    oldest = await mail.oldest(graph, root=ref.root, folder=folder.graph_id, since=work.since)
        total += number
        stretches += replication.cut(
            folder=folder.id, since=work.since, until=work.until, messages=number, oldest=oldest
        )
    await hop(lambda: backfills.plan(ref=ref, work=work, stretches=stretches, estimate=total, now=clock.now()))


async def pull_range(*, graph: Graph, ref: Ref, work: Work) -> None:
    """Let the streams run until no slice is left or the backfill may not go on."""
    queue = deque(await hop(lambda: backfills.slices(ref=ref, work=work)))
    size = [work.page_size]
    asked = asyncio.Event()  # the newest page is there: its speed tells how large the others may be
    streams = [
        asyncio.create_task(_stream(graph, ref, work, queue, size, asked, first=number == 0))
        for number in range(STREAMS)
    ]
    try:
        await asyncio.gather(*streams)
    finally:
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


async def _stream(
    graph: Graph,
    ref: Ref,
    work: Work,
    queue: deque[Slice],
    size: list[int],
    asked: asyncio.Event,
    *,
    first: bool,
) -> None:
    holder = uuid.uuid4().hex
    holding = False
    try:
        if not first:
            await asked.wait()
        while queue:
            piece: Slice | None = queue.popleft()
            while piece is not None:
                if not await hop(lambda: backfills.may_go_on(ref=ref, work=work)):
                    return
                holding = await _hold(ref, holder, holding=holding)
                piece = await _page(graph, ref, work, piece, size)
                asked.set()
    except Stopped:
        return
    finally:
        asked.set()
        await asyncio.shield(hop(lambda: slots.give_back(mailbox=ref.mailbox, holder=holder)))


async def _hold(ref: Ref, holder: str, *, holding: bool) -> bool:
    """Keep the slot while nobody goes first; else give it back and wait for one."""
    if holding:
        if await hop(lambda: slots.keep(mailbox=ref.mailbox, holder=holder, now=clock.now())):
            return True
        await hop(lambda: slots.give_back(mailbox=ref.mailbox, holder=holder))
    while not await hop(
        lambda: slots.take(mailbox=ref.mailbox, holder=holder, count=1, first=False, now=clock.now())
    ):
        await respect_pause(ref=ref)
        await asyncio.sleep(IDLE)
    return True


async def _page(graph: Graph, ref: Ref, work: Work, piece: Slice, size: list[int]) -> Slice | None:
    """Ask for one page and store it. Returns the slice as it is then, or None when it is done."""
    begun, asked_at = time.monotonic(), clock.now()
    try:
        answer = await mail.messages(
            graph,
            root=ref.root,
            folder=piece.folder.graph_id,
            since=piece.since,
            until=piece.until,
            size=size[0],
            link=piece.link or None,
        )
    except TooLarge:
        size[0] = replication.page_size(current=size[0], seconds=0, too_large=True)
        await hop(lambda: backfills.restart_slice(ref=ref, piece=piece, page_size=size[0]))
        return await hop(lambda: backfills.renew_slice(ref=ref, piece=piece))
    except (CursorExpired, Gone, Refused):
        if not piece.link:
            raise
        await hop(lambda: backfills.restart_slice(ref=ref, piece=piece, page_size=size[0]))
        return await hop(lambda: backfills.renew_slice(ref=ref, piece=piece))
    asked = time.monotonic() - begun
    if not piece.link:
        size[0] = replication.page_size(current=size[0], seconds=asked, too_large=False)
    letters = await fetch.letters(ref=ref, messages=answer.value, asked_at=asked_at)
    step = SliceStep(
        backfill=work.id,
        slice=piece.pk,
        was_link=piece.link,
        was_pages=piece.pages,
        link=answer.next_link or "",
        oldest=min((one.received_at for one in letters), default=None),
        messages=len(letters),
        seconds=(time.monotonic() - begun) / STREAMS,
        page_size=size[0],
    )
    try:
        await hop(
            lambda: store.absorb(
                ref=ref, asked_at=asked_at, now=clock.now(), letters=letters, steps=[step], history=True
            )
        )
    except LostRace:
        return await hop(lambda: backfills.renew_slice(ref=ref, piece=piece))
    await hop(lambda: backfills.tell_progress(ref=ref, work=work))
    if not step.link:
        return None
    piece.link, piece.pages = step.link, piece.pages + 1
    if step.oldest is not None:
        piece.reached = step.oldest if piece.reached is None else min(piece.reached, step.oldest)
    return piece


async def prove_range(*, graph: Graph, ref: Ref, work: Work) -> None:
    """Compare every tracked folder's ids with Outlook's, then call it done."""
    here = await tree.reread(ref_=ref)
    for folder in here.tracked if here is not None else ():
        if folder.prove:
            if not await hop(lambda: backfills.may_go_on(ref=ref, work=work)):
                return
            await prove.folder(graph=graph, ref=here or ref, folder=folder, tally=Tally())
    await hop(lambda: backfills.finish(ref=ref, work=work, now=clock.now()))
