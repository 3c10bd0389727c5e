"""Before a command touches rows: does the database answer, as the product's role, with the tables of this version?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workestra.project.cli import database_words
from workestra.project.cli.problem import Code, Problem

if TYPE_CHECKING:
    import psycopg

    from workestra.project.env import Environment

OLDEST = 14
CONNECTING = 5  # seconds that one try may take
PATIENCE = 30.0  # seconds that a process which is to stay waits for a database that starts later


def wait(*, chosen: Environment, url: str, say: Callable[[str], None]) -> None:
    """Look until the database answers, for half a minute: machines that start together start in any order.

    Raises:
        Problem: it still is away, or what was found cannot be worked with.
        psycopg.Error: it refuses us.
    """
    import psycopg

    deadline = time.monotonic() + PATIENCE
    said = False
    while True:
        try:
            return check(chosen=chosen, url=url)
        except psycopg.OperationalError as problem:
            if not database_words.is_away(problem=problem) or time.monotonic() > deadline:
                raise
            if not said:
                say(f"{database_words.told(problem=problem)} Trying for {PATIENCE:.0f} s.")
                said = True
        time.sleep(1)


def check(*, chosen: Environment, url: str) -> None:
    """Look over a connection of its own, as the product signs in. Django is loaded.

    Raises:
        Problem: what was found cannot be worked with.
        psycopg.Error: the database is away or refuses us; `database_words` has words for it.
    """
    import psycopg

    from workestra.kit.live import conninfo
    from workestra.project import postgres

    def connected(role: str | None) -> psycopg.Connection[Any]:
        settings = postgres.database_settings(url=url, role=role)
        settings["OPTIONS"]["connect_timeout"] = CONNECTING
        return psycopg.connect(conninfo(settings=settings), autocommit=True)

    with connected(None) as connection:
        must_be_recent(connection=connection)
    with connected(chosen.database_role) as connection:
        _must_be_bound(connection, chosen.database_role)
        waiting, unknown = migrations(connection=connection)
    if waiting:
        raise Problem(
            "The database is not up to date. Run: workestra migrate (or: workestra serve --migrate)",
            code=Code.DATABASE,
        )
    if unknown:
        raise Problem(
            f"The database was migrated by a newer Workestra (it has {unknown[0]}). Upgrade this installation.",
            code=Code.DATABASE,
        )


def must_be_recent(*, connection: psycopg.Connection[Any]) -> None:
    """Raises Problem where the server is older than what the product is written for."""
    number = connection.info.server_version // 10000
    if number < OLDEST:
        raise Problem(f"PostgreSQL {number} is too old. Use {OLDEST} or later.", code=Code.DATABASE)


def _must_be_bound(connection: psycopg.Connection[Any], role: str) -> None:
    row = connection.execute(
        "select rolsuper or rolbypassrls from pg_roles where rolname = current_user and rolname = %s", (role,)
    ).fetchone()
    if row is None or row[0]:
        raise Problem(
            f"The role {role} may bypass row-level security, so workspaces would not be kept apart. "
            f"Run as a superuser: alter role {role} nosuperuser nobypassrls",
            code=Code.DATABASE,
        )


def migrations(*, connection: psycopg.Connection[Any]) -> tuple[list[str], list[str]]:
    """(migrations that wait, migrations that the database has and this version does not know). Django is loaded."""
    from django.db.migrations.loader import MigrationLoader

    known = MigrationLoader(None).disk_migrations
    row = connection.execute("select to_regclass('django_migrations')").fetchone()
    applied: set[tuple[str, str]] = set()
    if row is not None and row[0] is not None:
        applied = set(connection.execute("select app, name from django_migrations").fetchall())
    replaced = {key for migration in known.values() for key in migration.replaces}
    return (
        [f"{app}.{name}" for app, name in sorted(known.keys() - applied)],
        [f"{app}.{name}" for app, name in sorted(applied - known.keys() - replaced)],
    )
