"""One seed: a connection's days, phase by phase. People work, faults swarm, processes die; then faults stop, the
product comes to rest, and the checkers judge.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from datetime import timedelta

from django.db import connection as database

from tests.simulation import calendar, console, judgement, resting, stage
from tests.simulation.checkers import backfills, convergence, cursors
from tests.simulation.ledger import Ledger
from tests.simulation.lives import Killed
from tests.simulation.loop import VirtualLoop
from tests.simulation.members import Owner, sign_in
from tests.simulation.outcome import Outcome
from tests.simulation.outlook import Outlook
from tests.simulation.people import People
from tests.simulation.product import HOST, Product
from tests.simulation.swarm import Swarm
from tests.simulation.trace import Trace
from tests.simulation.wire import Weather

DAY = 86_400.0
HOUR = 3_600.0
NAMES = ("ana", "ben")


def live(*, seed: int, days: float) -> Outcome:
    """Live `days` virtual days of this seed."""
    stage.empty()
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    outcome = Outcome(seed, days=days)
    began = time.monotonic()
    one = Simulation(seed=seed, days=days, loop=loop, outcome=outcome)
    loop.set_exception_handler(one.unheard)
    try:
        with calendar.standing_in(one.zone):
            loop.run_until_complete(one.whole())
    except Exception as problem:
        outcome.breaches.append(f"the simulation broke off: {type(problem).__name__}: {problem}")
        raise
    finally:
        outcome.wall = time.monotonic() - began
        outcome.digest = one.trace.digest
        if not outcome.breaches:
            outcome.tail, outcome.story = list(one.trace.tail), list(one.trace.story)
        database.close()
        loop.close()
        asyncio.set_event_loop(None)
        gc.collect()
    return outcome


class Simulation:
    """The cast of one seed."""

    def __init__(self, *, seed: int, days: float, loop: VirtualLoop, outcome: Outcome) -> None:
        self.seed, self.days, self.loop, self.outcome = seed, days, loop, outcome
        self.dice = random.Random(seed)
        self.epoch, self.zone = calendar.beginning(seed=seed)
        self.trace = Trace(time=loop.time)
        d = self.dice
        long = days > 10
        # Frequent looks cost the most and tell the least: most seeds live on notices, some on the schedule.
        self.light = d.choice((480, 960)) if long else d.choice((15, 60, 120, *(240, 480) * 6))
        self.outlook = Outlook(
            seed=seed,
            clock=lambda: self._microsoft_now(),
            access_minutes=1440 if long else d.choice((60, 90, *(1440,) * 8)),
            host=HOST,
        )
        self.gap = False
        world = self.outlook.world
        world.elapsed = loop.time
        world.courier.timing.idle = 60.0
        self.weather = Weather()
        self.product = Product(
            loop=loop, epoch=self.epoch, sandbox=self.outlook.app, weather=self.weather, seed=seed, trace=self.trace
        )
        world.courier.transport = self.product.endpoint
        self.names = list(NAMES[: d.choice((1, 1, 1, 2))])
        self.people = [
            People(outlook=self.outlook, name=name, dice=random.Random(f"{seed} {name}")) for name in self.names
        ]
        self.owners: list[Owner] = []
        self.swarm = Swarm(
            outlook=self.outlook, product=self.product, names=self.names, dice=random.Random(f"{seed} swarm")
        )
        self.witness = backfills.Witness()
        self.ledger = Ledger()

    def unheard(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """A task failed and nobody looked."""
        problem = context.get("exception")
        if problem is not None and not isinstance(problem, (Killed, asyncio.CancelledError)):
            self.product.failures.append(f"{context['message']}: {type(problem).__name__}: {problem}")

    def _microsoft_now(self):  # type: ignore[no-untyped-def]
        return self.epoch + timedelta(seconds=self.loop.time())

    async def whole(self) -> None:
        """From the first letter to the verdict."""
        with self.product.on_stage(
            client_id=self.outlook.client_id, client_secret=self.outlook.client_secret, light_minutes=self.light
        ):
            try:
                await self._days()
            finally:
                await self.outlook.world.stop()
                await self.product.stop()
                await asyncio.sleep(1)
        self.outcome.kills = self.product.kills
        self.outcome.faults = self.swarm.count + self.product.database.cut

    async def _days(self) -> None:
        d = self.dice
        self.trace("calendar", f"{self.epoch:%Y-%m-%d} {self.zone}")
        for one in self.people:
            one.fill(count=d.choice((0, 20, 60, 160)), days=d.choice((20, 400)))
        await self.outlook.world.start()
        self.product.weather.clock = d.choice((0.0, 0.0, -600.0, 600.0))
        for name in self.names:
            member = await self.product.look(lambda name=name: stage.seat(name=name))  # type: ignore[misc]
            await self._connect(member, name)
        await self.product.start(count=d.choice((1, 2, 3)), skew=self._skew)
        phases = max(2, round(self.days / 1.5)) if self.days <= 10 else round(self.days / 6)
        for number in range(phases):
            last = number == phases - 1
            await self._phase(seconds=self.days * DAY / phases, last=last)
            if self.outcome.breaches:
                break

    async def _connect(self, member, name):  # type: ignore[no-untyped-def]
        row = await self.product.act(lambda: sign_in(outlook=self.outlook, member=member, name=name))
        self.owners.append(
            Owner(
                product=self.product,
                outlook=self.outlook,
                member=member,
                name=name,
                row=row,
                dice=random.Random(f"{self.seed} {name} owner"),
            )
        )

    def _skew(self) -> float:
        return self.dice.uniform(-1.0, 1.0)

    # a phase

    async def _phase(self, *, seconds: float, last: bool) -> None:
        """Trouble, then rest, then the verdict."""
        rest = 26 * HOUR if self.dice.random() < 0.3 else 2.4 * self.light * 60 + 1200
        rest = min(rest, seconds * 0.6)
        end = self.loop.time() + max(seconds - rest, seconds * 0.4)
        self.trace("phase", ", ".join(self.swarm.begin()))
        self.outcome.faults += len(self.swarm.set)
        self.gap = "immutable-id gap" in self.swarm.set
        busy = self.dice.uniform(600, 3000)
        if self.days > 10:
            busy *= 4
        while self.loop.time() < end and not self.outcome.breaches:
            await asyncio.sleep(min(self.dice.expovariate(1 / busy), end - self.loop.time() + 0.001))
            await self._something()
        self.swarm.lift()
        self.trace("calm", "faults stop")
        if self.outcome.breaches:
            return
        await resting.settle(cast=self)
        await resting.rest(cast=self, seconds=26 * HOUR if self.gap else rest)
        self.gap = False
        self.breach([f"a token left for {one}" for one in self.product.microsoft.strangers])
        self.breach(await judgement.converged(cast=self))
        await self._watch()
        if last:
            self.breach(await judgement.again(cast=self))

    async def _something(self) -> None:
        """People act, often several things in a row; sometimes something breaks."""
        d = self.dice
        for _ in range(d.choice((1, 1, 2, 5))):
            self.trace("outlook", d.choice(self.people).act())
            await self._note()
            self.outcome.actions += 1
            if d.random() < 0.5:
                await asyncio.sleep(d.expovariate(1 / 4))
        if d.random() < 0.25:
            self.trace("member", await self._patiently(d.choice(self.owners)))
            self.outcome.actions += 1
        if d.random() < 0.25:
            self.trace("fault", self.swarm.burst())
        if d.random() < 0.06:
            owner = d.choice(self.owners)
            said = console.verify(product=self.product, owner=owner, repair=d.random() < 0.5)
            self.trace("console", f"{owner.name}'s owner {said}")
        if d.random() < 0.2:
            await self._break()
        await self._watch()

    async def _note(self) -> None:
        """Write down what was marked in Outlook."""
        for owner in self.owners:
            one = next(one for one in self.people if one.name == owner.name)
            marked, one.marked = one.marked, []
            if marked:
                ids = [name for name, _ in marked]
                open_ = await self.product.look(lambda owner=owner, ids=ids: owner.on_its_way(ids))  # type: ignore[misc]
                for name, is_read in marked:
                    self.ledger.outlook(one=name, is_read=is_read, at=self.loop.time(), on_its_way=name in open_)

    async def _patiently(self, owner: Owner) -> str:
        """A person whose page fails because the database is away."""
        owner.pressing = owner.pressed = ([], False)
        try:
            said = await owner.act()
            ids, is_read = owner.pressed
            self.ledger.here(ids=ids, is_read=is_read, at=self.loop.time())
            return said
        except Exception as problem:
            ids, is_read = owner.pressing
            self.ledger.here(ids=ids, is_read=is_read, at=self.loop.time(), sure=False)
            return f"{owner.name}'s owner sees an error page ({type(problem).__name__})"

    async def _break(self) -> None:
        """A process dies: now, or at one of its next durable steps."""
        d = self.dice
        await asyncio.sleep(d.expovariate(1 / 3))
        if d.random() < 0.15:
            await self.product.kill_web(seconds=d.choice((2, 60, 1200)))
        elif self.product.workers:
            life = d.choice(self.product.workers).life
            if d.random() < 0.3:
                self.product.kill(life)
            else:
                life.before = d.random() < 0.5
                life.steps_left = d.randrange(200)

    async def _watch(self) -> None:
        """What has to hold at every moment."""
        world = self.outlook.world
        for owner in self.owners:
            box = self.outlook.mailbox(owner.name)
            self.breach(await self.product.look(lambda owner=owner: self.witness.look(connection=owner.row)))  # type: ignore[misc]
            ids = {"workspace": owner.row.workspace_id, "connection": owner.row.pk}
            words = await self.product.look(lambda ids=ids: convergence.doubled(**ids))  # type: ignore[misc]
            self.breach([f"I3 doubled {one}" for one in words])
            if self.gap:
                continue  # delta itself does not tell of everything; the daily proof finds it
            self.breach(
                await self.product.look(
                    lambda owner=owner, box=box, world=world: cursors.passed(
                        world=world, box=box, connection=owner.row
                    )  # type: ignore[misc]
                )
            )

    def breach(self, words: list[str]) -> None:
        """Write breaches down; at the first, what led to it is kept."""
        if words and not self.outcome.breaches:
            self.outcome.tail, self.outcome.story = list(self.trace.tail), list(self.trace.story)
        for one in words[:20]:
            self.trace("BREACH", one)
            self.outcome.breaches.append(f"{self.loop.time():.0f} s: {one}")
