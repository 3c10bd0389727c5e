"""The sandbox as tests use it: a company of its own, letters on demand, and a connected mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from m365sandbox import app as sandbox_app
from m365sandbox.letters import Address, Letter
from m365sandbox.mailbox import Item, Mailbox
from workestra.kit import clock
from workestra.mail.doors import connecting, ref
from workestra.mail.doors.connecting import SignedIn
from workestra.mail.doors.ref import Ref
from workestra.mail.flows import microsoft
from workestra.mail.models import Connection
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

T = TypeVar("T")


def run(work: Awaitable[T]) -> T:
    """Run a flow to its end on a loop of its own."""

    async def whole() -> T:
        try:
            return await work
        finally:
            await microsoft.close()

    return asyncio.run(whole())


class Outlook:
    """A sandbox in a thread."""

    def __init__(self, *, seed: int, messages: int = 0) -> None:
        self.world = sandbox_app.create_world(seed, messages=messages, small=True)
        self.handle = sandbox_app.serve_in_thread(self.world)
        self.url = self.handle.url
        self._count = 0
        app = next(iter(self.world.directory.apps.values()))
        self.client_id, self.client_secret = app.client_id, app.client_secret

    def stop(self) -> None:
        """End it."""
        self.handle.stop()

    def person(self, name: str) -> Any:
        """The person whose address begins with this name."""
        return next(one for one in self.world.directory.people.values() if one.address.startswith(f"{name}@"))

    def mailbox(self, name: str) -> Mailbox:
        """Their mailbox."""
        box = self.world.mailbox_of(self.person(name).address)
        assert box is not None
        return box

    def letter(self, **more: Any) -> Letter:
        """A letter that differs from all others."""
        self._count += 1
        n = self._count
        at = more.pop("at", datetime.now(UTC).replace(microsecond=0))
        html = more.pop("html", f"<p>Letter <b>{n}</b></p>")
        text = more.pop("subject", f"Letter {n}")
        values: dict[str, Any] = {
            "subject": text,
            "sender": Address("Dora Quill", "dora@outside.example"),
            "to": (Address("Ana", self.person("ana").address),),
            "received_at": at,
            "sent_at": at,
            "internet_message_id": f"<{n}.{self.world.seed}@outside.example>",
            "body": lambda: ("html", html),
            "preview": lambda: f"Letter {n}",
            "conversation": f"conversation {n}",
        }
        return Letter(**{**values, **more})

    def deliver(self, name: str = "ana", *, folder: str = "inbox", is_read: bool = False, **more: Any) -> Item:
        """Put a letter into somebody's mailbox."""
        return self.mailbox(name).deliver(self.letter(**more), folder, is_read)

    def history(self, name: str = "ana", *, count: int, days: int = 60, **more: Any) -> list[Item]:
        """Letters spread over the last days, newest last."""
        now = datetime.now(UTC).replace(microsecond=0)
        return [
            self.deliver(name, at=now - timedelta(days=days) * (count - n) / (count + 1), is_read=n % 3 == 0, **more)
            for n in range(count)
        ]

    def tokens_of(self, name: str) -> tuple[str, str]:
        """An access and a refresh token, as a finished sign-in would bring them."""
        tokens: Any = self.world.tokens
        person = self.person(name)
        access, _ = tokens.issue_access(person=person, app_id=self.client_id, scopes=frozenset(microsoft.SCOPES))
        return access, tokens.issue_refresh(person=person, app_id=self.client_id)

    def connect(self, member: Member, name: str = "ana") -> Connection:
        """A connection of this member's to somebody's mailbox, as after signing in."""
        person = self.person(name)
        access, refresh = self.tokens_of(name)
        return connecting.connect(
            member=member,
            signed_in=SignedIn(
                tenant_id=person.tenant.id,
                object_id=person.id,
                address=person.address,
                name=person.name,
                personal=person.personal,
                access=access,
                refresh=refresh,
                expires_at=clock.now() + timedelta(hours=1),
                scopes=microsoft.SCOPES,
                issued_at=self.world.clock() - timedelta(minutes=5),
            ),
            reconnects=None,
            now=clock.now(),
        )


def ref_of(connection: Connection) -> Ref:
    """The connection as flows see it."""
    with scope(workspace=connection.workspace_id):
        here = ref.read(connection=connection.pk)
    assert here is not None
    return here
