"""A small stage: one tenant, Ana, Ben, a shared mailbox, and a client that speaks to the sandbox's Graph."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest_asyncio
from starlette.applications import Starlette

from m365sandbox import control, graph
from m365sandbox.letters import Address, Enclosure, Letter
from m365sandbox.people import Directory, Person, SharedMailbox, Tenant
from m365sandbox.world import World

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ANA = "ana"  # the bearer text of Ana's full token
ALL_SCOPES = frozenset(
    [
        "Mail.Read",
        "Mail.ReadWrite",
        "Mail.Send",
        "Mail.Read.Shared",
        "Mail.ReadWrite.Shared",
        "Mail.Send.Shared",
        "User.Read",
        "Contacts.Read",
        "Calendars.Read",
    ]
)


@dataclass
class FakeAccess:
    """What the identity half says about one bearer token."""

    person: Person
    app_id: str = "11111111-aaaa-4bbb-8ccc-222222222222"
    scopes: frozenset[str] = ALL_SCOPES
    tenant_id: str = "7e0c2f3a-0000-4000-8000-000000000001"
    expires_at: datetime = NOW + timedelta(hours=1)
    problem: str | None = None


@dataclass
class FakeTokens:
    """Bearer text -> access, as the identity half would check it."""

    known: dict[str, FakeAccess] = field(default_factory=dict)

    def check(self, bearer: str) -> FakeAccess | None:
        return self.known.get(bearer)


@dataclass
class Clock:
    """A clock that tests move by hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


_numbers = itertools.count(1)


def letter(subject: str = "Hello", **changes: Any) -> Letter:
    """A letter from a customer to Ana; any field can be changed."""
    number = next(_numbers)
    kind, content = changes.pop("body", ("html", f"<html><body><p>{subject}</p></body></html>"))
    at = changes.pop("received_at", NOW - timedelta(hours=1) + timedelta(seconds=number % 3000))
    values: dict[str, Any] = {
        "subject": subject,
        "sender": Address("Cora Client", "cora@customer.example"),
        "to": (Address("Ana Owner", "ana@harbour.example"),),
        "received_at": at,
        "sent_at": at,
        "internet_message_id": f"<{number}@customer.example>",
        "body": lambda: (kind, content),
        "preview": lambda: subject,
        "conversation": f"thread-{number}",
    }
    values.update(changes)
    return Letter(**values)


def enclosure(name: str, content: bytes, content_type: str = "application/pdf", **more: Any) -> Enclosure:
    """An attachment with the given bytes."""
    return Enclosure(name=name, content_type=content_type, size=len(content), content=lambda: content, **more)


@dataclass
class Stage:
    """The world on stage and a way to ask it."""

    world: World
    clock: Clock
    tokens: FakeTokens
    ana: Person
    ben: Person
    shared: SharedMailbox
    http: httpx2.AsyncClient

    async def ask(
        self, method: str, path: str, *, token: str | None = ANA, prefer: str | None = None, **more: Any
    ) -> httpx2.Response:
        headers = dict(more.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if prefer:
            headers["Prefer"] = prefer
        url = path if path.startswith("http") else f"http://graph.test/v1.0{path}"
        return await self.http.request(method, url, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx2.Response:
        return await self.ask("GET", path, **more)

    async def ok(self, path: str, **more: Any) -> dict[str, Any]:
        answer = await self.get(path, **more)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def refused(self, path: str, **more: Any) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        answer = await self.ask(more.pop("method", "GET"), path, **more)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["message"]

    async def round(self, url: str, **more: Any) -> tuple[list[dict[str, Any]], str]:
        """Follow nextLinks to the deltaLink: every entry, and the link."""
        entries: list[dict[str, Any]] = []
        for _ in range(2000):
            page = await self.ok(url, **more)
            assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
            entries += page["value"]
            if "@odata.deltaLink" in page:
                return entries, page["@odata.deltaLink"]
            url = page["@odata.nextLink"]
        raise AssertionError("the round never ended")


IMMUTABLE = 'IdType="ImmutableId"'


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    tenant = Tenant(id="7e0c2f3a-0000-4000-8000-000000000001", name="Harbour", domain="harbour.example")
    other = Tenant(id="7e0c2f3a-0000-4000-8000-000000000002", name="Elsewhere", domain="elsewhere.example")
    ana = Person(
        id="a0000000-0000-4000-8000-00000000000a",
        tenant=tenant,
        name="Ana Owner",
        address="ana@harbour.example",
        password="x",
        upn="ana.owner@harbour.example",
    )
    ben = Person(
        id="b0000000-0000-4000-8000-00000000000b",
        tenant=tenant,
        name="Ben Mate",
        address="ben@harbour.example",
        password="x",
        upn="ben@harbour.example",
    )
    olga = Person(
        id="c0000000-0000-4000-8000-00000000000c",
        tenant=tenant,
        name="Olga Onprem",
        address="olga@harbour.example",
        password="x",
        upn="olga@harbour.example",
        mailbox="onprem",
    )
    pia = Person(
        id="00000000-0000-0000-0003-40001a2b3c4d",
        tenant=other,
        name="Pia Private",
        address="pia@outlook.example",
        password="x",
        personal=True,
    )
    shared = SharedMailbox(
        id="d0000000-0000-4000-8000-00000000000d",
        tenant=tenant,
        name="Sales",
        address="sales@harbour.example",
        full_access={ana.id},
    )
    directory = Directory(
        tenants={t.id: t for t in (tenant, other)},
        people={p.id: p for p in (ana, ben, olga, pia)},
        shared={shared.id: shared},
        apps={},
    )
    clock = Clock()
    world = World(directory, clock, seed=7)
    for owner in (ana.id, ben.id, pia.id, shared.id):
        world.add_mailbox(owner)
    tokens = FakeTokens(
        {
            "ana": FakeAccess(ana),
            "ben": FakeAccess(ben),
            "olga": FakeAccess(olga),
            "pia": FakeAccess(pia),
            "ana-narrow": FakeAccess(ana, scopes=frozenset({"User.Read", "Mail.Read"})),
            "ana-basic": FakeAccess(ana, scopes=frozenset({"User.Read", "Mail.ReadBasic"})),
            "ana-profile": FakeAccess(ana, scopes=frozenset({"User.Read"})),
            "expired": FakeAccess(ana, problem="expired"),
            "malformed": FakeAccess(ana, problem="malformed"),
            "challenged": FakeAccess(ana, problem='{"access_token":{"nbf":{"essential":true,"value":"1"}}}'),
        }
    )
    world.tokens = tokens
    app = Starlette(routes=[*graph.routes(world), *control.routes(world)])
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, trust_env=False) as http:
        yield Stage(world, clock, tokens, ana, ben, shared, http)
    await world.stop()


def iso_in(moment: datetime, **delta: float) -> str:
    """A moment later, as Graph's documentation writes it."""
    return (moment + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
