"""Waiting until the parts of a demo answer."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from workestra.project.cli.problem import Problem
from workestra.project.cli.supervise import Child, Supervisor

PATIENCE = 120.0
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def until(*, what: str, supervisor: Supervisor, true: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for it.

    Raises:
        Problem: a child died meanwhile (with the end of its log), or it took too long.
    """
    deadline = time.monotonic() + patience
    while not true():
        fallen = supervisor.fallen()
        if fallen is not None:
            raise Problem(f"{fallen.name} did not start. The end of {fallen.log}:\n{fallen.last_words()}")
        if time.monotonic() > deadline:
            ends = "".join(f"\n\nThe end of {one.log}:\n{one.last_words()}" for one in supervisor.children)
            raise Problem(f"{what} did not answer within {patience:.0f} seconds.{ends}")
        time.sleep(0.1)


def answers(*, url: str) -> bool:
    """Whether this address answers 200."""
    try:
        with _direct.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, http.client.HTTPException):
        return False


def introduction(*, child: Child) -> dict[str, Any] | None:
    """What the sandbox said of itself on its first line, once it did."""
    if child.log is None:
        return None
    for line in child.log.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            try:
                said = json.loads(line)
            except ValueError:
                return None
            return said if isinstance(said, dict) else None
    return None


def worker_beats(*, database_url: str) -> bool:
    """Whether a worker gave a sign of life within the last ten seconds."""
    import psycopg

    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            row = connection.execute(
                "select 1 from procrastinate_workers where last_heartbeat > now() - interval '10 seconds' limit 1"
            ).fetchone()
    except psycopg.Error:
        return False
    return row is not None
