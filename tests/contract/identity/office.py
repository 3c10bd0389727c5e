"""The place where sign-ins are tested: a sandbox, a clock that can be turned, and an app's requests."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from starlette.applications import Starlette

from m365sandbox import seed
from m365sandbox.app import build, create_world
from m365sandbox.identity import Identity
from m365sandbox.identity.visitor import Page, Visitor
from m365sandbox.tokens import Tokens
from m365sandbox.world import World

BACK = "http://localhost:5000/connect/back"
SCOPE = "openid profile email offline_access User.Read Mail.Read Mail.ReadWrite Mail.Send Mail.Read.Shared"
ANA, BEN, CLEO = "ana@larkfield.example", "ben@larkfield.example", "cleo@quillmark.example"
OMAR, PRIYA, GRACE = "omar@larkfield.example", "priya@larkfield.example", "grace@larkfield.example"
HUGO, ASTRID, NORA = "hugo@stonebridge.example", "astrid@stonebridge.example", "nora.ellis@outlook.example"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(slots=True)
class Clock:
    """A time that moves only when told."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Turn the clock on, in the words of timedelta."""
        self.now += timedelta(**by)


@dataclass(slots=True)
class Office:
    """An app with its registration, and one browser."""

    url: str
    world: World
    identity: Identity
    tokens: Tokens
    clock: Clock
    client: httpx2.Client
    visitor: Visitor

    def link(self, tenant: str = "common", **differs: str | None) -> str:
        """A good authorize address, but for what differs; None leaves a parameter out."""
        values: dict[str, str | None] = {
            "client_id": seed.CLIENT_ID,
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": SCOPE,
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **differs,
        }
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"{self.url}/{tenant}/oauth2/v2.0/authorize?{query}"

    def sign_in(self, address: str, tenant: str = "common", **differs: str | None) -> Page:
        """Walk from the authorize address to the app, or to where it ends."""
        return self.visitor.sign_in(self.link(tenant, **differs), address=address, password=seed.PASSWORD)

    def code(self, address: str, tenant: str = "common", **differs: str | None) -> str:
        """A fresh code."""
        page = self.sign_in(address, tenant, **differs)
        assert page.returned is not None, page.text
        return page.returned["code"]

    def token(self, tenant: str = "common", **values: str | None) -> httpx2.Response:
        """POST to the token endpoint as the registered app; None leaves a field out."""
        fields: dict[str, str | None] = {
            "client_id": seed.CLIENT_ID,
            "client_secret": seed.CLIENT_SECRET,
            **values,
        }
        data = {name: value for name, value in fields.items() if value is not None}
        return self.client.post(f"{self.url}/{tenant}/oauth2/v2.0/token", data=data)

    def redeem(self, code: str, tenant: str = "common", **differs: str | None) -> httpx2.Response:
        """Redeem a code."""
        values: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            **differs,
        }
        return self.token(tenant, **values)

    def refresh(self, refresh_token: str, tenant: str = "common", **differs: str | None) -> httpx2.Response:
        """Renew."""
        values: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": refresh_token, **differs}
        return self.token(tenant, **values)

    def connected(self, address: str, tenant: str = "common", **differs: str | None) -> dict[str, Any]:
        """Sign in and redeem: the token answer."""
        answer = self.redeem(self.code(address, tenant, **differs), tenant)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def graph(self, path: str, access_token: str) -> httpx2.Response:
        """GET from Graph."""
        return self.client.get(f"{self.url}/v1.0{path}", headers={"authorization": f"Bearer {access_token}"})

    def control(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """The control API of sign-ins."""
        answer = self.client.request(method, f"{self.url}/_sandbox/identity/{path}", json=body)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def new_browser(self) -> None:
        """Forget all cookies."""
        self.client.cookies.clear()


class Wire(httpx2.BaseTransport):
    """Calls the app in this process instead of over a socket."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx2.ASGITransport(app=app)
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._loop.run_until_complete(self._answer(request))

    def close(self) -> None:
        self._loop.close()

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._inner.handle_async_request(request)
        content = await answer.aread()
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-encoding"]
        return httpx2.Response(answer.status_code, headers=headers, content=content)


@pytest.fixture
def office() -> Iterator[Office]:
    clock = Clock()
    world = create_world(11, clock=clock)
    tokens = world.tokens
    assert isinstance(tokens, Tokens)
    app = build(world)
    with httpx2.Client(transport=Wire(app), trust_env=False) as client:
        yield Office("http://login.test", world, app.state.identity, tokens, clock, client, Visitor(client))


def number_of(answer: httpx2.Response) -> int:
    """The AADSTS number of a refused token request."""
    body = answer.json()
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    number: int = body["error_codes"][0]
    return number
