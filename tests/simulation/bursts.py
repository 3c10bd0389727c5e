"""Faults that happen once, or to the next few requests."""

from __future__ import annotations

import random
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

from m365sandbox.faults import Fault
from tests.simulation.outlook import Outlook

GRAPH = r" /(v1\.0/)?(me|users)"
READS = r"^GET .*/(messages|mailFolders)"
PAGES = r"^GET .*/messages(/delta)?(\?|$)"


class Bursts:
    """Each verb sets one fault and says which."""

    def __init__(self, *, outlook: Outlook, names: list[str], dice: random.Random) -> None:
        self.outlook, self.names, self.dice = outlook, names, dice
        self.world = outlook.world
        self.all: list[Callable[[], str]] = [
            self.throttled,
            self.throttled_in_a_batch,
            self.unavailable,
            self.cut_lines,
            self.stalled,
            self.truncated,
            self.html,
            self.odd_page,
            self.spurious_401,
            self.worn_cursors,
            self.expired_tokens,
            self.lifecycle,
            self.forgotten_twin,
            self.forged,
        ]

    def _add(self, kind: Any, match: str = GRAPH, **more: Any) -> None:
        self.world.faults.add(Fault(match, kind, times=self.dice.randrange(1, 5), **more))

    def throttled(self) -> str:
        """429, with Retry-After in all its forms."""
        date = format_datetime(self.world.clock(), usegmt=True)
        wait = self.dice.choice(("7", "2.5", "120", "", date))
        headers = {"Retry-After": wait} if wait else {}
        self._add("status", status=429, headers=headers)
        return f"429 {wait}"

    def throttled_in_a_batch(self) -> str:
        """200 for the batch, 429 for some of what it carries."""
        wait = self.dice.choice(("7", "2.5", "date:120", ""))
        self._add("throttle", retry_after=wait, batched=True, skip=self.dice.randrange(3))
        return f"429 in a batch {wait}"

    def unavailable(self) -> str:
        """503 and 504, before and after taking effect."""
        status, after = self.dice.choice((500, 502, 503, 504)), self.dice.random() < 0.5
        self._add("status", status=status, after=after)
        return f"{status} {'after' if after else 'before'}"

    def cut_lines(self) -> str:
        """The line breaks before the first byte, or within the answer."""
        kind = self.dice.choice(("drop", "cut"))
        self._add(kind, after=self.dice.random() < 0.5)
        return kind

    def stalled(self) -> str:
        """The answer begins, then nothing comes, then the line breaks: before or after our patience ends."""
        seconds = self.dice.choice((20.0, 50.0, 300.0))
        self._add("stall", seconds=seconds, after=self.dice.random() < 0.5)
        return f"stall {seconds:.0f} s"

    def truncated(self) -> str:
        """Half a JSON document."""
        self._add("malformed", READS, after=self.dice.random() < 0.5)
        return "truncated JSON"

    def html(self) -> str:
        """200 with a proxy's page."""
        self._add("html", READS, status=self.dice.choice((200, 503)))
        return "an HTML page"

    def odd_page(self) -> str:
        """Empty with a nextLink, repeated, an id twice, an unknown id removed, a nextLink to another host."""
        kind = self.dice.choice(("empty", "repeat", "double", "ghost", "foreign"))
        self._add(kind, PAGES)
        return f"{kind} page"

    def spurious_401(self) -> str:
        """One backend that does not know the token."""
        self._add("status", status=401)
        return "401"

    def worn_cursors(self) -> str:
        """410 from now on for every delta link there is, or for the next pages of a round."""
        if self.dice.random() < 0.3:
            self._add("status", r"^GET .*delta\?.*skiptoken", status=410)
            return "410 within a round"
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

    def end_subscriptions(self) -> None:
        """Microsoft ends all of them, and tells."""
        for sub in list(self.world.subscriptions.values()):
            self.world.courier.lifecycle(sub, "subscriptionRemoved")

    def forgotten_twin(self) -> str:
        """What makes a subscription anew takes effect and is not answered: the next try meets its twin, 409."""
        self.end_subscriptions()
        self.world.faults.add(Fault(r"^POST .*/subscriptions", "status", status=504, after=True))
        return "a subscription that nobody was told of"

    def forged(self) -> str:
        """Notices that Microsoft did not send: a wrong secret, and a subscription that nobody knows."""
        sub = next(iter(self.world.subscriptions.values()), None)
        if sub is not None:
            notice = sub.change_notice("deleted", "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A", "x") | {
                "clientState": "guess"
            }
            self.world.courier.post(sub.notification_url, notice, None)
            self.world.courier.post(sub.notification_url, notice | {"subscriptionId": "unknown"}, None)
        return "forged notices"
