"""For load balancers: is this process alive, and can it serve (OPS 4)? Bare ASGI, in front of Django.

Whoever asks knows the process by its network address, not by the public name, and needs no session: neither
Django's list of hosts nor a pool whose connections are all waited for may stand between them and the answer.

    GET /healthz -> 200        GET /readyz -> 200 | 503 "database away", within two seconds
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ALIVE, READY = "/healthz", "/readyz"
PATIENCE = 1.8  # seconds
IMPATIENT = {
    "connect_timeout": 2,
    "tcp_user_timeout": 5000,  # milliseconds; a line that was cut without a word ends the question, too
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}


class Health:
    """Answers both. One question is put to the database at a time, however many ask and however long it hangs."""

    def __init__(self, *, conninfo: str) -> None:
        self._conninfo = make_conninfo(conninfo, **IMPATIENT)
        self._question: asyncio.Task[bool] | None = None

    async def __call__(self, scope: MutableMapping[str, Any], send: Send) -> None:
        """Answer a request to one of the two paths."""
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, "only GET")
        elif scope["path"] == ALIVE or await self._database_answers():
            await _answer(send, 200, "ok")
        else:
            await _answer(send, 503, "database away")

    async def _database_answers(self) -> bool:
        if self._question is None or self._question.done():
            self._question = asyncio.get_running_loop().create_task(self._ask())
        done, _ = await asyncio.wait({question := self._question}, timeout=PATIENCE)
        return bool(done) and question.result()

    async def _ask(self) -> bool:
        try:
            async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                await connection.execute("select 1")
        except (psycopg.Error, OSError):
            return False
        return True


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
