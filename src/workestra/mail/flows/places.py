"""History's share of the four requests that a mailbox allows at once, handed from stream to stream.

A place is a slot lease. It goes from page to page as long as nobody goes first and a stream waits for it;
otherwise it is given back, and asked for again. Of the streams that wait, the newest slice's is served first.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from workestra.graph.errors import Throttled
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import slots
from workestra.mail.doors.ref import Ref
from workestra.mail.flows.lane import remember_pause, respect_pause

IDLE = 0.05


@dataclass(slots=True)
class _Place:
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    held: bool = False


class Places:
    """The places of one backfill in this process."""

    def __init__(self, *, ref: Ref) -> None:
        self._ref = ref
        self._all = [_Place() for _ in range(slots.SLOTS)]
        self._free = list(self._all)
        self._waiting: list[tuple[int, int, asyncio.Future[_Place]]] = []
        self._order = itertools.count()

    @asynccontextmanager
    async def take(self, *, number: int) -> AsyncIterator[None]:
        """Hold a place for one request. `number`: the lowest goes first.

        Raises:
            Throttled: Graph has asked for a pause that is not over.
        """
        place = await self._next(number)
        try:
            await self._lease(place)
            yield
        except Throttled as problem:
            await remember_pause(ref=self._ref, problem=problem)
            raise
        finally:
            if not self._waiting:  # nobody here wants it now: an idle place would stand in others' way
                await asyncio.shield(self._give_back(place))
            self._pass_on(place)

    async def close(self) -> None:
        """Give back whatever is held."""
        for place in self._all:
            await self._give_back(place)

    async def _next(self, number: int) -> _Place:
        if self._free:
            return self._free.pop()
        turn: asyncio.Future[_Place] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (number, next(self._order), turn))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on(turn.result())
            raise

    def _pass_on(self, place: _Place) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(place)
                return
        self._free.append(place)

    async def _lease(self, place: _Place) -> None:
        """Keep the slot while nobody goes first; else give it back and wait for one."""
        if place.held:
            if await hop(lambda: slots.keep(mailbox=self._ref.mailbox, holder=place.holder, now=clock.now())):
                return
            await self._give_back(place)
        while not await hop(lambda: self._taken(place)):
            await respect_pause(ref=self._ref)
            await asyncio.sleep(IDLE)

    def _taken(self, place: _Place) -> bool:
        place.held = slots.take(mailbox=self._ref.mailbox, holder=place.holder, count=1, first=False, now=clock.now())
        return place.held

    async def _give_back(self, place: _Place) -> None:
        if not place.held:
            return
        await hop(lambda: slots.give_back(mailbox=self._ref.mailbox, holder=place.holder))
        place.held = False
