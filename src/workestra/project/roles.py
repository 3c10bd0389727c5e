"""The role that the product runs as: no BYPASSRLS, no ownership, just rows (SEC 5).

`migrate` runs as the owner, makes the role where it may, and grants it what it needs. Where the owner may not
create roles (a managed PostgreSQL), the operator makes it once; `doctor` says how.
"""

from __future__ import annotations

import contextlib

import psycopg
from psycopg import sql

from workestra.project.postgres import is_embedded


def ensure_role(*, url: str, role: str) -> None:
    """Make the role if it is not there, and let the sign-in user become it."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is None:
            with contextlib.suppress(psycopg.errors.DuplicateObject):  # another process was faster
                connection.execute(
                    sql.SQL("create role {} nologin nosuperuser nobypassrls").format(sql.Identifier(role))
                )
            connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))
        if is_embedded(url=url):
            connection.execute(sql.SQL("alter role {} login").format(sql.Identifier(role)))


def grant_rows(*, url: str, role: str) -> None:
    """Let the role read and write rows, call functions and use sequences, and nothing more."""
    who = sql.Identifier(role)
    with psycopg.connect(url) as connection:
        # Two processes may migrate at once; concurrent grants on one table fail each other.
        connection.execute("select pg_advisory_xact_lock(764012025)")
        for statement in (
            "grant usage on schema public to {}",
            "grant select, insert, update, delete on all tables in schema public to {}",
            "grant usage, select, update on all sequences in schema public to {}",
            "grant execute on all functions in schema public to {}",
            "revoke insert, update, delete on django_migrations from {}",
        ):
            connection.execute(sql.SQL(statement).format(who))
