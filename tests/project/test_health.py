"""Health and readiness are told in time, whatever the database does (OPS 4)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import MutableMapping
from typing import Any

import pytest

from workestra.kit.live import conninfo
from workestra.project import env, postgres
from workestra.project.asgi import application
from workestra.project.health import Health


def request(path: str, method: str = "GET") -> dict[str, Any]:
    """Asked by network address, as load balancers do."""
    headers = [(b"host", b"10.1.2.3:8000")]
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}


async def asked(health: Health, path: str = "/readyz", method: str = "GET") -> tuple[int, bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await asyncio.wait_for(health(request(path, method), send), 10)
    return sent[0]["status"], sent[1]["body"]


def here() -> str:
    url = postgres.database_url(configured="", home=env.read().home)
    return conninfo(settings=postgres.database_settings(url=url, role=None))


async def test_a_database_that_answers_makes_ready(db: None) -> None:
    health = Health(conninfo=here())
    assert await asked(health) == (200, b"ok")
    assert await asked(health) == (200, b"ok")


async def test_a_database_that_is_away_makes_unready_but_not_dead() -> None:
    health = Health(conninfo="host=127.0.0.1 port=1 dbname=x")
    assert await asked(health) == (503, b"database away")
    assert await asked(health, "/healthz") == (200, b"ok")


async def test_a_database_that_hangs_makes_unready_and_is_asked_one_question_at_a_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        health = Health(conninfo=f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=x")
        said = await asyncio.gather(*(asked(health) for _ in range(5)))
        assert set(said) == {(503, b"database away")}
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_whoever_asks_by_network_address_is_answered(db: None, path: str) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await application(request(path), receive, send)
    assert sent[0]["status"] == 200


async def test_only_a_question_is_answered() -> None:
    assert (await asked(Health(conninfo="host=127.0.0.1 port=1"), "/healthz", "POST"))[0] == 405
