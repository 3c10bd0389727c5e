"""Microsoft in this simulation: the sandbox on the virtual clock, with letters on demand."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from m365sandbox import app as sandbox_app
from m365sandbox.letters import Address, Letter
from m365sandbox.mailbox import Mailbox
from workestra.mail.flows.microsoft import SCOPES


class Outlook:
    """A company of its own, letters on demand."""

    def __init__(self, *, seed: int, clock: Callable[[], datetime], access_minutes: float, host: str) -> None:
        self.world = sandbox_app.create_world(seed, small=True, clock=clock, access_minutes=access_minutes)
        self.app = sandbox_app.build(self.world, issuer_url=host)
        app = next(iter(self.world.directory.apps.values()))
        self.client_id, self.client_secret = app.client_id, app.client_secret
        self._count = 0
        self.access_minutes = access_minutes
        for person in self.world.directory.people.values():
            self.app.state.identity.consents.grant(person=person, app_id=self.client_id, names=frozenset(SCOPES))

    def person(self, name: str) -> Any:
        """The person whose address begins with this name."""
        return next(one for one in self.world.directory.people.values() if one.address.startswith(f"{name}@"))

    def mailbox(self, name: str) -> Mailbox:
        """Their mailbox."""
        box = self.world.mailbox_of(self.person(name).address)
        assert box is not None
        return box

    def letter(self, *, at: datetime, to: str = "ana", dice: random.Random | None = None) -> Letter:
        """A letter that differs from all others; sometimes it answers an earlier conversation."""
        self._count += 1
        n = self._count
        topic = dice.randrange(max(1, n - 12), n + 1) if dice is not None else n
        html = f"<p>Letter <b>{n}</b></p>"
        moment = at.replace(microsecond=0)
        return Letter(
            subject=f"Letter {topic}",
            sender=Address("Dora Quill", f"dora{n % 7}@outside.example"),
            to=(Address(to.title(), self.person(to).address),),
            received_at=moment,
            sent_at=moment,
            internet_message_id=f"<{n}.{self.world.seed}@outside.example>",
            body=lambda: ("html", html),
            preview=lambda: f"Letter {n}",
            conversation=f"conversation {topic}",
        )

    def edited(self, letter: Letter) -> Letter:
        """The same letter with another subject and body."""
        self._count += 1
        n = self._count
        return replace(
            letter,
            subject=f"Letter (edited {n})",
            body=lambda: ("html", f"<p>Edited {n}</p>"),
            preview=lambda: f"Edited {n}",
        )

    def agree(self, name: str) -> None:
        """They accept what we ask for, as they do at the end of a sign-in."""
        identity = self.app.state.identity
        identity.consents.grant(person=self.person(name), app_id=self.client_id, names=frozenset(SCOPES))

    def tokens_of(self, name: str) -> tuple[str, str]:
        """An access and a refresh token, as a finished sign-in would bring them."""
        tokens: Any = self.world.tokens
        person = self.person(name)
        scopes = frozenset(SCOPES)
        access, _ = tokens.issue_access(person=person, app_id=self.client_id, scopes=scopes, challengeable=True)
        return access, tokens.issue_refresh(person=person, app_id=self.client_id)
