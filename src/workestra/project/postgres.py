"""The PostgreSQL that Workestra runs on: the embedded one by default, any other by address (OPS 1)."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from workestra.project import embedded

DATABASE = "workestra"
OWNER_ROLE = "postgres"
# A server that vanished without a word (power, network) is missed after a minute, not after two hours.
WATCHFUL = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60000,
}
# Left to itself a pool tries to connect at intervals that grow to minutes, and pages would stay away long after the
# database is back. Given up after as long as anybody waits, it begins anew with the next who asks.
POOL: dict[str, Any] = {"timeout": 5, "reconnect_timeout": 5}
RECOVERY = 60.0  # seconds in which a server that was killed reads its journal


def embedded_url(*, home: Path, database: str = DATABASE) -> str:
    """Start (or join) the embedded server under `home` and return the address of `database` in it.

    Raises:
        embedded.NoServer: it does not start.
        psycopg.Error: it does not answer.
    """
    socket = embedded.join(home=home)
    with contextlib.closing(_patiently(_address(socket, "postgres"))) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", (database,)).fetchone()
        if known is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(database)))
    return _address(socket, database)


def _address(socket: Path, database: str) -> str:
    return f"postgresql://{OWNER_ROLE}@/{quote(database)}?{urlencode({'host': str(socket), 'port': '5432'})}"


def _patiently(url: str) -> psycopg.Connection[Any]:
    """A connection, once the server has read its journal."""
    deadline = time.monotonic() + RECOVERY
    while True:
        try:
            return psycopg.connect(url, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def is_embedded(*, url: str) -> bool:
    """Whether this is an embedded server: its superuser, over its socket."""
    parts = conninfo_to_dict(url)
    return parts.get("user") == OWNER_ROLE and embedded.is_socket_folder(path=str(parts.get("host", "")))


def database_settings(*, url: str, role: str | None, pool: bool = False) -> dict[str, Any]:
    """Django's DATABASES entry for this address.

    With `role` every session runs as that role from its first statement on, so row-level security binds it
    although the sign-in user may own the tables; without, it runs as the owner (migrations). At the embedded
    server, whose only other user is a superuser, the role signs in itself: no statement leads back.
    """
    parts = conninfo_to_dict(url)
    taken = {name: str(parts.pop(name, "") or "") for name in ("dbname", "user", "password", "host", "port")}
    settings = [str(parts.pop("options", ""))]
    settings += [
        "-c timezone=UTC",
        "-c jit=off",
        "-c lock_timeout=30s",
        "-c idle_in_transaction_session_timeout=120s",
    ]
    if role and is_embedded(url=url):
        taken["user"] = role
    elif role:
        settings.append(f"-c role={role}")
    options: dict[str, Any] = {**WATCHFUL, **parts, "options": " ".join(filter(None, settings))}
    if pool:
        options["pool"] = {"min_size": 0, "max_size": 16, "max_idle": 120, **POOL}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": taken["dbname"] or DATABASE,
        "USER": taken["user"],
        "PASSWORD": taken["password"],
        "HOST": taken["host"],
        "PORT": taken["port"],
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }


def database_url(*, configured: str, home: Path) -> str:
    """The address to use: the configured one, else that of the embedded server."""
    return configured or os.environ.get("_WORKESTRA_EMBEDDED_URL", "") or embedded_url(home=home)
