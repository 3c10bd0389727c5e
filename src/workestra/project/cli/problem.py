"""How a command fails: in words that say what to do, and with an exit code that a script can rely on."""

from __future__ import annotations

import sys
from enum import IntEnum


class Code(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1  # it was tried and did not succeed
    USAGE = 2  # wrong options, or settings that are missing or malformed
    NOT_FOUND = 3  # no mailbox, workspace or person of that name
    DATABASE = 4  # the database is away, or not migrated
    INTERRUPTED = 130


class Problem(Exception):
    """A command cannot go on. The text is for the person at the terminal."""

    def __init__(self, text: str, *, code: Code = Code.FAILED) -> None:
        super().__init__(text)
        self.code = code


def told(*, problem: Exception) -> Problem | None:
    """Words for an error of the database; None for what nobody expected. Imports nothing by itself."""
    if "psycopg" not in sys.modules:
        return None
    import psycopg

    seen: set[int] = set()
    cause: BaseException | None = problem
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            return Problem("The database is not up to date. Run: workestra migrate", code=Code.DATABASE)
        if isinstance(cause, psycopg.errors.InvalidParameterValue | psycopg.errors.UndefinedObject):
            return Problem(
                f"The database refused the product's role ({str(cause).strip()}). Run: workestra migrate",
                code=Code.DATABASE,
            )
        if isinstance(cause, psycopg.OperationalError) or type(cause).__name__ == "PoolTimeout":
            return Problem(
                f"The database cannot be reached: {str(cause).strip()}\n"
                "Check WORKESTRA_DATABASE_URL, or see: workestra doctor",
                code=Code.DATABASE,
            )
        cause = cause.__cause__
    return None
