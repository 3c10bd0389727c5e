"""How Graph judges a notification endpoint: slow and drop states over ten minutes (Graph: webhooks, throttling)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class EndpointHealth:
    """Answer times of one host. Over 10 % above 3 s is slow, over 15 % above 10 s is drop; few prove nothing."""

    least: int = 20
    window: float = 600.0
    _answers: deque[tuple[float, float]] = field(default_factory=deque)

    def answered(self, now: float, seconds: float) -> None:
        """Record how long one answer took (a time-out counts with its limit)."""
        self._answers.append((now, seconds))

    def state(self, now: float) -> Literal["well", "slow", "drop"]:
        """What applies to new notifications at this moment."""
        while self._answers and self._answers[0][0] < now - self.window:
            self._answers.popleft()
        count = len(self._answers)
        if count < self.least:
            return "well"
        if sum(1 for _, seconds in self._answers if seconds >= 10) > 0.15 * count:
            return "drop"
        if sum(1 for _, seconds in self._answers if seconds >= 3) > 0.10 * count:
            return "slow"
        return "well"
