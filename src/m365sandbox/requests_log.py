"""What clients asked: the last requests in full, and counters over all of them."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and how it was answered. `in_flight` counts those of the same app and mailbox, itself included."""

    at: datetime
    method: str
    path: str
    query: str
    status: int
    mailbox: str
    app_id: str
    in_flight: int
    size: int
    batched: bool = False


@dataclass(slots=True)
class RequestLog:
    """Bounded in entries, exact in counters."""

    entries: deque[Asked] = field(default_factory=lambda: deque(maxlen=20_000))
    total: int = 0
    sent_bytes: int = 0
    by_method: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    max_in_flight: dict[str, int] = field(default_factory=dict)

    def add(self, asked: Asked) -> None:
        """Record one request."""
        self.entries.append(asked)
        self.total += 1
        self.sent_bytes += asked.size
        self.by_method[asked.method] += 1
        self.by_status[asked.status] += 1
        if asked.mailbox:
            self.max_in_flight[asked.mailbox] = max(self.max_in_flight.get(asked.mailbox, 0), asked.in_flight)

    def last(self, count: int = 200) -> list[Asked]:
        """The latest entries, oldest first; may be called from any thread."""
        while True:
            try:
                return list(self.entries)[-count:] if count > 0 else []
            except RuntimeError:  # the server's thread added one meanwhile
                continue

    def reset(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.total = self.sent_bytes = 0
        self.by_method.clear()
        self.by_status.clear()
        self.max_in_flight.clear()

    def counters(self) -> dict[str, Any]:
        """The counters as JSON."""
        return {
            "total": self.total,
            "bytes": self.sent_bytes,
            "by_method": dict(self.by_method),
            "by_status": {str(status): count for status, count in self.by_status.items()},
            "max_in_flight": dict(self.max_in_flight),
        }
