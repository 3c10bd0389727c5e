"""The wall between workspaces inside the database: it holds when the code forgets it (SEC 5)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from tests.sandboxes import Outlook

from workestra.mail.models import Connection, SyncRun
from workestra.tenancy.models import Member
from workestra.tenancy.rows import UNSCOPED, scope

TABLES = "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"

WALLED = (
    "select relname from pg_class where relrowsecurity and relforcerowsecurity"
    " and exists (select 1 from pg_policy p where p.polrelid = pg_class.oid and p.polcmd = '*'"
    " and p.polqual is not null and p.polwithcheck is not null)"
)


def ask(sql: str, *values: object) -> list[tuple[object, ...]]:
    """Rows of a statement of the product's role."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


@pytest.fixture
def mail_of_ana(ana: Member, outlook: Outlook) -> Connection:
    return outlook.connect(ana)


def test_the_product_does_not_own_its_tables_and_cannot_pass_by_the_policies(db: None) -> None:
    assert ask("select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user") == [
        (False, False, False)
    ]
    owned = ask("select 1 from pg_tables where schemaname = 'public' and tableowner = current_user")
    assert owned == []


def test_every_table_is_walled_or_on_the_list_of_those_that_need_not_be(db: None) -> None:
    tables = {str(row[0]) for row in ask(TABLES)}
    walled = {str(row[0]) for row in ask(WALLED)}
    assert tables - walled == UNSCOPED
    assert walled & UNSCOPED == set()


def test_every_policy_compares_the_row_with_the_setting_and_is_the_only_one(db: None) -> None:
    policies = ask("select tablename, count(*), min(qual), min(with_check) from pg_policies group by 1")
    for table, number, sees, writes in policies:
        assert number == 1, table
        assert sees == writes, table
        assert "workspace_id = (NULLIF(current_setting('app.workspace'::text, true), ''::text))::bigint" in str(sees)


def test_every_table_with_a_workspace_is_walled_unless_it_holds_only_ids(db: None) -> None:
    with_workspace = {
        str(row[0])
        for row in ask(
            "select table_name from information_schema.columns"
            " where table_schema = 'public' and column_name = 'workspace_id'"
        )
    }
    assert with_workspace & UNSCOPED == {"tenancy_member", "mail_notice", "mail_schedule"}


def test_raw_statements_see_the_rows_of_their_workspace_alone(mail_of_ana: Connection, cleo: Member) -> None:
    with scope(workspace=mail_of_ana.workspace_id):
        assert (mail_of_ana.pk,) in ask("select id from mail_connection")
    with scope(workspace=cleo.workspace_id):
        assert ask("select id from mail_connection where id = %s or true", mail_of_ana.pk) == []
        assert ask("select connection_id from mail_grant") == []
        assert ask("update mail_connection set name = 'mine' returning id") == []
        assert ask("delete from mail_syncrun returning id") == []


def test_without_a_workspace_there_are_no_rows(mail_of_ana: Connection) -> None:
    assert ask("select id from mail_connection") == []
    with transaction.atomic():
        ask("select set_config('app.workspace', '', true)")
        assert ask("select id from mail_connection") == []


def test_a_row_cannot_be_put_into_or_moved_to_another_workspace(mail_of_ana: Connection, cleo: Member) -> None:
    values: dict[str, Any] = {"connection": mail_of_ana, "kind": "light", "created_at": mail_of_ana.connected_at}
    with pytest.raises(DatabaseError, match="row-level security"), scope(workspace=mail_of_ana.workspace_id):
        SyncRun.objects.create(workspace_id=cleo.workspace_id, **values)
    with pytest.raises(DatabaseError, match="row-level security"), scope(workspace=mail_of_ana.workspace_id):
        SyncRun.objects.update(workspace_id=cleo.workspace_id)


def test_resetting_the_role_leads_nowhere(mail_of_ana: Connection) -> None:
    for statement in ("reset role", "set role none", "reset all", "discard all"):
        with connection.cursor() as cursor:
            cursor.execute(statement)
        assert ask("select id from mail_connection") == []
        assert ask("select rolsuper from pg_roles where rolname = current_user") == [(False,)]
    connection.close()


@pytest.mark.parametrize("statement", ["set role postgres", "set session authorization postgres"])
def test_no_statement_makes_the_product_somebody_else(db: None, statement: str) -> None:
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "alter table mail_connection no force row level security",
        "alter table mail_connection disable row level security",
        "drop policy workspace_wall on mail_connection",
        "create policy all_of_it on mail_connection using (true)",
        "set row_security = off; select * from mail_connection",
        "truncate mail_connection cascade",
        "delete from django_migrations",
    ],
)
def test_the_product_cannot_take_the_wall_down(db: None, statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_a_scope_ends_with_its_transaction(mail_of_ana: Connection) -> None:
    with scope(workspace=mail_of_ana.workspace_id):
        pass
    assert ask("select coalesce(current_setting('app.workspace', true), '')") == [("",)]
    with pytest.raises(LookupError), scope(workspace=mail_of_ana.workspace_id):
        raise LookupError
    assert ask("select coalesce(current_setting('app.workspace', true), '')") == [("",)]


@pytest.mark.parametrize("fails", [False, True])
def test_a_scope_inside_another_gives_the_outer_one_back(mail_of_ana: Connection, cleo: Member, fails: bool) -> None:
    with scope(workspace=cleo.workspace_id):
        try:
            with scope(workspace=mail_of_ana.workspace_id):
                assert len(ask("select id from mail_connection")) == 1
                if fails:
                    raise LookupError
        except LookupError:
            pass
        assert ask("select id from mail_connection") == []
        assert ask("select current_setting('app.workspace')") == [(str(cleo.workspace_id),)]
