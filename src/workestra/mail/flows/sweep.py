"""What a comparison found gone, kept back until it is known how much of the folder that is (the brake).

Each of these messages was missing in Outlook's list and then asked for by its id in vain. Memory stays bounded: a
number that is asked about anyway is counted and not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import store
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import Step
from workestra.rules import sweeping


class Sweep:
    """The gone of one folder. `agreed`: how many a person has let go."""

    def __init__(self, *, agreed: int) -> None:
        self._agreed = agreed
        self._gone = 0
        self._kept: list[tuple[datetime, list[str]]] = []

    def keep(self, *, ids: list[str], asked_at: datetime) -> list[str]:
        """Keep these back. Returns those of them that may go at once."""
        self._gone += len(ids)
        if self._gone <= self._agreed:
            return ids
        if self._gone - self._agreed > sweeping.MOST:
            self._kept.clear()
        elif ids:
            self._kept.append((asked_at, ids))
        return []

    async def end(self, *, ref: Ref, held: int, steps: Sequence[Step]) -> tuple[int, int]:
        """Let them leave, or hold them. Returns how many left, and about how many a person is to be asked."""
        if sweeping.asks(gone=self._gone, held=held, agreed=self._agreed):
            return 0, self._gone
        removed = 0
        for asked_at, ids in self._kept:
            outcome = await hop(
                lambda ids=ids, asked_at=asked_at: store.absorb(  # type: ignore[misc]
                    ref=ref, asked_at=asked_at, now=clock.now(), gone=ids, steps=steps, history=True
                )
            )
            removed += outcome.removed
        return removed, 0
