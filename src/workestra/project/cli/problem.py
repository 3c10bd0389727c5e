"""How a command fails: in words that say what to do, and with an exit code that a script can rely on."""

from __future__ import annotations

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
