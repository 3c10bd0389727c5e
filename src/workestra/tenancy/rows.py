"""The second wall between workspaces: PostgreSQL's row-level security (SEC 5).

Every table that holds business data has a `workspace_id` and a policy that shows only the rows of the
workspace named by `app.workspace`. Unset or emptied, the setting means zero rows, not an error. The policy is
FORCEd, and the product runs as a role without BYPASSRLS. Tables that must be found before a workspace is known
are listed here, hold no content, and a test compares this list with the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, migrations, transaction

UNSCOPED = {
    # people and seats: needed to sign in
    "tenancy_user",
    "tenancy_workspace",
    "tenancy_member",
    "tenancy_signinattempt",
    # what belongs to a mailbox of Microsoft's, whichever workspaces connected it: ids, times and digests only
    "mail_mailbox",
    "mail_slot",
    "mail_subscription",
    "mail_notice",
    "mail_schedule",
    # machinery
    "django_migrations",
    "django_session",
    "django_content_type",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "procrastinate_jobs",
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
}

POLICY = """
alter table {table} enable row level security;
alter table {table} force row level security;
create policy workspace_wall on {table}
    using (workspace_id = nullif(current_setting('app.workspace', true), '')::bigint)
    with check (workspace_id = nullif(current_setting('app.workspace', true), '')::bigint);
"""


def wall(*, table: str) -> migrations.RunSQL:
    """A migration step that puts the wall around `table`."""
    return migrations.RunSQL(
        POLICY.format(table=table),
        f"drop policy workspace_wall on {table}; alter table {table} disable row level security;",
    )


@contextmanager
def scope(*, workspace: int) -> Iterator[None]:
    """One transaction in which the rows of `workspace` can be seen and written, and no others.

    Inside another scope it ends with that scope's workspace in force again.
    """
    inside = connection.in_atomic_block
    with transaction.atomic():
        before = _set(str(workspace), ask=inside)
        yield
        if inside:
            _set(before, ask=False)


def _set(value: str, *, ask: bool) -> str:
    """Set the workspace of this transaction. Returns what it was, if asked."""
    with connection.cursor() as cursor:
        before = ""
        if ask:
            cursor.execute("select coalesce(current_setting('app.workspace', true), '')")
            before = cursor.fetchone()[0]
        cursor.execute("select set_config('app.workspace', %s, true)", [value])
    return before
