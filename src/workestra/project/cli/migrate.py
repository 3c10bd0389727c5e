"""`workestra migrate`: bring the database up to date."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from workestra.project.cli import database_ready, out, ready
from workestra.project.cli.out import AsJson
from workestra.project.cli.problem import Code, Problem

LOCK = 764012024


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 4 if something waits to be applied.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create or update the tables, as the database's owner. Safe to run twice, also at once."""
    url = ready.database()
    if check:
        ready.django(owner=True)
        waiting = [name for name, _ in _plan()]
        _report(applied=[], waiting=waiting, as_json=as_json, url=url)
        if waiting:
            raise typer.Exit(Code.DATABASE)
        return
    applied = _apply(url=url, quiet=as_json)
    _report(applied=applied, waiting=[], as_json=as_json, url=url)


def _apply(*, url: str, quiet: bool) -> list[str]:
    """Role, tables, grants, one process at a time. Returns the names of what was applied."""
    import psycopg

    from workestra.project import roles

    role = ready.environment().database_role
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as guard:
        database_ready.must_be_recent(connection=guard)
        told = quiet
        # Asked again and again rather than waited for: a waiting statement would hold a snapshot, and a
        # concurrent index build in the other process would wait for us in turn.
        while not _first(guard, "select pg_try_advisory_lock(%s)", (LOCK,)):
            if not told:
                out.console(stderr=True).print("Another migrate is running; waiting for it.")
                told = True
            time.sleep(0.2)
        try:
            roles.ensure_role(url=url, role=role)
        except psycopg.errors.InsufficientPrivilege as problem:
            raise Problem(
                f"The database's user may not make the product's role ({problem.diag.message_primary}). As an "
                f"administrator of the database, once: create role {role} nologin; grant {role} to that user; "
                "then run: workestra migrate",
                code=Code.DATABASE,
            ) from None
        ready.django(owner=True)
        from django.core.management import call_command

        waiting = [name for name, _ in _plan()]
        call_command("migrate", interactive=False, verbosity=0)
        roles.grant_rows(url=url, role=role)
        bypass = _first(guard, "select rolsuper or rolbypassrls from pg_roles where rolname = %s", (role,))
    if bypass:
        raise Problem(
            f"The role {role} may bypass row-level security, so workspaces would not be kept apart. "
            f"Run as a superuser: alter role {role} nosuperuser nobypassrls",
            code=Code.DATABASE,
        )
    return waiting


def _first(connection: Any, statement: str, arguments: tuple[Any, ...]) -> Any:
    row = connection.execute(statement, arguments).fetchone()
    return row[0] if row else None


def _plan() -> list[Any]:
    """(app.name, backwards) of each migration that is not applied yet."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [(f"{migration.app_label}.{migration.name}", backwards) for migration, backwards in plan]


def _report(*, applied: list[str], waiting: list[str], as_json: bool, url: str) -> None:
    if as_json:
        out.emit({"applied": applied, "waiting": waiting})
        return
    console = out.console()
    for name in applied:
        console.print(f"applied {name}")
    for name in waiting:
        console.print(f"waiting {name}")
    if waiting:
        console.print("The database is not up to date. Run: workestra migrate")
    elif applied:
        console.print(f"The database is up to date; {len(applied)} migrations applied.")
    else:
        console.print("The database was up to date already.")
