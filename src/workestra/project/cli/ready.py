"""Bringing up what a command needs: the settings, the database, Django."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING

from workestra.project.cli.problem import Code, Problem

if TYPE_CHECKING:
    from workestra.project.env import Environment


def environment() -> Environment:
    """The checked settings.

    Raises:
        Problem: with the names of the variables that are missing or malformed.
    """
    from workestra.project import env

    try:
        return env.read()
    except env.SettingsProblem as problem:
        raise Problem(str(problem), code=Code.USAGE) from None


def database() -> str:
    """The database's address. Starts or joins the embedded server, and tells processes started later of it."""
    from workestra.project import postgres

    chosen = environment()
    _tidy(chosen)
    url = postgres.database_url(configured=chosen.database_url, home=chosen.home)
    if not chosen.database_url:
        os.environ["_WORKESTRA_EMBEDDED_URL"] = url
    return url


def django(*, owner: bool = False, patient: bool = False) -> None:
    """Load Django with the product's settings; as the owner of the tables only for migrations.

    A configured database is tried first, so that one that is away is told of at once; `patient` leaves that to
    a process that waits for it.
    """
    chosen = environment()
    _tidy(chosen)
    if chosen.database_url and not patient:
        import psycopg

        psycopg.connect(chosen.database_url, connect_timeout=10).close()
    if owner:
        os.environ["_WORKESTRA_AS_OWNER"] = "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workestra.project.settings")
    import django as framework

    framework.setup()
    atexit.register(_let_go)


def _tidy(chosen: Environment) -> None:
    if not chosen.database_url and "_WORKESTRA_EMBEDDED_URL" not in os.environ:
        from workestra.project.cli.handles import strike_off_the_dead

        strike_off_the_dead(home=chosen.home)


def _let_go() -> None:
    """Close connections before the embedded server is asked to stop."""
    from django.db import connections

    for one in connections.all(initialized_only=True):
        one.close()
        if hasattr(one, "close_pool"):
            one.close_pool()
