"""A backfill, newest mail first, on streams over disjoint slices of time that share four places (BKF).

    plan: count each tracked folder, cut its range into slices
    pull: streams take slices in order, page by page; each page takes a place only while it is asked for, the
          newest slice first; before each page a stream sees whether the backfill is still running
    prove: ids of every folder are compared with Outlook's and repaired; then it is done

A worker that dies leaves slices where their last stored page put them; whoever comes next goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from datetime import datetime

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, Gone, Refused, TooLarge
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import backfills, store
from workestra.mail.doors.backfills import Work
from workestra.mail.doors.outcomes import Tally
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.steps import LostRace, SliceStep, Stopped
from workestra.mail.flows import fetch, prove, tree
from workestra.mail.flows.lane import lane, respect_pause
from workestra.mail.flows.microsoft import graph_for
from workestra.mail.flows.places import Places
from workestra.mail.flows.together import together
from workestra.mail.models import Slice
from workestra.rules import replication

STREAMS = 8  # twice the places: while one page is decoded and stored, another is on its way


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
    folders = ref.tracked
    measured = await together(_measure(graph, ref, work, folder) for folder in folders)
    stretches = [
        stretch
        for folder, (number, oldest) in zip(folders, measured, strict=True)
        for stretch in replication.cut(
            folder=folder.id, since=work.since, until=work.until, messages=number, oldest=oldest
        )
    ]
    total = sum(number for number, _ in measured)
    await hop(lambda: backfills.plan(ref=ref, work=work, stretches=stretches, estimate=total, now=clock.now()))


async def _measure(graph: Graph, ref: Ref, work: Work, folder: FolderRef) -> tuple[int, datetime | None]:
    """How many messages of the range the folder has, and when the oldest came (None: not known)."""
    async with lane(ref=ref):
        number = await mail.count(graph, root=ref.root, folder=folder.graph_id, since=work.since, until=work.until)
    oldest = None
    if number > replication.SLICE_MESSAGES:
        async with lane(ref=ref):
            with contextlib.suppress(Refused):  # only makes the cuts even
                oldest = await mail.oldest(graph, root=ref.root, folder=folder.graph_id, since=work.since)
    return number, oldest


async def pull_range(*, graph: Graph, ref: Ref, work: Work) -> None:
    """Let the streams run until no slice is left or the backfill may not go on."""
    queue = deque(enumerate(await hop(lambda: backfills.slices(ref=ref, work=work))))
    size = [work.page_size if work.phase == "pull" else replication.PAGE]
    places = Places(ref=ref)
    try:
        await together(_stream(graph, ref, work, queue, size, places) for _ in range(STREAMS))
    finally:
        await asyncio.shield(places.close())


async def _stream(
    graph: Graph, ref: Ref, work: Work, queue: deque[tuple[int, Slice]], size: list[int], places: Places
) -> None:
    while queue:
        number, first = queue.popleft()
        piece: Slice | None = first
        while piece is not None:
            if not await hop(lambda: backfills.may_go_on(ref=ref, work=work)):
                return
            try:
                piece = await _page(graph, ref, work, piece, size, places, number)
            except Stopped:
                return


async def _page(
    graph: Graph, ref: Ref, work: Work, piece: Slice, size: list[int], places: Places, number: int
) -> Slice | None:
    """Ask for one page and store it. Returns the slice as it is then, or None when it is done."""
    begun = time.monotonic()
    try:
        async with places.take(number=number):
            asking, asked_at = time.monotonic(), clock.now()
            answer = await mail.messages(
                graph,
                root=ref.root,
                folder=piece.folder.graph_id,
                since=piece.since,
                until=piece.until,
                size=min(size[0], replication.FIRST_PAGE) if number == 0 else size[0],
                link=piece.link or None,
            )
    except TooLarge:
        size[0] = replication.page_size(current=size[0], seconds=0, too_large=True)
        return await _again(ref, piece, size[0])
    except (CursorExpired, Gone, Refused):
        if not piece.link:
            raise
        return await _again(ref, piece, size[0])
    if not piece.link:
        size[0] = replication.page_size(current=size[0], seconds=time.monotonic() - asking, too_large=False)

    def keep() -> SliceStep:
        letters = fetch.consumed(ref=ref, messages=answer.value, asked_at=asked_at)
        step = SliceStep(
            workspace=ref.workspace,
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
        store.absorb(ref=ref, asked_at=asked_at, now=clock.now(), letters=letters, steps=[step], history=True)
        return step

    try:
        step = await hop(keep)
    except LostRace:
        return await hop(lambda: backfills.renew_slice(ref=ref, piece=piece))
    if not step.link:
        return None
    piece.link, piece.pages = step.link, piece.pages + 1
    if step.oldest is not None:
        piece.reached = step.oldest if piece.reached is None else min(piece.reached, step.oldest)
    return piece


async def _again(ref: Ref, piece: Slice, size: int) -> Slice | None:
    await hop(lambda: backfills.restart_slice(ref=ref, piece=piece, page_size=size))
    return await hop(lambda: backfills.renew_slice(ref=ref, piece=piece))


async def prove_range(*, graph: Graph, ref: Ref, work: Work) -> None:
    """Compare every tracked folder's ids with Outlook's, then call it done."""
    here = await tree.reread(ref_=ref)
    for folder in here.tracked if here is not None else ():
        if folder.prove:
            if not await hop(lambda: backfills.may_go_on(ref=ref, work=work)):
                return
            await prove.folder(graph=graph, ref=here or ref, folder=folder, tally=Tally())
    await hop(lambda: backfills.finish(ref=ref, work=work, now=clock.now()))
