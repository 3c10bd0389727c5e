"""What a seed came to, and the line that says so."""

from __future__ import annotations

from dataclasses import dataclass, field

COUNTED = ("actions", "faults", "kills", "requests", "messages", "lost", "doubled", "unexpected", "different")


@dataclass(slots=True)
class Outcome:
    """What one seed came to."""

    seed: int
    days: float = 0.0
    wall: float = 0.0
    actions: int = 0
    faults: int = 0
    kills: int = 0
    requests: int = 0
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    unexpected: int = 0
    different: int = 0
    deletes: int = 0
    breaches: list[str] = field(default_factory=list)
    digest: str = ""
    tail: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)  # the same without requests and jobs

    def __str__(self) -> str:
        """Its counts, and whether it held."""
        return (
            f"seed {self.seed}: {self.days:g} days in {self.wall:.1f} s, {self.actions} actions,"
            f" {self.faults} faults, {self.kills} kills, {self.requests} requests, {self.messages} messages,"
            f" trace {self.digest} {'FAILED' if self.breaches else 'ok'}"
        )
