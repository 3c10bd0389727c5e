"""Waits for something that another thread does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


async def eventually(fact: Callable[[], bool], *, seconds: float = 10) -> None:
    """Return as soon as the fact is true. Raises AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.02)
