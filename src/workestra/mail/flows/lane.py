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
from workestra.mail.flows.failure import told

PAUSE = 0.05
LONGEST_PAUSE = 0.5


@asynccontextmanager
async def lane(*, ref: Ref, count: int = 1, click: bool = False) -> AsyncIterator[None]:
    """Hold `count` slots for what goes before history; `click`: for what a person has just asked for, which goes
    before everything else. A pause that Graph asks for inside is written down at once, for all lanes everywhere.

    Raises:
        Throttled: Graph has asked for a pause that is not over.
    """
    holder = uuid.uuid4().hex
    await respect_pause(ref=ref)
    pause = PAUSE
    try:
        while not await hop(
            lambda: slots.take(
                mailbox=ref.mailbox, holder=holder, count=count, first=True, now=clock.now(), click=click
            )
        ):
            await asyncio.sleep(pause)
            await respect_pause(ref=ref)
            pause = min(LONGEST_PAUSE, pause * 1.5)
        yield
    except Throttled as problem:
        await remember_pause(ref=ref, problem=problem)
        raise
    finally:
        await asyncio.shield(hop(lambda: slots.give_back(mailbox=ref.mailbox, holder=holder)))


async def remember_pause(*, ref: Ref, problem: Throttled) -> None:
    """Graph's wish for a pause holds for every lane of the mailbox, from now on."""
    pause = told(problem=problem).pause if problem.status is not None else None
    if pause is not None:
        until = clock.now() + pause
        await asyncio.shield(hop(lambda: slots.throttle(mailbox=ref.mailbox, until=until)))


async def respect_pause(*, ref: Ref) -> None:
    """Raise Throttled while Graph's last request for a pause holds."""
    now = clock.now()
    until = await hop(lambda: slots.throttled_until(mailbox=ref.mailbox, now=now))
    if until is not None:
        raise Throttled(code="waiting", message="", retry_after=(until - now).total_seconds())
