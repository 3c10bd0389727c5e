"""Open browsers are told after the commit, once, and never miss that they missed something (INB 4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections as databases
from django.db import transaction

from workestra.kit.hop import hop
from workestra.kit.live import Hub, announce, conninfo
from workestra.project import env, postgres

MINE, OTHER = 900_001, 900_002


def listen(story: Callable[[AsyncIterator[str], Hub], Any]) -> Any:
    """Let a reader of workspace MINE live through a story."""

    async def main() -> Any:
        hub = Hub(conninfo=conninfo(settings=settings.DATABASES["default"]))
        reader = hub.topics(workspace=MINE, heartbeat=5)
        try:
            assert await anext(reader) == "reconnected"  # now the connection listens
            return await story(reader, hub)
        finally:
            await reader.aclose()  # type: ignore[attr-defined]
            await hub.close()

    try:
        return asyncio.run(main())
    finally:
        databases.close_all()


def _say(*topics: str, workspace: int = MINE, fails: bool = False) -> None:
    with transaction.atomic():
        for topic in topics:
            announce(workspace=workspace, topic=topic)
        if fails:
            raise LookupError


async def _next(reader: AsyncIterator[str], number: int) -> list[str]:
    return [await asyncio.wait_for(anext(reader), 5) for _ in range(number)]


def test_equal_topics_of_one_transaction_are_told_once(db: None) -> None:
    async def story(reader: AsyncIterator[str], hub: Hub) -> list[str]:
        await hop(lambda: _say("inbox", "thread:1", "inbox"))
        await hop(lambda: _say("end"))
        return await _next(reader, 3)

    assert listen(story) == ["inbox", "thread:1", "end"]


def test_nothing_is_told_before_the_commit_or_of_what_was_rolled_back(db: None) -> None:
    async def story(reader: AsyncIterator[str], hub: Hub) -> list[str]:
        with pytest.raises(LookupError):
            await hop(lambda: _say("never", fails=True))
        await hop(lambda: _say("end"))
        return await _next(reader, 1)

    assert listen(story) == ["end"]


def test_topics_of_another_workspace_are_not_told(db: None) -> None:
    async def story(reader: AsyncIterator[str], hub: Hub) -> list[str]:
        await hop(lambda: _say("theirs", workspace=OTHER))
        await hop(lambda: _say("end"))
        return await _next(reader, 1)

    assert listen(story) == ["end"]


def test_a_killed_connection_is_made_anew_and_readers_are_told_to_read_again(db: None) -> None:
    def kill() -> None:
        with psycopg.connect(postgres.database_url(configured="", home=env.read().home), autocommit=True) as owner:
            owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen workestra_live'"
            )

    async def story(reader: AsyncIterator[str], hub: Hub) -> list[str]:
        await asyncio.to_thread(kill)
        told = await _next(reader, 1)
        await hop(lambda: _say("after"))
        return told + await _next(reader, 1)

    assert listen(story) == ["reconnected", "after"]


def test_a_reader_that_falls_behind_is_told_to_read_everything_again(db: None) -> None:
    async def story(reader: AsyncIterator[str], hub: Hub) -> list[str]:
        await hop(lambda: _say(*(f"thread:{one}" for one in range(450))))
        await hop(lambda: _say("end"))
        await asyncio.sleep(0.3)
        told = await _next(reader, 1)
        while told[-1] != "end":
            told += await _next(reader, 1)
        return told

    told = listen(story)
    assert told[0] == "reconnected"
    assert len(told) <= 200


def test_silence_is_filled_with_heartbeats(db: None) -> None:
    async def main() -> list[str]:
        hub = Hub(conninfo=conninfo(settings=settings.DATABASES["default"]))
        reader = hub.topics(workspace=MINE, heartbeat=0.05)
        try:
            some = [await anext(reader) for _ in range(6)]
        finally:
            await reader.aclose()  # type: ignore[attr-defined]
            await hub.close()
        return some

    assert "" in asyncio.run(main())
