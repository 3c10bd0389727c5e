"""A notification endpoint for tests: records what it is sent, answers as it is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2
from tests.contract.graph.stagecraft import ANA, NOW, Stage, iso_in

URL = "https://workestra.test/hooks/graph?key=1"
LIFE = "https://workestra.test/hooks/life"


@dataclass
class Endpoint:
    """`statuses` are answered in turn, then 202."""

    stage: Stage
    notices: list[dict[str, Any]] = field(default_factory=list)
    posts: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    handshakes: list[httpx2.Request] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    handshake: str = "good"
    seconds: float = 0.0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        raw = request.url.query.decode()
        if "validationToken=" in raw:
            self.handshakes.append(request)
            token = parse_qs(raw)["validationToken"][0]
            if self.handshake == "hang":
                await asyncio.sleep(60)
            if self.handshake == "refuse":
                return httpx2.Response(403)
            if self.handshake == "encoded":
                return httpx2.Response(200, text=raw.partition("validationToken=")[2])
            if self.handshake == "html":
                return httpx2.Response(200, html=token)
            return httpx2.Response(200, text=token)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        status = self.statuses.pop(0) if self.statuses else 202
        value = httpx2.Response(200, content=request.content).json()["value"]
        self.posts.append((str(request.url), value))
        if status < 300:
            self.notices += value
            self._came.set()
        return httpx2.Response(status)

    async def wait(self, count: int, seconds: float = 3.0) -> list[dict[str, Any]]:
        """The notices, once there are `count`."""
        async with asyncio.timeout(seconds):
            while len(self.notices) < count:
                self._came.clear()
                await self._came.wait()
        return self.notices

    async def quiet(self, seconds: float = 0.15) -> list[dict[str, Any]]:
        """The notices after some time in which more could have come."""
        await asyncio.sleep(seconds)
        return self.notices

    async def subscribe(self, *, token: str = ANA, prefer: str | None = None, **changes: Any) -> httpx2.Response:
        """POST /subscriptions with good values, some of them changed; None leaves a property out."""
        body: dict[str, Any] = {
            "changeType": "created,updated,deleted",
            "notificationUrl": URL,
            "lifecycleNotificationUrl": LIFE,
            "resource": "me/mailFolders('inbox')/messages",
            "expirationDateTime": iso_in(NOW, minutes=4000),
            "clientState": "secret",
            **changes,
        }
        body = {name: value for name, value in body.items() if value is not None}
        return await self.stage.ask("POST", "/subscriptions", token=token, prefer=prefer, json=body)


def endpoint_for(stage: Stage) -> Endpoint:
    """An endpoint that the courier of the stage's world reaches."""
    made = Endpoint(stage)
    stage.world.courier.transport = httpx2.MockTransport(made)
    timing = stage.world.courier.timing
    timing.first_delay = timing.idle = 0.02
    return made
