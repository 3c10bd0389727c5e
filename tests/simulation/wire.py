"""The wires, without sockets: product to Microsoft, Microsoft to the product's endpoint, product to PostgreSQL.

Requests take a drawn time on the way there and back, so a process that dies meanwhile leaves a request that never
arrived, or one that took effect and whose answer nobody reads. `Weather` says how bad it is.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import psycopg

from tests.simulation.lives import Killed, current
from tests.simulation.trace import Trace


@dataclass(slots=True)
class Weather:
    """Shares are 0..1 of requests, of notices' trips or of hops to the database."""

    refuse: float = 0.0  # no connection to Microsoft
    slow: float = 0.0  # an answer that takes half a minute
    hang: float = 0.0  # an answer that never comes
    deaf: float = 0.0  # our endpoint cannot be reached
    database: float = 0.0  # the line to PostgreSQL is cut, before, within or after a transaction
    deadlock: float = 0.0
    serialisation: float = 0.0
    clock: float = 0.0  # seconds that the product's clocks are ahead of Microsoft's


class _Body(httpx2.AsyncByteStream):
    def __init__(self, parts: list[bytes], problem: Exception | None) -> None:
        self._parts, self._problem = parts, problem

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part
        if self._problem is not None:
            raise self._problem


async def call(app: Any, request: httpx2.Request) -> httpx2.Response:
    """Hand a request to an ASGI app. What breaks after the first byte breaks while the body is read."""
    body = await request.aread()
    url = request.url
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.split(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    start: dict[str, Any] = {}
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    problem: Exception | None = None
    try:
        await app(scope, receive, send)
    except httpx2.HTTPError as error:
        problem = error
        if not start:
            raise
    return httpx2.Response(start["status"], headers=start.get("headers", []), stream=_Body(parts, problem))


class ToMicrosoft(httpx2.AsyncBaseTransport):
    """From a life of the product to the sandbox."""

    def __init__(self, *, app: Any, weather: Weather, dice: random.Random, trace: Trace) -> None:
        self._app, self._weather, self._dice, self._trace = app, weather, dice, trace
        self.seen: Callable[[httpx2.Request, httpx2.Response, float], None] = lambda *_: None
        self.requests = 0
        self.host = ""
        self.strangers: list[str] = []  # requests to other hosts
        self.due: list[tuple[int, Callable[[], None]]] = []

    def after(self, *, pages: int, do: Callable[[], None]) -> None:
        """Something that happens once so many more requests for mail were answered."""
        self.due.append((pages, do))

    def _page(self) -> None:
        now = [do for left, do in self.due if left <= 1]
        self.due = [(left - 1, do) for left, do in self.due if left > 1]
        for do in now:
            do()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, in the life that asks."""
        life = current.get()
        self.requests += 1
        luck, there, back = self._dice.random(), self._dice.uniform(0.005, 0.06), self._dice.uniform(0.005, 0.06)
        name = life.name if life else "-"
        what = f"{name} {request.method} {request.url.path[-60:]}"
        if life is not None and life.dead:
            raise Killed
        if luck < self._weather.refuse:
            self._trace("refused", what)
            raise httpx2.ConnectError("refused")
        await asyncio.sleep(there)
        if life is not None and life.dead:
            raise Killed
        began = asyncio.get_running_loop().time()
        if request.url.host != self.host:
            self.strangers.append(f"{request.method} {request.url}")
            raise httpx2.ConnectError("nobody of that name")
        limit = float(request.extensions.get("timeout", {}).get("read") or 60.0)
        try:
            async with asyncio.timeout(limit):
                answer = await call(self._app, request)
        except TimeoutError:
            self._trace("silent", what)
            raise httpx2.ReadTimeout("no answer") from None
        if "/messages" in request.url.path:
            self._page()
        self._trace("asked", f"{what} {answer.status_code}")
        self.seen(request, answer, began)
        luck -= self._weather.refuse
        if luck < self._weather.hang:
            await asyncio.sleep(limit)
            raise httpx2.ReadTimeout("no answer")
        await asyncio.sleep(back + (30.0 if luck < self._weather.hang + self._weather.slow else 0.0))
        if life is not None and life.dead:
            raise Killed
        return answer


class ToEndpoint(httpx2.AsyncBaseTransport):
    """From the sandbox's courier to the product's endpoint."""

    def __init__(self, *, weather: Weather, dice: random.Random, trace: Trace) -> None:
        self._weather, self._dice, self._trace = weather, dice, trace
        self.app: Any = None  # None: the web process is down
        self.arrived: Callable[[], None] = lambda: None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One delivery."""
        deaf = self._dice.random() < self._weather.deaf
        await asyncio.sleep(self._dice.uniform(0.005, 0.05))
        if self.app is None or deaf:
            self._trace("deaf")
            raise httpx2.ConnectError("refused")
        answer = await call(self.app, request)
        self._trace("notice", str(answer.status_code))
        self.arrived()
        return answer


class ToDatabase:
    """Cuts the line of a hop at a statement, or at the very end when the transaction is committed already."""

    def __init__(self) -> None:
        self.left: int | None = None  # statements until it is cut; 0: at the next one
        self.how = ""
        self.cut = 0
        self._execute, self._many = psycopg.Cursor.execute, psycopg.Cursor.executemany
        self._commit = psycopg.Connection.commit

    def __enter__(self) -> ToDatabase:
        mine = self

        def execute(cursor: Any, *args: Any, **more: Any) -> Any:
            mine._step(cursor.connection)
            return mine._execute(cursor, *args, **more)

        def executemany(cursor: Any, *args: Any, **more: Any) -> Any:
            mine._step(cursor.connection)
            return mine._many(cursor, *args, **more)

        def commit(connection: Any) -> Any:
            mine._step(connection)
            answer = mine._commit(connection)
            mine._after_commit(connection)
            return answer

        psycopg.Cursor.execute = execute  # type: ignore[assignment, method-assign]
        psycopg.Cursor.executemany = executemany  # type: ignore[assignment, method-assign]
        psycopg.Connection.commit = commit  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        psycopg.Cursor.execute, psycopg.Cursor.executemany = self._execute, self._many  # type: ignore[method-assign]
        psycopg.Connection.commit = self._commit  # type: ignore[method-assign]

    def arm(self, *, how: str, after: int) -> None:
        """For the next hop: `how` is cut, committed, deadlock or serialisation."""
        self.left, self.how = after, how

    def disarm(self) -> None:
        """The hop is over."""
        self.left = None

    def _step(self, connection: Any) -> None:
        if self.left is None or self.how == "committed":
            return
        self.left -= 1
        if self.left >= 0:
            return
        self.left = None
        self.cut += 1
        if self.how == "deadlock":
            raise psycopg.errors.DeadlockDetected("deadlock detected")
        if self.how == "serialisation":
            raise psycopg.errors.SerializationFailure("could not serialize access due to concurrent update")
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    def _after_commit(self, connection: Any) -> None:
        if self.left is None or self.how != "committed":
            return
        self.left = None
        self.cut += 1
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")
