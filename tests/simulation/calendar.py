"""When a seed begins, and in which zone its servers stand: some of them live through a change of summer time."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple


class Beginning(NamedTuple):
    """The first moment, and the zone of the machine."""

    at: datetime
    zone: str


BEGINNINGS = (
    Beginning(datetime(2026, 3, 2, 8, tzinfo=UTC), "UTC"),
    Beginning(datetime(2026, 3, 2, 8, tzinfo=UTC), "UTC"),
    Beginning(datetime(2026, 3, 7, 8, tzinfo=UTC), "America/New_York"),  # the night to the 8th lacks an hour
    Beginning(datetime(2026, 3, 28, 8, tzinfo=UTC), "Europe/Berlin"),  # so does that to the 29th
    Beginning(datetime(2026, 10, 24, 8, tzinfo=UTC), "Europe/Berlin"),  # the next one has an hour twice
)


def beginning(*, seed: int) -> Beginning:
    """Of this seed."""
    return random.Random(f"{seed} calendar").choice(BEGINNINGS)


@contextlib.contextmanager
def standing_in(zone: str) -> Iterator[None]:
    """The zone of this machine for a while."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
