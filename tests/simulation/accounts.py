"""What happens to a person's account at Microsoft: consent that ends, a challenge, a licence that is taken away.

It strikes at once, or in the middle of whatever asks for mail next: at one of its pages.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from m365sandbox.faults import Fault
from tests.simulation.outlook import Outlook
from tests.simulation.product import Product


class Accounts:
    """Each verb sets one fault and says which. What ends a sign-in lasts until the person signs in again."""

    def __init__(self, *, outlook: Outlook, product: Product, names: list[str], dice: random.Random) -> None:
        self.outlook, self.product, self.names, self.dice = outlook, product, names, dice
        self.all: list[Callable[[], str]] = [self.revoked, self.withdrawn, self.challenged, self.unlicensed]

    def _strike(self, what: str, act: Callable[[], None]) -> str:
        if self.dice.random() < 0.3:
            act()
            return f"{what} now"
        pages = self.dice.randrange(1, 12)

        def later() -> None:
            self.product.trace("fault", what)
            act()

        self.product.microsoft.after(pages=pages, do=later)
        return f"{what} at page {pages}"

    def _person(self) -> Any:
        return self.outlook.person(self.dice.choice(self.names))

    def revoked(self) -> str:
        """An administrator ends all sessions, or the password was changed."""
        person, tokens = self._person(), self._tokens

        def act() -> None:
            tokens.revoke(person.address)
            tokens.expire_access(person.address)

        return self._strike("sign-in revoked", act)

    def withdrawn(self) -> str:
        """The person takes back what they agreed to."""
        person = self._person()

        def act() -> None:
            self.outlook.app.state.identity.consents.withdraw(person=person)
            self._tokens.expire_access(person.address)

        return self._strike("consent withdrawn", act)

    def challenged(self) -> str:
        """401 with a claims challenge: once, or until somebody brings the claims."""
        if self.dice.random() < 0.3:
            self.outlook.world.faults.add(Fault(r" /(v1\.0/)?(me|users)", "challenge"))
            return "a claims challenge once"
        person, interactive = self._person(), self.dice.random() < 0.5

        def act() -> None:
            nbf = {"essential": True, "value": str(int(self.outlook.world.clock().timestamp()))}
            claims = json.dumps({"access_token": {"nbf": nbf}})
            self._tokens.challenge(person=person, claims=claims, interactive=interactive)

        return self._strike("claims challenge", act)

    def unlicensed(self) -> str:
        """The mailbox is not there for a while."""
        person = self._person()
        hours = self.dice.choice((0.1, 2, 8))

        def act() -> None:
            person.mailbox = "none"
            self.product.loop.call_later(hours * 3600, lambda: setattr(person, "mailbox", "online"))

        return self._strike(f"licence away for {hours} h", act)

    @property
    def _tokens(self) -> Any:
        return self.outlook.world.tokens

    def lift(self) -> None:
        """Nothing more strikes, and licences are given back."""
        self.product.microsoft.due.clear()
        for name in self.names:
            self.outlook.person(name).mailbox = "online"
