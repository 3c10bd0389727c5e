"""Words for what a database says when it cannot be used: what it is, and what to do about it."""

from __future__ import annotations

import re
import sys

from workestra.project.cli.problem import Code, Problem

AWAY = "The database cannot be reached: {said}. Start it, or correct WORKESTRA_DATABASE_URL."
MIGRATE = "Run: workestra migrate"

# The first that is found in what the server said. {1} is the pattern's group.
CONNECTING = (
    (
        r'invalid value for parameter "role": "([^"]+)"',
        "The product's role {1} does not exist at the database. " + MIGRATE,
    ),
    (
        r'permission denied to set role "([^"]+)"',
        "The database's user may not become the role {1}. As an administrator of it: grant {1} to that user",
    ),
    (
        r"password authentication failed|no password supplied|peer authentication failed|authentication failed",
        "The database refused the sign-in: {said}. Correct the user and password in WORKESTRA_DATABASE_URL.",
    ),
    (
        r"no pg_hba\.conf entry",
        "The database does not let this machine in: {said}. Allow it in the server's pg_hba.conf, or correct "
        "WORKESTRA_DATABASE_URL.",
    ),
    (
        r'database "([^"]+)" does not exist',
        "The server has no database {1}. Create it (createdb {1}), or correct WORKESTRA_DATABASE_URL.",
    ),
    (
        r'role "([^"]+)" (?:does not exist|is not permitted to log in)',
        "The database refused the role {1}: {said}. " + MIGRATE + "; or correct the user in WORKESTRA_DATABASE_URL.",
    ),
    (
        r"too many clients|connection slots are reserved|too many connections",
        "The database has no connection left: {said}. Raise its max_connections, or run fewer processes.",
    ),
    (
        r"invalid (?:sslmode|port|integer|connection|channel)|does not support|unsupported|certificate|root\.crt",
        "The database cannot be used as configured: {said}. Correct WORKESTRA_DATABASE_URL.",
    ),
)
RUNNING = (
    (("UndefinedTable", "UndefinedColumn", "UndefinedFunction"), "The database is not up to date. " + MIGRATE),
    (
        ("ReadOnlySqlTransaction",),
        "The database is read-only, a standby perhaps. Name the primary in WORKESTRA_DATABASE_URL.",
    ),
    (
        ("InsufficientPrivilege",),
        "The database refused: {said}. Run workestra migrate as the user that owns the database.",
    ),
    (("DiskFull",), "The database's disk is full. Make room; nothing that was stored is lost."),
)


def told(*, problem: BaseException) -> Problem | None:
    """Words for an error of the database; None for what nobody expected. Imports nothing by itself."""
    if "psycopg" not in sys.modules:
        return None
    import psycopg

    seen: set[int] = set()
    cause: BaseException | None = problem
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, psycopg.Error):
            connecting = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
            words = _words(cause, connecting=connecting)
            if words:
                return Problem(words, code=Code.DATABASE)
        cause = cause.__cause__
    return None


def is_away(*, problem: BaseException) -> bool:
    """Whether waiting may help: nobody answered, and nobody refused."""
    import psycopg

    return isinstance(problem, psycopg.OperationalError) and not _refusal(problem, one_line(problem=problem))


def one_line(*, problem: BaseException) -> str:
    """What the server or the client library said, without its prefixes and repetitions."""
    first = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    first = re.sub(r"^connection failed: |^connection is bad: ", "", first)
    return first.rstrip(" .")


def _words(problem: BaseException, *, connecting: bool) -> str:
    said = one_line(problem=problem)
    name = type(problem).__name__
    for names, words in RUNNING:
        if name in names:
            return words.replace("{said}", said)
    return (_refusal(problem, said) or AWAY.replace("{said}", said)) if connecting else ""


def _refusal(problem: BaseException, said: str) -> str:
    for pattern, words in CONNECTING:
        found = re.search(pattern, str(problem), re.IGNORECASE)
        if found:
            return words.replace("{1}", found[1] if found.re.groups else "").replace("{said}", said)
    return ""
