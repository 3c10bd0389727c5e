"""The notification endpoint: bare ASGI in front of Django, one writer a process (SYN 1, 2).

Graph wants an answer within three seconds and punishes slow endpoints for everybody; so a request is decoded,
checked and handed to a writer that commits many requests at once, and is answered 202 after that commit.

    POST ?validationToken=…  -> 200 text/plain, the token as it came (form-decoded once)
    POST a batch of notices  -> 202 once stored; unknown and forged ones are dropped and answered the same
    anything else            -> 405, 413, 400; 503 where it could not be stored (Graph then comes again)
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import parse_qsl

import msgspec
import psycopg
import structlog

from workestra.graph.wire import Notification, NotificationBatch
from workestra.kit import clock
from workestra.mail.doors.watches import digest

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH = "/hooks/graph"
BODY_CAP = 1024 * 1024
TOKEN_CAP = 4096
BATCH = 500

log = structlog.get_logger("workestra.hooks")
_decoder = msgspec.json.Decoder(NotificationBatch)

STORE = """
with told as (
    select * from unnest(%(subscriptions)s::text[], %(changes)s::text[], %(items)s::text[])
        as t (graph_id, change, item)
), known as (
    select s.id, s.mailbox_id, t.change, t.item from told t join mail_subscription s on s.graph_id = t.graph_id
), stored as (
    insert into mail_notice (subscription_id, workspace_id, connection_id, change, item, received_at, queued)
    select k.id, c.workspace_id, c.connection_id, k.change, k.item, %(now)s, false
    from known k join mail_schedule c on c.mailbox_id = k.mailbox_id and c.active
    order by k.id, c.connection_id, k.item
)
update mail_subscription s set last_notice_at = %(now)s,
    reauthorize_at = case when k.renew then %(now)s else s.reauthorize_at end
from (
    select id, bool_or(change in ('reauthorizationRequired', 'subscriptionRemoved')) as renew
    from known group by id
) k
where s.id = k.id
"""  # one that was removed is renewed, too: Graph does not find it then, and it is made anew


@dataclass(slots=True)
class Told:
    """One notice, decoded and checked."""

    subscription: str
    change: str
    item: str


class Writer:
    """Commits the notices of many requests at once on a connection of its own."""

    def __init__(self, *, conninfo: str) -> None:
        self._conninfo = conninfo
        self._waiting: list[tuple[Sequence[Notification], asyncio.Future[None]]] = []
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def store(self, *, notices: Sequence[Notification]) -> None:
        """Return once the notices are committed. One client hanging up does not disturb the others.

        Raises:
            psycopg.Error: they could not be stored.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((notices, done))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
        self._awake.set()
        await asyncio.shield(done)

    async def _work(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            while self._waiting:
                some, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                try:
                    await self._commit([one for notices, _ in some for one in notices])
                except Exception as problem:
                    log.warning("hooks.not_stored", problem=type(problem).__name__)
                    await self._drop()
                    for _, done in some:
                        if not done.done():
                            done.set_exception(problem)
                            done.exception()  # read, so that a client that hung up leaves no warning behind
                else:
                    for _, done in some:
                        if not done.done():
                            done.set_result(None)

    async def _commit(self, notices: Sequence[Notification]) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        told = await self._checked(self._connection, notices)
        if told:
            await self._connection.execute(
                STORE,
                {
                    "subscriptions": [one.subscription for one in told],
                    "changes": [one.change for one in told],
                    "items": [one.item for one in told],
                    "now": clock.now(),
                },
            )

    async def _checked(self, connection: psycopg.AsyncConnection[Any], notices: Sequence[Notification]) -> list[Told]:
        """Those whose subscription is known and whose secret is right, compared in constant time."""
        ids = sorted({one.subscription_id for one in notices if _storable(one.subscription_id)})
        if not ids:
            return []
        answer = await connection.execute(
            "select graph_id, secret_digest from mail_subscription where graph_id = any(%s)", (ids,)
        )
        secrets = {row[0]: bytes(row[1]) for row in await answer.fetchall()}
        told: dict[tuple[str, str, str], Told] = {}
        for one in notices:
            known = secrets.get(one.subscription_id or "", b"")
            right = hmac.compare_digest(known, digest(secret=one.client_state or ""))
            if not known or not right:
                continue
            change = one.lifecycle_event or one.change_type or ""
            item = (one.resource_data.id if one.resource_data else None) or ""
            if not _storable(change) or not item.isprintable():
                continue
            told[one.subscription_id or "", change, item] = Told(one.subscription_id or "", change[:32], item[:512])
        return list(told.values())

    def abandon(self) -> None:
        """Hang up without the event loop, which is over."""
        if self._connection is not None:
            self._connection.pgconn.finish()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _storable(text: str | None) -> TypeGuard[str]:
    """Whether a word from outside can be a parameter of a statement that it shares with other requests."""
    return bool(text) and len(text or "") <= 64 and (text or "").isprintable()


class Endpoint:
    """The ASGI application for PATH."""

    def __init__(self, *, conninfo: str) -> None:
        self._conninfo = conninfo
        self._writer: Writer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        status, body = await self._answer(scope, receive)
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"default-src 'none'"),
            (b"cache-control", b"no-store"),
        ]
        if status == 405:
            headers.append((b"allow", b"POST"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> tuple[int, bytes]:
        if scope["method"] != "POST":
            return 405, b""
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
        token = query.get("validationToken")
        if token is not None:
            return (200, token.encode()) if len(token) <= TOKEN_CAP else (400, b"")
        body = await _body(receive)
        if body is None:
            return 413, b""
        try:
            batch = _decoder.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return 400, b""
        try:
            await self._mine().store(notices=batch.value)
        except (psycopg.Error, OSError):
            return 503, b""
        return 202, b""

    def _mine(self) -> Writer:
        """The writer of this event loop: it waits for events and futures of that loop alone."""
        loop = asyncio.get_running_loop()
        if self._writer is None or self._loop is not loop:
            if self._writer is not None:
                self._writer.abandon()
            self._writer, self._loop = Writer(conninfo=self._conninfo), loop
        return self._writer


async def _body(receive: Receive) -> bytes | None:
    """The request's body, or None where it is larger than any honest one."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_CAP:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
