"""I6: the later mark wins, here and in Outlook, and a mailbox at rest is told of nothing more."""

from __future__ import annotations

from collections.abc import Iterable

from m365sandbox.mailbox import Mailbox
from m365sandbox.requests_log import Asked
from tests.simulation.checkers.convergence import tracked
from tests.simulation.ledger import Ledger
from workestra.mail.models import Connection, ReadChange
from workestra.tenancy.rows import scope


def patched(*, entries: Iterable[Asked]) -> list[str]:
    """Requests that change a message, in a stretch of time in which nobody pressed anything here."""
    return [
        f"I6 at rest {one.method} {one.path[-60:]}"
        for one in entries
        if one.method == "PATCH" and "/messages/" in one.path
    ]


def overruled(*, box: Mailbox, connection: Connection, ledger: Ledger) -> list[str]:
    """Messages whose state in Outlook is not what was last wanted of them, although nothing refused it in words."""
    with scope(workspace=connection.workspace_id):
        refused = ReadChange.objects.filter(connection_id=connection.pk).exclude(refused="")
        told = set(refused.values_list("message__immutable_id", flat=True))
    found = []
    for item in box.truth():
        one = box.immutable_id(item)
        mark = ledger.last.get(one)
        if mark is None or not mark.sure or one in told or not tracked(item.folder):
            continue
        if item.is_read != mark.is_read:
            words, where = "read" if mark.is_read else "unread", "in Outlook" if mark.where == "Outlook" else "here"
            found.append(f"I6 {one} was marked as {words} {where} at {mark.at:.0f} s, and is not")
    return found


def waiting(*, connection: Connection) -> list[str]:
    """Changes that Outlook was not told of, or that nobody knows the end of."""
    with scope(workspace=connection.workspace_id):
        rows = ReadChange.objects.filter(connection_id=connection.pk, accepted_at=None, refused="")
        return [f"I6 {one} still waits" for one in rows.values_list("message__immutable_id", flat=True)]
