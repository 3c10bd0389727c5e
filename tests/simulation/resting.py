"""How everything comes to rest once faults stop, and what is not at rest yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from django.db import connection as database

from tests.simulation.members import Owner
from workestra.mail.doors.runs import OPEN
from workestra.mail.doors.schedule import CHECKS
from workestra.mail.models import Notice, SyncRun
from workestra.tenancy.rows import scope

if TYPE_CHECKING:
    from tests.simulation.run import Simulation


async def settle(*, cast: Simulation) -> None:
    """People put right what people can: sign in again, resume or cancel what is paused, press for a check again
    whose process died at the command line (a worker would find it within a day).
    """
    act = cast.product.act
    for owner in cast.owners:
        for repair in await act(owner.forgotten_checks):
            cast.trace("member", await act(owner.repair if repair else owner.check))
        if await act(owner.state) == "sign_in":
            cast.trace("member", await act(owner.sign_in_again))
        if await act(owner.open_backfill) in ("paused", "held", "failed"):
            cast.trace("member", await act(owner.cancel if cast.dice.random() < 0.2 else owner.resume))


async def rest(*, cast: Simulation, seconds: float) -> None:
    """Let this time pass, and then whatever is still under way come to its end."""
    await asyncio.sleep(seconds)
    for owner in cast.owners:
        await cast.product.act(owner.sync_now)
    for _ in range(200):
        await settle(cast=cast)
        if not await cast.product.look(lambda: _unrest(cast.owners)) and not _on_the_way(cast):
            return
        cast.product.poke_all()
        await asyncio.sleep(30)
    cast.breach([f"the product does not come to rest: {await cast.product.look(lambda: _unrest(cast.owners))}"])


def _on_the_way(cast: Simulation) -> bool:
    waiting = cast.outlook.world.courier.waiting()
    return bool(waiting["waiting"] + waiting["in_flight"])


def _unrest(owners: list[Owner]) -> list[str]:
    """What is not at rest."""
    with database.cursor() as cursor:
        cursor.execute("select task_name, status::text from procrastinate_jobs where status in ('todo', 'doing')")
        found = [f"{name} {status}" for name, status in cursor.fetchall()]
    found += [f"notice {one.change}" for one in Notice.objects.all()[:10]]
    for owner in owners:
        backfill = owner.open_backfill()
        found += [f"backfill {backfill}"] if backfill else []
        with scope(workspace=owner.row.workspace_id):
            checks = SyncRun.objects.filter(connection=owner.row, kind__in=CHECKS, state__in=OPEN)
            found += [f"{one.kind} {one.state}" for one in checks]
    return found
