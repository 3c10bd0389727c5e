"""A worker process: what `workestra.project.worker` does, waking when something is due instead of every second."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, InterfaceError
from django.db import connection as database
from procrastinate import sql
from procrastinate.contrib.django import app as queue_app
from procrastinate.contrib.django.django_connector import DjangoConnector

from tests.simulation.lives import Killed, Life
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import schedule, slots
from workestra.project import worker as real

if TYPE_CHECKING:
    from tests.simulation.product import Product

CONCURRENCY = 4
STALLED_AFTER = real.STALLED_AFTER
LONGEST_NAP = 3600.0  # virtual seconds

NEXT_DUE = """
select min(value::timestamptz) from mail_schedule s, jsonb_each_text(to_jsonb(s)) as due (name, value)
where s.active and name like '%%\\_at' and value is not null
"""  # whatever columns the schedule has, or will have
NEXT_NOTICE = "select min(retry_at) from mail_notice where not queued"


class Worker:
    """Fetches jobs, looks at what is due, says that its slots are in use, and rescues what others left."""

    def __init__(self, *, product: Product, life: Life) -> None:
        self.product, self.life = product, life
        self.id: int | None = None
        self.running = 0
        self._wanted = asyncio.Event()
        self._due = asyncio.Event()
        self._queue = DjangoConnector(alias="default")

    def poke(self) -> None:
        """Look whether there is something to do."""
        self._wanted.set()
        self._due.set()

    async def run(self) -> None:
        """Until it dies. Whatever fails outside a job is a reason to start afresh after three seconds."""
        while True:
            try:
                self.id = await hop(lambda: self._ask("register_worker")["worker_id"])
                await hop(lambda: self._beat(self.id, "0 seconds"))
                break
            except Exception:
                await asyncio.sleep(3)
        for work in (self._fetch, self._steward, lambda: keep_slots(self.life)):
            self.life.start(self._forever(work))

    async def _forever(self, work: Any) -> None:
        while True:
            try:
                await work()
            except Exception as problem:
                self.product.trace("restart", f"{self.life.name} {type(problem).__name__}")
                await asyncio.sleep(3)

    def _ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        return self._queue.execute_query_one(query=sql.queries[name], **arguments)  # type: ignore[call-overload, no-any-return]

    @staticmethod
    def _beat(worker_id: int | None, ahead: str) -> None:
        with database.cursor() as cursor:
            cursor.execute(
                "update procrastinate_workers set last_heartbeat = now() + %s::interval where id = %s",
                [ahead, worker_id],
            )

    # jobs

    async def _fetch(self) -> None:
        while True:
            self._wanted.clear()
            while self.running < CONCURRENCY:
                row = await hop(lambda: self._ask("fetch_job", queues=None, worker_id=self.id))
                if row["id"] is None:
                    break
                self.running += 1
                self.life.start(self._job(row))
            await self._wanted.wait()

    async def _job(self, row: dict[str, Any]) -> None:
        name, arguments = row["task_name"], json.loads(row["args"])
        self.product.trace("job", f"{self.life.name} {name} {arguments.get('connection')}")
        status = "succeeded"
        try:
            await queue_app.tasks[name](**arguments)
        except Killed:
            raise
        except asyncio.CancelledError:
            if self.life.dead:
                raise
            status = "aborted"
        except Exception as problem:
            status = "failed"
            self.product.trace("failed", f"{name} {type(problem).__name__}: {problem}")
            if not isinstance(problem, (DatabaseError, InterfaceError)):  # the next look at the schedule goes on
                self.product.failures.append(f"{name} {type(problem).__name__}: {problem}")
        finally:
            self.running -= 1
        while True:
            try:
                await hop(lambda: self._finish(row["id"], status))
                break
            except Exception:
                await asyncio.sleep(3)
        self.poke()

    def _finish(self, job: int, status: str) -> None:
        self._queue.execute_query(
            query=sql.queries["finish_job"], job_id=job, status=status, delete_job=status == "succeeded"
        )

    # what is due

    async def _steward(self) -> None:
        while True:
            self._due.clear()
            found = await hop(lambda: schedule.tick(now=clock.now()))
            found += await hop(lambda: schedule.hand_out_notices(now=clock.now()))
            await self._rescue()
            if found:
                self._wanted.set()
            nap = await hop(self._nap)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(nap):
                    await self._due.wait()
                await asyncio.sleep(0.1)  # the real one looks for notices several times a second

    def _nap(self) -> float:
        """Seconds until something is due, as far as it is known. One worker watches closely; nobody else needs to."""
        if self.product.workers and self.product.workers[0] is not self:
            return LONGEST_NAP
        with database.cursor() as cursor:
            cursor.execute(NEXT_DUE)
            due = cursor.fetchone()
            cursor.execute(NEXT_NOTICE)
            notice = cursor.fetchone()
        some = [row[0] for row in (due, notice) if row and row[0] is not None]
        if not some:
            return LONGEST_NAP
        left: timedelta = min(some) - clock.now()
        return min(LONGEST_NAP, max(real.TICK, left.total_seconds() + 0.5))

    async def _rescue(self) -> None:
        product = self.product
        gone = [one for one, at in product.dead if product.loop.time() - at >= STALLED_AFTER]
        if not gone:
            return
        for one in gone:
            await hop(lambda one=one: self._beat(one, "-1 day"))  # type: ignore[misc]
        await real._rescue(queue_app)
        product.dead = [(one, at) for one, at in product.dead if one not in gone]
        self._wanted.set()


async def keep_slots(life: Life) -> None:
    """Say every few seconds that a process lives, for as long as it holds anything."""
    while True:
        if not life.held:
            life.holds.clear()
            await life.holds.wait()
        await asyncio.sleep(slots.RENEW_EVERY)
        mine = sorted(life.held)
        if mine:
            with contextlib.suppress(Exception):  # as the product does: it says so again in a few seconds
                await hop(lambda mine=mine: slots.renew(holders=mine, now=clock.now()))  # type: ignore[misc]
