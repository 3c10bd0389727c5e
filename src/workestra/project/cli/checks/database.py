"""The database: there, apart from other workspaces' rows, up to date, and with the same time as we have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workestra.project.cli import database_ready, database_words
from workestra.project.cli.checks.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    import psycopg

    from workestra.project.env import Environment

TESTED = 18
LATE = 120.0


def look(*, chosen: Environment, url: str) -> Iterator[Finding]:
    """Everything that can be asked over one connection. Without one, a single finding."""
    import psycopg

    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.Error as problem:
        text, _, remedy = str(database_words.told(problem=problem)).partition(". ")
        yield fail("database", text, remedy)
        return
    with connection:
        yield from _version(connection, chosen)
        yield from _role(connection, chosen)
        yield from _clock(connection)
        yield from _tables(connection)


def _one(connection: psycopg.Connection[Any], statement: str, *arguments: Any) -> tuple[Any, ...] | None:
    return connection.execute(statement, arguments).fetchone()


def _version(connection: psycopg.Connection[Any], chosen: Environment) -> Iterator[Finding]:
    number = connection.info.server_version // 10000
    where = "by address" if chosen.database_url else "embedded"
    if number < database_ready.OLDEST:
        yield fail("database", f"PostgreSQL {number} is too old.", f"Use {database_ready.OLDEST} or later.")
    elif number < TESTED:
        yield ok("database", f"PostgreSQL {number}, {where} (the tests run on {TESTED})")
    else:
        yield ok("database", f"PostgreSQL {number}, {where}")


def _role(connection: psycopg.Connection[Any], chosen: Environment) -> Iterator[Finding]:
    role = chosen.database_role
    row = _one(
        connection,
        "select rolsuper or rolbypassrls, pg_has_role(current_user, oid, 'member') from pg_roles where rolname = %s",
        role,
    )
    if row is None:
        yield fail("role", f"{role} does not exist.", "Run: workestra migrate")
    elif row[0]:
        yield fail(
            "role",
            f"{role} may bypass row-level security: workspaces would not be kept apart.",
            f"As a superuser: alter role {role} nosuperuser nobypassrls",
        )
    elif not row[1]:
        yield fail("role", f"the sign-in user may not become {role}.", f"As a superuser: grant {role} to that user")
    else:
        yield ok("role", f"{role}, bound by row-level security")


def _clock(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    before = datetime.now(UTC)
    row = _one(connection, "select clock_timestamp()")
    apart = abs((row[0] - before).total_seconds()) if row else 0.0
    if apart > LATE:
        yield warn(
            "clock", f"the database's clock is {apart:.0f} s from ours.", "Let both machines keep time by NTP."
        )
    else:
        yield ok("clock", "agrees with the database's")


def _tables(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    waiting, unknown = database_ready.migrations(connection=connection)
    if waiting:
        some = ", ".join(waiting[:3])
        yield fail("tables", f"{len(waiting)} migrations wait ({some}).", "Run: workestra migrate")
    elif unknown:
        yield fail("tables", f"made by a newer Workestra, with {unknown[0]}.", "Upgrade this installation.")
    else:
        yield ok("tables", "up to date")
    if _one(connection, "select to_regclass('procrastinate_workers')") != (None,):
        yield from _workers(connection)


def _workers(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    row = _one(
        connection,
        "select count(*) filter (where last_heartbeat > now() - interval '30 seconds'),"
        " extract(epoch from now() - max(last_heartbeat)) from procrastinate_workers",
    )
    alive, last = row or (0, None)
    waits = _one(connection, "select count(*) from procrastinate_jobs where status = 'todo'")
    if alive:
        yield ok("worker", f"{alive} alive; {waits[0] if waits else 0} jobs wait")
    else:
        seen = "never seen" if last is None else f"last seen {last:.0f} s ago"
        yield fail("worker", f"none alive ({seen}): no mail is synced.", "Start one: workestra worker, or serve")
