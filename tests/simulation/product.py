"""The product's processes in one process: workers with their stewards, and the endpoint that Microsoft calls.

Flows, doors, jobs, the queue's own statements, the schedule and the rescue of stalled jobs are the real ones.
Replaced are the wires, the clock, and the loops around them that would look every second whether something is due.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any, TypeVar
from unittest import mock

import httpx2
from django.conf import settings
from django.db import connections

from tests.simulation import worker
from tests.simulation.lives import Holders, Killed, Life, current
from tests.simulation.loop import VirtualLoop, settle
from tests.simulation.trace import Trace
from tests.simulation.wire import ToDatabase, ToEndpoint, ToMicrosoft, Weather
from workestra.graph.entra import Entra
from workestra.kit import clock, hop, queue
from workestra.kit.live import conninfo
from workestra.mail import dispatch
from workestra.mail.doors import slots
from workestra.mail.flows import logged, microsoft, streams
from workestra.mail.hooks import Endpoint
from workestra.project import worker as real_worker

T = TypeVar("T")
LASTING = 3600.0  # seconds of the wall clock that no simulation takes
HOST = "https://microsoft.example"
PUBLIC = "https://workestra.example"


class Lasting:
    """Stands in for Django's connections in a hop: what still works is kept for the next one."""

    def close_all(self) -> None:
        """Close what does not work any more."""
        for one in connections.all(initialized_only=True):
            one.close_if_unusable_or_obsolete()


async def _left_open() -> None:
    """Stands in for the end of a process's HTTP client: here all share one."""


