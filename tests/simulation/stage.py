"""A database of the proof's own, made once a process and emptied for each seed, and the seats in it."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection as database
from django.db import connections

from workestra.project import env, postgres, roles
from workestra.tenancy.models import Member, Role, User, Workspace

KEPT = ("django_migrations", "django_content_type", "auth_permission")


def owner_url() -> str:
    """The address of the database, for its owner."""
    return postgres.database_url(configured="", home=env.read().home)


def prepare() -> None:
    """Migrate as the owner, and let the server not wait for disks: nothing here outlives the process."""
    from django.conf import settings
    from django.core.management import call_command

    url, role = owner_url(), settings.WORKESTRA.database_role
    with psycopg.connect(url, autocommit=True) as owner:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off"):
            owner.execute(f"alter system set {setting}")
        owner.execute("select pg_reload_conf()")
    roles.ensure_role(url=url, role=role)
    default = connections["default"]
    mine = default.settings_dict
    default.settings_dict = {**mine, **postgres.database_settings(url=url, role=None)}
    call_command("migrate", verbosity=0)
    default.close()
    roles.grant_rows(url=url, role=role)
    default.settings_dict = mine
    for one in connections.settings.values():
        one["OPTIONS"].pop("pool", None)
        one["CONN_HEALTH_CHECKS"] = False
        one["CONN_MAX_AGE"] = None


def empty() -> None:
    """No rows, and all counters at their start."""
    database.close()
    with psycopg.connect(owner_url(), autocommit=True) as owner:
        rows = owner.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        names = ", ".join(sorted(row[0] for row in rows if row[0] not in KEPT))
        owner.execute(f"truncate {names} restart identity cascade")  # type: ignore[call-overload]


def seat(*, name: str, workspace: Workspace | None = None) -> Any:
    """Somebody with a seat in a workspace, which is made where none is given."""
    user = User(email=f"{name}@workestra.example", name=name.title())
    user.set_unusable_password()
    user.save()
    role = Role.MEMBER if workspace else Role.OWNER
    return Member.objects.create(
        workspace=workspace or Workspace.objects.create(name="Harbour"), user=user, role=role
    )
