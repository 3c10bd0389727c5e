"""Which faults a phase meets: a few of the list, drawn anew each time, so that odd pairs meet."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.simulation.accounts import Accounts
from tests.simulation.bursts import Bursts
from tests.simulation.outlook import Outlook
from tests.simulation.product import Product

MINUTES = 60.0


class Swarm:
    """Sets faults and lifts them."""

    def __init__(self, *, outlook: Outlook, product: Product, names: list[str], dice: random.Random) -> None:
        self.outlook, self.product, self.names, self.dice = outlook, product, names, dice
        self.world = outlook.world
        self.set: list[str] = []
        self.count = 0
        self.bursts = Bursts(outlook=outlook, names=names, dice=dice)
        self.accounts = Accounts(outlook=outlook, product=product, names=names, dice=dice)
        self._burst: list[Callable[[], str]] = [*self.bursts.all, *self.accounts.all, self.clock_set]

    def begin(self) -> list[str]:
        """Choose what goes wrong all the time in this phase."""
        d, weather = self.dice, self.product.weather
        notices, switches = self.world.courier.faults, self.world.switches
        choices: dict[str, Callable[[], Any]] = {
            "refused lines": lambda: setattr(weather, "refuse", d.choice((0.01, 0.1))),
            "slow answers": lambda: setattr(weather, "slow", 0.03),
            "hanging answers": lambda: setattr(weather, "hang", 0.01),
            "deaf endpoint": lambda: setattr(weather, "deaf", d.choice((0.1, 0.9))),
            "cut database": lambda: setattr(weather, "database", d.choice((0.002, 0.01))),
            "deadlocks": lambda: setattr(weather, "deadlock", 0.01),
            "serialisation errors": lambda: setattr(weather, "serialisation", 0.01),
            "clock off": lambda: setattr(weather, "clock", d.choice((-10, 10)) * MINUTES),
            "dropped notices": lambda: setattr(notices, "drop", d.choice((0.2, 1.0))),
            "doubled notices": lambda: setattr(notices, "duplicate", 0.4),
            "reordered notices": lambda: setattr(notices, "reorder", True),
            "late notices": lambda: setattr(notices, "delay_seconds", d.choice((5.0, 900.0))),
            "echoed notices": lambda: setattr(notices, "echo", True),
            "hasty notices": lambda: setattr(notices, "hasty", True),
            "a thousand in one body": lambda: setattr(notices, "per_body", 1000),
            "subscription ceiling": self._ceiling,
            "empty pages": lambda: setattr(switches, "delta_empty_pages", True),
            "doubled ids": lambda: setattr(switches, "delta_duplicates", True),
            "ghosts": lambda: setattr(switches, "delta_ghosts", True),
            "unreadable mail": lambda: setattr(switches, "unreadable_seconds", d.choice((2.0, 60.0))),
            "immutable-id gap": lambda: setattr(switches, "immutable_id_gap", True),
        }
        self.set = sorted(d.sample(sorted(choices), d.randrange(2, 7)))
        for name in self.set:
            choices[name]()
        return self.set

    def clock_set(self) -> str:
        """Our clocks go wrong by ten minutes, or are put right."""
        weather = self.product.weather
        weather.clock = 0.0 if weather.clock else self.dice.choice((-10, 10)) * MINUTES
        return f"clocks {weather.clock:+.0f} s"

    def _ceiling(self) -> None:
        """Others have used the mailbox's subscriptions up, and ours have just ended."""
        self.world.switches.subscriptions_per_mailbox = self.dice.choice((0, 1))
        self.bursts.end_subscriptions()

    def lift(self) -> None:
        """Faults stop."""
        weather, notices, switches = self.product.weather, self.world.courier.faults, self.world.switches
        for one in (weather, notices, switches):
            fresh = type(one)()
            for name in one.__dataclass_fields__:
                setattr(one, name, getattr(fresh, name))
        self.world.faults.clear()
        self.accounts.lift()
        self.set = []

    def burst(self) -> str:
        """Something that happens once, or to the next requests."""
        self.count += 1
        return self.dice.choice(self._burst)()
