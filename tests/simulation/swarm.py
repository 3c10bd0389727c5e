"""Which faults a phase meets: a few of the list, drawn anew each time, so that odd pairs meet."""

from __future__ import annotations

import random
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

from m365sandbox.faults import Fault
from tests.simulation.outlook import Outlook
from tests.simulation.product import Product

GRAPH = r" /(v1\.0/)?(me|users)"
READS = r"^GET .*/(messages|mailFolders)"


class Swarm:
    """Sets faults and lifts them."""

    def __init__(self, *, outlook: Outlook, product: Product, names: list[str], dice: random.Random) -> None:
        self.outlook, self.product, self.names, self.dice = outlook, product, names, dice
        self.world = outlook.world
        self.set: list[str] = []
        self.count = 0
        self.bursts: list[Callable[[], str]] = [
            self.throttled,
            self.unavailable,
            self.cut_lines,
            self.truncated,
            self.html,
            self.spurious_401,
            self.worn_cursors,
            self.expired_tokens,
            self.lifecycle,
            self.forged,
        ]

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
            "dropped notices": lambda: setattr(notices, "drop", d.choice((0.2, 1.0))),
            "doubled notices": lambda: setattr(notices, "duplicate", 0.4),
            "reordered notices": lambda: setattr(notices, "reorder", True),
            "late notices": lambda: setattr(notices, "delay_seconds", d.choice((5.0, 900.0))),
            "echoed notices": lambda: setattr(notices, "echo", True),
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

    def lift(self) -> None:
        """Faults stop."""
        weather, notices, switches = self.product.weather, self.world.courier.faults, self.world.switches
        for one in (weather, notices, switches):
            fresh = type(one)()
            for name in one.__dataclass_fields__:
                setattr(one, name, getattr(fresh, name))
        self.world.faults.clear()
        self.set = []

    def burst(self) -> str:
        """Something that happens once, or to the next requests."""
        self.count += 1
        return self.dice.choice(self.bursts)()

    def _add(self, kind: Any, match: str = GRAPH, **more: Any) -> None:
        self.world.faults.add(Fault(match, kind, times=self.dice.randrange(1, 5), **more))

    def throttled(self) -> str:
        """429, with Retry-After in all its forms."""
        date = format_datetime(self.world.clock(), usegmt=True)
        wait = self.dice.choice(("7", "2.5", "120", "", date))
        headers = {"Retry-After": wait} if wait else {}
        self._add("status", status=429, headers=headers)
        return f"429 {wait}"

    def unavailable(self) -> str:
        """503 and 504, before and after taking effect."""
        status, after = self.dice.choice((500, 502, 503, 504)), self.dice.random() < 0.5
        self._add("status", status=status, after=after)
        return f"{status} {'after' if after else 'before'}"

    def cut_lines(self) -> str:
        """The line breaks within the answer."""
        self._add("cut", after=self.dice.random() < 0.5)
        return "cut"

    def truncated(self) -> str:
        """Half a JSON document."""
        self._add("malformed", READS, after=self.dice.random() < 0.5)
        return "truncated JSON"

    def html(self) -> str:
        """200 with a proxy's page."""
        self._add("html", READS, status=self.dice.choice((200, 503)))
        return "an HTML page"

    def spurious_401(self) -> str:
        """One backend that does not know the token."""
        self._add("status", status=401)
        return "401"

    def worn_cursors(self) -> str:
        """410 from now on for every delta link there is."""
        for name in self.names:
            self.world.cursors.expire(owner=self.outlook.mailbox(name).owner_id)
        return "410"

    def expired_tokens(self) -> str:
        """Access tokens end early."""
        tokens: Any = self.world.tokens
        for name in self.names:
            tokens.expire_access(self.outlook.person(name).address)
        return "expired access tokens"

    def lifecycle(self) -> str:
        """missed, subscriptionRemoved or reauthorizationRequired."""
        event = self.dice.choice(("missed", "subscriptionRemoved", "reauthorizationRequired"))
        for sub in list(self.world.subscriptions.values()):
            self.world.courier.lifecycle(sub, event)
        return event

    def forged(self) -> str:
        """Notices that Microsoft did not send."""
        sub = next(iter(self.world.subscriptions.values()), None)
        if sub is not None:
            notice = sub.change_notice("deleted", "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A", "x") | {
                "clientState": "guess"
            }
            self.world.courier.post(sub.notification_url, notice, None)
            self.world.courier.post(sub.notification_url, notice | {"subscriptionId": "unknown"}, None)
        return "forged notices"
