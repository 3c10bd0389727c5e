"""Telling open browsers that something changed: LISTEN/NOTIFY carries topics, never content.

A topic is announced inside the transaction that makes the change; PostgreSQL delivers it on commit, equal
ones once. Each web process holds one listening connection and hands topics to its readers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import structlog
from django.db import connection

CHANNEL = "workestra_live"
log = structlog.get_logger("workestra.live")


def announce(*, workspace: int, topic: str) -> None:
    """Say in the current transaction that `topic` of `workspace` changed."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_notify(%s, %s)", [CHANNEL, f"{workspace} {topic}"])


class Hub:
    """One LISTEN connection, many readers. A reader that falls behind is told to re-read everything."""

    def __init__(self, *, conninfo: str) -> None:
        self._conninfo = conninfo
        self._readers: set[tuple[int, asyncio.Queue[str]]] = set()
        self._task: asyncio.Task[None] | None = None

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as listening:
                    await listening.execute(f"listen {CHANNEL}")
                    self._tell_all("reconnected")  # whatever was missed meanwhile is read again
                    async for notify in listening.notifies():
                        workspace, _, topic = notify.payload.partition(" ")
                        self._tell(int(workspace), topic)
            except (psycopg.Error, OSError) as problem:
                log.warning("live.listen_lost", problem=str(problem))
                await asyncio.sleep(1)

    def _tell(self, workspace: int, topic: str) -> None:
        for mine, queue in self._readers:
            if mine == workspace:
                self._put(queue, topic)

    def _tell_all(self, topic: str) -> None:
        for _, queue in self._readers:
            self._put(queue, topic)

    @staticmethod
    def _put(queue: asyncio.Queue[str], topic: str) -> None:
        if queue.full():
            while not queue.empty():
                queue.get_nowait()
            topic = "reconnected"
        queue.put_nowait(topic)

    async def topics(self, *, workspace: int, heartbeat: float = 15.0) -> AsyncIterator[str]:
        """Topics of one workspace as they come; an empty text every `heartbeat` seconds of silence."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._listen())
        reader: tuple[int, asyncio.Queue[str]] = (workspace, asyncio.Queue(maxsize=200))
        self._readers.add(reader)
        try:
            while True:
                try:
                    yield await asyncio.wait_for(reader[1].get(), heartbeat)
                except TimeoutError:
                    yield ""
        finally:
            self._readers.discard(reader)

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


def conninfo(*, settings: dict[str, Any]) -> str:
    """libpq's text for a DATABASES entry of Django."""
    options = {key: value for key, value in settings["OPTIONS"].items() if key != "pool"}
    parts = {
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "host": settings["HOST"],
        "port": settings["PORT"],
        **options,
    }
    return psycopg.conninfo.make_conninfo(**{key: value for key, value in parts.items() if value not in ("", None)})
