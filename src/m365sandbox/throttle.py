"""Outlook's limits per app and mailbox: four requests at once, 10,000 requests in ten minutes (Graph: throttling)."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused, and the seconds to wait."""

    code: str
    message: str
    retry_after: int


@dataclass(slots=True)
class Throttle:
    """Counts requests by (app id, mailbox id). A refused request counts too."""

    clock: Callable[[], datetime]
    concurrent: int = 4
    per_window: int = 10_000
    window_seconds: int = 600
    retry_after: int = 1
    _running: Counter[Key] = field(default_factory=Counter)
    _times: dict[Key, deque[float]] = field(default_factory=dict)

    def running(self, key: Key) -> int:
        """How many requests of this app are in flight on this mailbox."""
        return self._running[key]

    def enter(self, key: Key) -> Refusal | None:
        """Count a request in. When it is not refused, `leave` must follow."""
        now = self.clock().timestamp()
        times = self._times.setdefault(key, deque(maxlen=self.per_window))
        while times and times[0] <= now - self.window_seconds:
            times.popleft()
        full = len(times) >= self.per_window
        oldest = times[0] if times else now
        times.append(now)
        if full:
            wait = max(1, math.ceil(oldest + self.window_seconds - now))
            return Refusal("ApplicationThrottled", "Application is over its MailboxRequests limit.", wait)
        if self._running[key] >= self.concurrent:
            message = "Application is over its MailboxConcurrency limit."
            return Refusal("ApplicationThrottled", message, self.retry_after)
        self._running[key] += 1
        return None

    def leave(self, key: Key) -> None:
        """Count a request out."""
        self._running[key] -= 1

    def forget(self) -> None:
        """Empty the ten-minute windows."""
        self._times.clear()
