"""Bringing up what a command needs: the settings, the database, Django."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from pathlib import Path
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


def database(*, keep: Callable[[str], None] | None = None) -> str:
    """The database's address. Starts or joins the embedded server, and tells processes started later of it.

    With `keep`, for processes that stay, the embedded server is also started again whenever it dies, unless the
    process above does that; `keep` is told so.

    Raises:
        Problem: the embedded server cannot be used.
    """
    from workestra.project import embedded as server

    chosen = environment()
    if chosen.database_url:
        return chosen.database_url
    told = os.environ.get("_WORKESTRA_EMBEDDED_URL", "")
    if told:
        server.use(home=chosen.home)
        return told
    url = embedded(home=chosen.home, keep=keep)
    os.environ["_WORKESTRA_EMBEDDED_URL"] = url
    return url


def embedded(*, home: Path, keep: Callable[[str], None] | None) -> str:
    """The address of the embedded server of this home, started or joined, and kept up where `keep` is given.

    Raises:
        Problem: it cannot be used.
    """
    from workestra.project import embedded as server
    from workestra.project import postgres

    try:
        url = postgres.embedded_url(home=home)
    except server.NoServer as problem:
        said = f"{problem}. {server.last_words(home=home)}".rstrip()
        raise Problem(
            f"The embedded PostgreSQL does not start: {said}\n"
            f"See {server.folder_of(home=home) / 'log'}, or set WORKESTRA_DATABASE_URL.",
            code=Code.DATABASE,
        ) from None
    if keep is not None:
        from workestra.project.cli.keep import Keeper

        keeper = Keeper(home=home, say=keep)
        keeper.start()
        atexit.register(keeper.stop)  # runs before the server is left, which was registered earlier
    return url


def django(*, owner: bool = False) -> None:
    """Load Django with the product's settings; as the owner of the tables only for migrations.

    Raises:
        Problem: the database has not the tables that this version wants, or does not keep workspaces apart.
        psycopg.Error: it is away, or refuses us.
    """
    url = database()
    if owner:
        os.environ["_WORKESTRA_AS_OWNER"] = "1"
    load()
    if not owner:
        from workestra.project.cli import database_ready

        database_ready.check(chosen=environment(), url=url)


def stay() -> None:
    """The same for a process that stays: it waits a while for a database that starts later."""
    url = database(keep=_say)
    load()
    from workestra.project.cli import database_ready

    database_ready.wait(chosen=environment(), url=url, say=_say)


def load() -> None:
    """Load Django, whatever the database is like."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workestra.project.settings")
    import django as framework

    framework.setup()
    atexit.register(_let_go)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _let_go() -> None:
    """Close connections before the embedded server is asked to stop."""
    from django.db import connections

    for one in connections.all(initialized_only=True):
        one.close()
        if hasattr(one, "close_pool"):
            one.close_pool()
