"""I6: whatever was pressed here or there, a mailbox at rest is told of nothing more."""

from __future__ import annotations

from collections.abc import Iterable

from m365sandbox.requests_log import Asked


def patched(*, entries: Iterable[Asked]) -> list[str]:
    """Requests that change a message, in a stretch of time in which nobody pressed anything here."""
    return [
        f"I6 at rest {one.method} {one.path[-60:]}"
        for one in entries
        if one.method == "PATCH" and "/messages/" in one.path
    ]
