"""A Graph client whose wire is a function of the test: what it is asked is kept, what it answers is scripted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2

from workestra.graph.client import Graph
from workestra.graph.exchange import Exchange

BASE = "https://graph.example/v1.0"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

Answer = httpx2.Response | Exception


class Tokens:
    """Hands out t1, then t2, … each time the last one is called stale."""

    def __init__(self) -> None:
        self.number = 1
        self.stale: list[str] = []

    async def token(self, *, stale: str | None = None) -> str:
        if stale is not None:
            self.stale.append(stale)
            self.number += 1
        return f"t{self.number}"


class Wire:
    """Answers with the next of `answers` (the last one for ever), or what `handler` says."""

    def __init__(self, *answers: Answer, handler: Callable[[httpx2.Request], Answer] | None = None) -> None:
        self.answers = list(answers)
        self.handler = handler
        self.requests: list[httpx2.Request] = []
        self.exchanges: list[Exchange] = []
        self.slept: list[float] = []
        self.tokens = Tokens()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.handler is not None:
            answer = self.handler(request)
        else:
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def graph(self, *, base_url: str = BASE, body_cap: int = 1 << 20) -> Graph:
        """The client under test."""
        return Graph(
            base_url=base_url,
            tokens=self.tokens,
            http=httpx2.AsyncClient(transport=httpx2.MockTransport(self), trust_env=False),
            sleep=self.sleep,
            now=lambda: NOW,
            new_id=lambda: "client-id",
            on_exchange=self.exchanges.append,
            body_cap=body_cap,
        )


def ok(body: Any, **headers: str) -> httpx2.Response:
    """A 200 with a JSON body."""
    return httpx2.Response(200, json=body, headers=headers)


def error(status: int, code: str = "", message: str = "", **headers: str) -> httpx2.Response:
    """An error as Graph words it; header names take - for _."""
    body = {"error": {"code": code, "message": message, "innerError": {"request-id": "r-inner"}}}
    return httpx2.Response(status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def sent(request: httpx2.Request) -> Any:
    """The JSON that was sent."""
    return json.loads(request.content)
