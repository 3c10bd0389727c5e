"""The streams of one process over the slices of a backfill (BKF 2-5, PRF 1, PRF 8).

A stream claims the newest slice that is free and walks it page by page: it takes a place, asks for the page, gives
the place on, and stores the page while another stream asks for the next. Before each page it sees whether the
backfill still runs. Several processes may do this for one backfill: slices are claimed, and places are slots shared
by all.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import datetime
from typing import Protocol

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, Gone, Refused, TooLarge
from workestra.graph.wire import MessagePage
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import backfills, claims, store
from workestra.mail.doors.backfills import Work
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import LostRace, SliceStep, Stopped
from workestra.mail.flows import fetch
from workestra.mail.flows.places import Places
from workestra.mail.flows.together import together
from workestra.mail.models import Slice
from workestra.rules import replication

STREAMS = 6  # more than places: while one page is decoded and stored, another is on its way
OTHERS_PAUSE = 0.25  # seconds between looks at slices that other processes walk


class Came(Protocol):
    """Whoever wants to know of each page that was stored."""

    async def __call__(self, *, outcome: store.Outcome) -> None:
        """A page was stored."""
        ...


async def pull_range(*, graph: Graph, ref: Ref, work: Work, came: Came | None = None) -> None:
    """Let the streams run until every slice is done, here or elsewhere, or the backfill may not go on.

    Raises GraphError.
    """
    process = _Process(graph=graph, ref=ref, work=work, came=came)
    keeper = asyncio.create_task(process.keep_claims())
    try:
        while True:
            await together(process.stream() for _ in range(STREAMS))
            if not await hop(lambda: backfills.may_go_on(ref=ref, work=work)):
                return
            if not await hop(lambda: claims.left(ref=ref, work=work)):
                return
            await asyncio.sleep(OTHERS_PAUSE)  # others finish what they hold, or their claims run out
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await asyncio.shield(process.close())


class _Process:
    """What the streams of this process share."""

    def __init__(self, *, graph: Graph, ref: Ref, work: Work, came: Came | None) -> None:
        self._graph = graph
        self._ref = ref
        self._work = work
        self._came = came
        self._places = Places(ref=ref)
        self._holder = uuid.uuid4().hex
        self._taken = 0
        self._size = work.page_size if work.phase == "pull" else replication.PAGE
        self._first = work.phase == "plan"  # nobody has seen a page yet: the first one is a small one

    async def keep_claims(self) -> None:
        """Say every few seconds that this process lives."""
        while True:
            await asyncio.sleep(claims.RENEW_EVERY)
            await hop(lambda: claims.keep(ref=self._ref, holder=self._holder, now=clock.now()))

    async def close(self) -> None:
        """Give back places and slices."""
        await self._places.close()
        await hop(lambda: claims.release(ref=self._ref, holder=self._holder))

    async def stream(self) -> None:
        """Walk one slice after another until none is free."""
        while True:
            piece = await hop(
                lambda: claims.take(ref=self._ref, work=self._work, holder=self._holder, now=clock.now())
            )
            if piece is None:
                return
            number, self._taken = self._taken, self._taken + 1
            while piece is not None:
                if not await hop(lambda: backfills.may_go_on(ref=self._ref, work=self._work)):
                    return
                try:
                    piece = await self._page(piece, number)
                except Stopped:
                    return

    async def _page(self, piece: Slice, number: int) -> Slice | None:
        """Ask for one page and store it. Returns the slice as it is then, or None when it is done."""
        begun = time.monotonic()
        size = self._size
        if self._first:
            self._first, size = False, min(size, replication.FIRST_PAGE)
        try:
            async with self._places.take(number=number):
                asking, asked_at = time.monotonic(), clock.now()
                answer = await mail.messages(
                    self._graph,
                    root=self._ref.root,
                    folder=piece.folder.graph_id,
                    since=piece.since,
                    until=piece.until,
                    size=size,
                    link=piece.link or None,
                )
        except TooLarge:
            self._size = min(self._size, replication.page_size(current=size, seconds=0, too_large=True))
            return await self._again(piece)
        except (CursorExpired, Gone, Refused):
            if not piece.link:
                raise
            return await self._again(piece)
        if not piece.link:
            took = time.monotonic() - asking
            self._size = replication.page_size(current=self._size, seconds=took, too_large=False)
        try:
            step, outcome = await hop(lambda: self._keep(piece, answer, asked_at, begun))
        except LostRace:
            return await hop(lambda: backfills.renew_slice(ref=self._ref, piece=piece))
        if self._came is not None:
            await self._came(outcome=outcome)
        if not step.link:
            return None
        piece.link, piece.pages = step.link, piece.pages + 1
        if step.oldest is not None:
            piece.reached = step.oldest if piece.reached is None else min(piece.reached, step.oldest)
        return piece

    def _keep(
        self, piece: Slice, answer: MessagePage, asked_at: datetime, begun: float
    ) -> tuple[SliceStep, store.Outcome]:
        """Store a page, and the place that it has reached, in one transaction."""
        letters = fetch.consumed(
            ref=self._ref, messages=answer.value, asked_at=asked_at, folder=piece.folder.graph_id
        )
        step = SliceStep(
            workspace=self._ref.workspace,
            backfill=self._work.id,
            slice=piece.pk,
            was_link=piece.link,
            was_pages=piece.pages,
            link=answer.next_link or "",
            oldest=min((one.received_at for one in letters), default=None),
            messages=len(letters),
            seconds=(time.monotonic() - begun) / STREAMS,
            page_size=self._size,
        )
        outcome = store.absorb(
            ref=self._ref, asked_at=asked_at, now=clock.now(), letters=letters, steps=[step], history=True
        )
        return step, outcome

    async def _again(self, piece: Slice) -> Slice | None:
        await hop(lambda: backfills.restart_slice(ref=self._ref, piece=piece, page_size=self._size))
        return await hop(lambda: backfills.renew_slice(ref=self._ref, piece=piece))
