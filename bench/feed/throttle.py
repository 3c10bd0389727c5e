"""Graph's limits and delays as the feeder plays them, and what it counted.

Four requests at once per mailbox; the fifth is answered 429 ApplicationThrottled at once and counted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

SLOTS = 4


@dataclass(slots=True)
class Counters:
    """Since the last reset. `unknown` keeps the first few addresses that were answered 404 or 400."""

    requests: int = 0
    throttled: int = 0
    max_in_flight: int = 0
    bytes: int = 0
    messages: int = 0
    unknown: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Plain names and numbers, ready for JSON."""
        return asdict(self)


@dataclass(slots=True)
class Slots:
    """Requests under way, by mailbox."""

    counters: Counters
    busy: dict[str, int] = field(default_factory=dict)

    def enter(self, *, mailbox: str) -> bool:
        """Take a slot. False, and counted, when the mailbox has none left."""
        now = self.busy.get(mailbox, 0)
        if now >= SLOTS:
            self.counters.throttled += 1
            return False
        self.busy[mailbox] = now + 1
        self.counters.max_in_flight = max(self.counters.max_in_flight, now + 1)
        return True

    def leave(self, *, mailbox: str) -> None:
        """Give the slot back."""
        self.busy[mailbox] -= 1


@dataclass(slots=True)
class Latency:
    """How long Graph takes: per request and per message in the answer, in seconds."""

    request: float = 0.150
    message: float = 0.001
    on: bool = True

    def seconds(self, *, rounds: int, messages: int) -> float:
        """Delay of an answer that took `rounds` turns of four and carries `messages` messages."""
        return (rounds * self.request + messages * self.message) if self.on else 0.0
