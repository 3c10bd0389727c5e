"""After a failure: when to try again, and when to say so (HLT 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

RETRIES = 3
LONGEST_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed try means. `code` and `detail` are for the catalogue of words.

    `pause`: throttled, nothing failed. `sign_in`: the person has to come back. `passing`: may pass by itself, so it
    is told of after some quiet tries only. `longest`: between two tries.
    """

    code: str
    detail: dict[str, Any]
    pause: timedelta | None = None
    sign_in: bool = False
    passing: bool = False
    longest: timedelta = LONGEST_PAUSE

    def wait(self, *, failures: int) -> timedelta:
        """How long to wait after so many in a row: ten seconds, then twice as long each time."""
        return min(self.longest, timedelta(seconds=5 * 2 ** min(failures, 12)))

    def shows(self, *, failures: int) -> bool:
        """Whether people are told of it."""
        return not self.passing or failures >= RETRIES
