"""From async flows to sync doors and back: a few threads with database connections of their own.

`sync_to_async` sends all hops of a process through one thread; the doors are safe side by side, so they get
a small pool. Each hop gives its connection back.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
THREADS = 6
_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="door")


async def hop(work: Callable[[], T]) -> T:
    """Run `work` (sync, may use the database) in a thread and await its answer.

    Whoever is cancelled meanwhile still waits for its end, so that what undoes it comes after it.
    """
    context = contextvars.copy_context()

    def run() -> T:
        try:
            return context.run(work)
        finally:
            connections.close_all()

    under_way = asyncio.get_running_loop().run_in_executor(_pool, run)
    try:
        return await asyncio.shield(under_way)
    except asyncio.CancelledError:
        await asyncio.wait([under_way])
        under_way.exception()  # read, so that nobody misses it in the log
        raise
