"""Work under the eyes of the sync log: counted to the request, and written down however it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import runs
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.runs import Tally
from workestra.mail.doors.store import Outcome
from workestra.mail.flows.microsoft import Counted

FLUSH = 1.0  # seconds: what a worker that is killed may have spent without a trace


class Meter:
    """Fills tallies with the requests and the time since it was asked last."""

    def __init__(self, *, counted: Counted) -> None:
        self.counted = counted
        self._requests = self._batched = 0
        self._since = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it was not asked for a while."""
        return time.monotonic() - self._since >= FLUSH

    def begin(self) -> None:
        """What follows is work: the time that passed before is not counted."""
        self._since = time.monotonic()

    def into(self, tally: Tally) -> Tally:
        """The tally, with what was spent besides."""
        tally.requests += self.counted.requests - self._requests
        tally.batched += self.counted.batched - self._batched
        tally.seconds += time.monotonic() - self._since
        self._requests, self._batched = self.counted.requests, self.counted.batched
        self._since = time.monotonic()
        return tally


@dataclass(frozen=True, slots=True)
class Account:
    """A long run's own, told of as it goes on."""

    ref: Ref
    run: int
    meter: Meter
    tally: Tally

    async def came(self, *, outcome: Outcome) -> None:
        """A page was stored."""
        self.tally.added += len(outcome.added)
        self.tally.changed += outcome.changed
        self.tally.removed += outcome.removed
        await self.tell()

    async def tell(self) -> None:
        """Write down what was spent since a while ago."""
        if not self.meter.due:
            return
        part = self.meter.into(self.tally).taken()
        await hop(lambda: runs.spent(ref=self.ref, run=self.run, tally=part))


@asynccontextmanager
async def logged(
    *,
    ref: Ref,
    kind: str,
    why: str,
    meter: Meter,
    over: bool = True,
    backfill: int | None = None,
    run: int | None = None,
) -> AsyncIterator[Tally]:
    """One stretch of work of this kind. `over`: the run ends with it. `run`, or the one of `backfill`, is there
    already. What cost nothing and brought nothing leaves no row.
    """
    meter.begin()
    started, tally, whole = clock.now(), Tally(), False
    try:
        yield tally
        whole = True
    finally:
        meter.into(tally)
        if not whole or backfill is not None or tally.requests or tally.added or tally.changed or tally.removed:
            await asyncio.shield(
                hop(
                    lambda: runs.record(
                        ref=ref,
                        kind=kind,
                        why=why,
                        tally=tally,
                        started=started,
                        now=clock.now(),
                        over=whole and over,
                        backfill=backfill,
                        run=run,
                    )
                )
            )
