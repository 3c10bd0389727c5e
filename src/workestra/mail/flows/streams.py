"""The streams over the slices of a backfill (BKF 2-5, PRF 1).

A stream takes the newest slice that is left and walks it page by page: it takes a place, asks for the page, gives the
place on, and stores the page while another stream asks for the next. Before each request it sees whether the backfill
still runs.

A folder that cannot be read is put aside. A page over which Outlook stumbles is read message by message; where that
fails as well, its slice waits for the next try, and after some tries the comparison at the end has to do without it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import datetime
from typing import Protocol

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, Gone, GraphError, Refused, Throttled, TooLarge
from workestra.graph.wire import MessagePage
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import backfills, store
from workestra.mail.doors.backfills import Work
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import LostRace, RunningStep, SliceStep, Step, Stopped
from workestra.mail.flows import fetch, refusal, singly
from workestra.mail.flows.places import Places
from workestra.mail.flows.together import together
from workestra.mail.intake import Letter
from workestra.mail.models import Slice
from workestra.rules import replication
from workestra.rules.gauge import Gauge
from workestra.rules.retrying import RETRIES

STREAMS = 8  # twice the places: while pages are decoded and stored, others are on their way
MOST_PROBLEMS = 3  # slices that fail one after the other, before it is taken for Microsoft's fault as a whole


class Came(Protocol):
    """Whoever wants to know of each page that was stored."""

    async def __call__(self, *, outcome: store.Outcome) -> None:
        """A page was stored."""
        ...


async def pull_range(*, graph: Graph, ref: Ref, work: Work, came: Came | None = None) -> None:
    """Let the streams run until every slice is done, or the backfill may not go on. Raises GraphError."""
    pull = _Pull(graph=graph, ref=ref, work=work, came=came)
    pull.left.extend(enumerate(await hop(lambda: backfills.slices(ref=ref, work=work))))
    try:
        await together(pull.stream() for _ in range(STREAMS))
    finally:
        await asyncio.shield(pull.places.close())
    if pull.pause is not None:
        raise pull.pause
    for folder, problem in pull.failed.items():
        if work.failures < RETRIES or not await refusal.mailbox_answers(
            graph=graph, ref=ref, folder=folder, problem=problem
        ):
            raise problem


class _Pull:
    """What the streams share. `left`: the slices that nobody walks yet, with their places in line."""

    def __init__(self, *, graph: Graph, ref: Ref, work: Work, came: Came | None) -> None:
        self._graph = graph
        self._ref = ref
        self._work = work
        self._came = came
        self._size = work.page_size if work.phase == "pull" else replication.PAGE
        self._gauge = Gauge(since=time.monotonic())
        self._aside: set[int] = set()
        self._in_a_row = 0
        self.left: deque[tuple[int, Slice]] = deque()
        self.failed: dict[int, GraphError] = {}  # folder -> what its slices failed of
        self.pause: Throttled | None = None  # asked for by Graph: what is on its way is kept
        self.places = Places(ref=ref, may=lambda: backfills.may_go_on(ref=ref, work=work))

    async def stream(self) -> None:
        """Walk one slice after another until none is left."""
        while self.left and self.pause is None:
            number, first = self.left.popleft()
            piece: Slice | None = first
            while piece is not None and self.pause is None and first.folder_id not in self._aside:
                try:
                    piece = await self._page(piece, number)
                    self._in_a_row = 0
                except Stopped:
                    return
                except Throttled as problem:
                    self.pause = problem
                    return
                except GraphError as problem:
                    await self._fails(first.folder_id, problem)
                    break

    async def _fails(self, folder: int, problem: GraphError) -> None:
        """Leave the folder, or the slice alone. Raises `problem` where it concerns more than that."""
        if problem.status == fetch.BROKEN:
            self.failed[folder] = problem
            self._in_a_row += 1
            if self._in_a_row <= MOST_PROBLEMS:
                return
            if self._work.failures < RETRIES:
                raise problem
        here = next((one for one in self._ref.folders if one.id == folder), None)
        if here is None:
            raise problem
        await refusal.judge(graph=self._graph, ref=self._ref, folder=here, problem=problem)
        self._aside.add(folder)

    async def _page(self, piece: Slice, number: int) -> Slice | None:
        """Ask for one page and store it. Returns the slice as it is then, or None when it is done."""
        size = self._size
        try:
            async with self.places.take(number=number) as arrived:
                asking, asked_at = time.monotonic(), clock.now()
                answer = await mail.messages(
                    self._graph,
                    root=self._ref.root,
                    folder=piece.folder.graph_id,
                    since=piece.since,
                    until=piece.until,
                    size=size,
                    link=piece.link or None,
                    arrived=arrived,
                )
        except TooLarge:
            self._size = min(self._size, replication.page_size(current=size, seconds=0, too_large=True))
            return await self._again(piece)
        except (CursorExpired, Gone, Refused):
            if not piece.link:
                raise
            return await self._again(piece)
        except GraphError as problem:
            if problem.status != fetch.BROKEN:
                raise
            return await self._singly(piece, problem, number)
        if not piece.link:
            took = time.monotonic() - asking
            self._size = replication.page_size(current=self._size, seconds=took, too_large=False)
        try:
            stretch = self._gauge.came(messages=len(answer.value), now=time.monotonic())
            step, outcome = await hop(lambda: self._keep(piece, answer, asked_at, stretch))
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
        self, piece: Slice, answer: MessagePage, asked_at: datetime, stretch: tuple[int, float] | None
    ) -> tuple[SliceStep, store.Outcome]:
        """Store a page, and the place that it has reached, in one transaction."""
        letters = fetch.consumed(
            ref=self._ref, messages=answer.value, asked_at=asked_at, folder=piece.folder.graph_id
        )
        step = self._step(piece, letters, answer.next_link or "", stretch)
        return step, self._store(letters, asked_at, step)

    def _step(self, piece: Slice, letters: list[Letter], link: str, stretch: tuple[int, float] | None) -> SliceStep:
        return SliceStep(
            workspace=self._ref.workspace,
            backfill=self._work.id,
            slice=piece.pk,
            was_link=piece.link,
            was_pages=piece.pages,
            link=link,
            oldest=min((one.received_at for one in letters), default=None),
            messages=len(letters),
            stretch=stretch,
            page_size=self._size,
        )

    def _store(self, letters: list[Letter], asked_at: datetime, step: Step) -> store.Outcome:
        return store.absorb(
            ref=self._ref, asked_at=asked_at, now=clock.now(), letters=letters, steps=[step], history=True
        )

    async def _singly(self, piece: Slice, problem: GraphError, number: int) -> Slice | None:
        """Read the messages of a page one by one, store what comes, and go on below it. Raises `problem`."""
        asked_at = clock.now()
        async with self.places.take(number=number):
            some = await singly.named(graph=self._graph, ref=self._ref, piece=piece, problem=problem)
        letters = await singly.read(
            graph=self._graph, ref=self._ref, some=some, asked_at=asked_at, folder=piece.folder, problem=problem
        )
        step = self._step(piece, letters, "", None) if some.oldest is None else RunningStep(self._work.id)
        try:
            outcome = await hop(lambda: self._store(letters, asked_at, step))
        except LostRace:
            return await hop(lambda: backfills.renew_slice(ref=self._ref, piece=piece))
        if self._came is not None:
            await self._came(outcome=outcome)
        if some.oldest is None:
            return None
        piece.reached = some.oldest
        return await self._again(piece)

    async def _again(self, piece: Slice) -> Slice | None:
        await hop(lambda: backfills.restart_slice(ref=self._ref, piece=piece, page_size=self._size))
        return await hop(lambda: backfills.renew_slice(ref=self._ref, piece=piece))
