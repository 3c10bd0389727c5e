"""A place among the four requests that a mailbox allows at once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from workestra.graph.errors import Throttled
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import slots
from workestra.mail.doors.ref import Ref

PAUSE = 0.05
LONGEST_PAUSE = 0.5


@asynccontextmanager
async def lane(*, ref: Ref, count: int = 1) -> AsyncIterator[None]:
    """Hold `count` slots for what people wait for: it goes before history.

    Raises:
        Throttled: Graph has asked for a pause that is not over.
    """
    holder = uuid.uuid4().hex
    await respect_pause(ref=ref)
    pause = PAUSE
    try:
        while not await hop(
            lambda: slots.take(mailbox=ref.mailbox, holder=holder, count=count, first=True, now=clock.now())
        ):
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 1.5)
        yield
    finally:
        await asyncio.shield(hop(lambda: slots.give_back(mailbox=ref.mailbox, holder=holder)))


async def respect_pause(*, ref: Ref) -> None:
    """Raise Throttled while Graph's last request for a pause holds."""
    now = clock.now()
    until = await hop(lambda: slots.throttled_until(mailbox=ref.mailbox, now=now))
    if until is not None:
        raise Throttled(code="waiting", message="", retry_after=(until - now).total_seconds())
