"""Several pieces of one flow at the same time: all of them end before it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(pieces: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each of them returns, in order. The first that raises ends the others, and its exception goes on.

    Unlike `asyncio.gather` nothing runs on afterwards; unlike a task group it raises what was raised.
    """
    tasks = [asyncio.create_task(piece) for piece in pieces]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
