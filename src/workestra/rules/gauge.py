"""Pages that come + the time -> stretches of wall time long enough to tell a rate from."""

from __future__ import annotations

from dataclasses import dataclass

STRETCH = 2.0  # seconds: several pages of every stream


@dataclass(slots=True)
class Gauge:
    """What came since `since`, a reading of a clock that only goes forward, by however many streams."""

    since: float
    messages: int = 0

    def came(self, *, messages: int, now: float) -> tuple[int, float] | None:
        """A page came. The stretch that is over with it, as (messages, seconds); None while it goes on."""
        self.messages += messages
        seconds = now - self.since
        if seconds < STRETCH:
            return None
        over = (self.messages, seconds)
        self.since, self.messages = now, 0
        return over
