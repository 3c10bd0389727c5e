"""Row-level security stands around every table but those that are listed (SEC 5)."""

from __future__ import annotations

from django.db import connection

from workestra.tenancy.rows import UNSCOPED


def rows(statement: str, *arguments: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return list(cursor.fetchall())


TABLES = "select c.oid, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
OURS = f"{TABLES} where n.nspname = 'public' and c.relkind in ('r', 'p')"


def test_the_tables_without_a_wall_are_exactly_those_that_are_listed(db: None) -> None:
    open_ones = rows(f"{OURS} and not (c.relrowsecurity and c.relforcerowsecurity)")
    assert {name for _, name in open_ones} == UNSCOPED


def test_every_walled_table_names_its_workspace_and_has_one_policy_for_everything(db: None) -> None:
    walled = rows(f"{OURS} and c.relrowsecurity")
    assert len(walled) > 5
    for number, name in walled:
        column = rows("select attnotnull from pg_attribute where attrelid = %s and attname = 'workspace_id'", number)
        assert column == [(True,)], name
        policies = rows(
            "select polcmd, polpermissive, polwithcheck is not null from pg_policy where polrelid = %s", number
        )
        assert policies == [("*", True, True)], name


def test_the_product_runs_as_a_role_that_the_wall_binds(db: None) -> None:
    who = rows("select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user")
    assert who == [(False, False, False)]
    owned = rows(f"{OURS} and pg_has_role(current_user, c.relowner, 'usage')")
    assert owned == []


def test_without_a_workspace_no_row_is_seen_and_none_can_be_written(db: None) -> None:
    assert rows("select count(*) from mail_message") == [(0,)]
    assert rows("select count(*) from mail_connection") == [(0,)]