class _Monotonic:
    """Stands in for the module `time`."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.monotonic = loop.time


class Product:
    """All processes of the product, and what they are told."""

    def __init__(
        self, *, loop: VirtualLoop, epoch: datetime, sandbox: Any, weather: Weather, seed: int, trace: Trace
    ) -> None:
        self.loop, self.epoch, self.weather, self.trace = loop, epoch, weather, trace
        self.dice = random.Random(f"{seed} product")
        self.hop_dice = random.Random(f"{seed} hops")
        self.database = ToDatabase()
        self.microsoft = ToMicrosoft(app=sandbox, weather=weather, dice=random.Random(f"{seed} wire"), trace=trace)
        self.endpoint = ToEndpoint(weather=weather, dice=random.Random(f"{seed} endpoint"), trace=trace)
        self.endpoint.arrived = self.poke
        self.web = Life("web")
        self.workers: list[worker.Worker] = []
        self.dead: list[tuple[int, float]] = []  # worker ids of the queue, and when they died
        self.kills = 0
        self.hops = 0
        self.failures: list[str] = []  # jobs that ended with an exception that nobody expected
        self._numbers = 0
        self._endpoint: Endpoint | None = None

    # the stage

    @contextlib.contextmanager
    def on_stage(self, *, client_id: str, client_secret: str, light_minutes: float) -> Iterator[None]:
        """Put wires and clock in place."""
        env = settings.WORKESTRA.model_copy(
            update={
                "graph_url": f"{HOST}/v1.0",
                "microsoft_authority": f"{HOST}/common",
                "microsoft_client_id": client_id,
                "microsoft_client_secret": client_secret,
                "public_url": PUBLIC,
                "light_sync_minutes": light_minutes,
            }
        )
        self.microsoft.host = httpx2.URL(HOST).host
        client = httpx2.AsyncClient(transport=self.microsoft, follow_redirects=False)
        entra = Entra(authority=f"{HOST}/common", client_id=client_id, client_secret=client_secret, http=client)
        microsoft._clients[self.loop] = (client, entra)
        self.loop.through = self._through
        with contextlib.ExitStack() as stack:
            for target, name, value in (
                (settings, "WORKESTRA", env),
                (clock, "now", self.now),
                (hop, "connections", Lasting()),
                (streams, "time", _Monotonic(self.loop)),
                (logged, "time", _Monotonic(self.loop)),
                (dispatch, "enqueue", self._enqueue),
                (microsoft, "close", _left_open),
                (slots, "_held", Holders()),
                (slots, "_keeper", object()),
                (real_worker, "STALLED_AFTER", LASTING),  # heartbeats go by the wall clock; who died is said here
            ):
                stack.enter_context(mock.patch.object(target, name, value))
            stack.enter_context(self.database)
            yield

    def _enqueue(self, **job: Any) -> bool:
        """As the queue does; its news reaches the workers a moment later."""
        new = queue.enqueue(**job)
        self.loop.call_later(0.05, self.poke)
        return new

    def now(self) -> datetime:
        """What the clock of the process that asks shows."""
        life = current.get()
        skew = life.skew + self.weather.clock if life else 0.0
        return self.epoch + timedelta(seconds=self.loop.time() + skew)

    def _through(self, work: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        """A durable step of some life."""
        life = current.get()
        self.hops += 1
        if life is not None and life.dead:
            future.set_exception(Killed())
            return
        last = life is not None and life.steps_left == 0
        if life is not None and life.steps_left is not None:
            life.steps_left -= 1
        if life is not None and last and life.before:
            self.kill(life)
            future.set_exception(Killed())
            return
        luck = self.hop_dice.random()
        if life is not None and luck < self.weather.database:
            self.database.arm(how=self.hop_dice.choice(("cut", "cut", "committed")), after=self.hop_dice.randrange(8))
        elif life is not None and luck < self.weather.database + self.weather.deadlock:
            self.database.arm(how="deadlock", after=self.hop_dice.randrange(8))
        elif life is not None and 1 - luck < self.weather.serialisation:
            self.database.arm(how="serialisation", after=self.hop_dice.randrange(8))
        cut = self.database.cut
        ran = self.loop.done(work)
        self.database.disarm()
        if self.database.cut > cut:
            self.trace("database", f"{life.name if life else '-'} {self.database.how}")
        if life is not None and last:
            self.kill(life)
            future.set_exception(Killed())
            return
        self.loop.call_later(self.hop_dice.uniform(0.0005, 0.01), settle, future, ran)

    # processes

    async def start(self, *, count: int, skew: Callable[[], float]) -> None:
        """The web process, and so many workers; each clock is off by what `skew` says."""
        self.skew = skew
        self.start_web()
        for _ in range(count):
            await self.start_worker()

    def start_web(self) -> None:
        """A web process, as after a restart."""
        self.web = Life("web", skew=self.skew())
        self._endpoint = Endpoint(conninfo=conninfo(settings=settings.DATABASES["default"]))
        self.endpoint.app = self._hear

    async def _hear(self, scope: Any, receive: Any, send: Any) -> None:
        context = copy_context()
        context.run(current.set, self.web)
        assert self._endpoint is not None
        await self.loop.create_task(self._endpoint(scope, receive, send), context=context)

    async def kill_web(self, *, seconds: float) -> None:
        """It dies and is back after a while."""
        self.trace("kill", "web")
        self.endpoint.app = None
        self.loop.call_later(seconds, self.start_web)

    async def start_worker(self) -> None:
        """One more worker process."""
        self._numbers += 1
        life = Life(f"worker{self._numbers}", skew=self.skew())
        one = worker.Worker(product=self, life=life)
        self.workers.append(one)
        life.start(one.run())

    def kill(self, life: Life) -> None:
        """kill -9; another process takes its place after a while."""
        if life.dead:
            return
        self.kills += 1
        self.trace("kill", life.name)
        life.kill()
        mine = next((one for one in self.workers if one.life is life), None)
        if mine is None:
            return
        self.workers.remove(mine)
        if mine.id is not None:
            self.dead.append((mine.id, self.loop.time()))
        self.loop.call_later(self.dice.uniform(1, 20), lambda: self.loop.create_task(self.start_worker()))
        self.loop.call_later(worker.STALLED_AFTER + 0.5, self.poke_all)

    def poke(self) -> None:
        """Something may be due: one of the workers looks."""
        if self.workers:
            self.dice.choice(self.workers).poke()

    def poke_all(self) -> None:
        """Something may be due that another worker was to see."""
        for one in self.workers:
            one.poke()

    async def act(self, work: Callable[[], T]) -> T:
        """What a person does on a page: sync, in the web process."""
        context = copy_context()
        context.run(current.set, self.web)
        try:
            return await self.loop.create_task(hop.hop(work), context=context)
        finally:
            self.poke()

    async def look(self, work: Callable[[], T]) -> T:
        """Read from the database without being part of the story."""
        context = copy_context()
        context.run(current.set, None)
        return await self.loop.create_task(hop.hop(work), context=context)

    async def stop(self) -> None:
        """End everything, quietly."""
        for one in list(self.workers):
            one.life.kill()
        self.web.kill()
        if self._endpoint is not None and self._endpoint._writer is not None:
            writer = self._endpoint._writer
            if writer._task is not None:
                writer._task.cancel()
            await writer._drop()
        client = microsoft._clients.pop(self.loop)[0]
        await client.aclose()
