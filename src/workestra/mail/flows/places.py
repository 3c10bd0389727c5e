"""History's share of the four requests that a mailbox allows at once, handed from stream to stream.

A place is a slot lease. It goes from page to page as long as nobody goes first and a stream waits for it;
otherwise it is given back, and asked for again. Of the streams that wait, the newest slice's is served first.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from workestra.graph.errors import Throttled
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import slots
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import Stopped
from workestra.mail.flows.lane import remember_pause, respect_pause

IDLE = 0.05


@dataclass(slots=True)
class _Place:
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    held: bool = False


class Places:
    """The places of one backfill in this process. `may`: whether it may still ask; read when a place is there."""

    def __init__(self, *, ref: Ref, may: Callable[[], bool] = lambda: True) -> None:
        self._ref = ref
        self._may = may
        self._all = [_Place() for _ in range(slots.SLOTS)]
        self._free = list(self._all)
        self._waiting: list[tuple[int, int, asyncio.Future[_Place]]] = []
        self._order = itertools.count()

    @asynccontextmanager
    async def take(self, *, number: int) -> AsyncIterator[Callable[[], None]]:
        """Hold a place for one request. `number`: the lowest goes first.

        Yields what may be called when the answer is here, so that the next request need not wait for what is made
        of this one.

        Raises:
            Throttled: Graph has asked for a pause that is not over.
            Stopped: there was a place, but no request may be made any more.
        """
        mine = await self._next(number)
        left = False

        def leave() -> None:
            nonlocal left
            if self._waiting and not left:
                self._pass_on(mine)
                left = True

        try:
            while not await hop(lambda: self._lease(mine)):
                await respect_pause(ref=self._ref)
                await asyncio.sleep(IDLE)
            yield leave
        except Throttled as problem:
            await remember_pause(ref=self._ref, problem=problem)
            raise
        finally:
            if not left:
                if not self._waiting:  # nobody here wants it now: an idle place would stand in others' way
                    await asyncio.shield(self._give_back(mine))
                self._pass_on(mine)

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

    def _lease(self, place: _Place) -> bool:
        """Keep the slot while nobody goes first; else give it back and try for one. Raises Stopped."""
        mailbox, holder, now = self._ref.mailbox, place.holder, clock.now()
        if place.held and not slots.keep(mailbox=mailbox, holder=holder, now=now):
            slots.give_back(mailbox=mailbox, holder=holder)
            place.held = False
        if not place.held:
            place.held = slots.take(mailbox=mailbox, holder=holder, count=1, first=False, now=now)
        if place.held and not self._may():
            raise Stopped
        return place.held

    async def _give_back(self, place: _Place) -> None:
        if not place.held:
            return
        await hop(lambda: slots.give_back(mailbox=self._ref.mailbox, holder=place.holder))
        place.held = False
