"""What would take time in each test and tells nothing: done once, or not at all."""

from __future__ import annotations

import psycopg
import pytest
from django.contrib.auth.hashers import ScryptPasswordHasher
from servestatic.middleware import ServeStaticMiddleware


def wait_for_no_disk(*, url: str) -> None:
    """Let the server of the tests leave it to the kernel when commits reach the disk.

    Whoever kills a process of PostgreSQL's still finds everything that was committed; only a power cut would show a
    difference. Servers that tests start for themselves go on as in production.
    """
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("alter system set fsync = off")
        owner.execute("alter system set full_page_writes = off")
        owner.execute("select pg_reload_conf()")


def find_static_files_once(*, patch: pytest.MonkeyPatch) -> None:
    """Let the first static middleware look for its files; those of other test clients take over what it found."""
    search = ServeStaticMiddleware.add_files_from_finders
    found: list[ServeStaticMiddleware] = []

    def add_files_from_finders(self: ServeStaticMiddleware) -> None:
        if not found:
            search(self)
            found.append(self)
        self.files, self.directories = found[0].files, found[0].directories

    patch.setattr(ServeStaticMiddleware, "add_files_from_finders", add_files_from_finders)


def hash_lightly(*, patch: pytest.MonkeyPatch) -> None:
    """Let a guess at a password cost next to nothing here. It is made hard for guessers, who are not in the tests."""
    patch.setattr(ScryptPasswordHasher, "work_factor", 2)
