"""What the tests of read state share: a thread of unread letters, presses, and how both sides show it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.mail import hands
from tests.mail.hands import start, work
from tests.sandboxes import Outlook

from m365sandbox.mailbox import Item
from workestra.kit import clock
from workestra.mail.doors import queries, readstate
from workestra.mail.models import Connection, Message, ReadChange
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def connected(ana: Member, outlook: Outlook, count: int = 1, name: str = "ana", **more: Any) -> Connection:
    """A mailbox with a conversation of `count` unread letters."""
    for n in range(count):
        at = clock.now().replace(microsecond=0) - timedelta(minutes=count - n)
        outlook.deliver(name, **{"conversation": "talk", "subject": "Talk", "at": at, **more})
    connection = outlook.connect(ana, name)
    start(connection)
    work(connection)
    return connection


def thread(connection: Connection) -> int:
    """The thread of its newest message."""
    with scope(workspace=connection.workspace_id):
        return Message.objects.filter(connection_id=connection.pk).latest("received_at").thread_id


def press(connection: Connection, *, is_read: bool, member: Member | None = None) -> int | None:
    """Somebody, its owner as a rule, marks that thread. Returns how many messages turned; None: not theirs."""
    with scope(workspace=connection.workspace_id):
        return readstate.mark(
            member=member or connection.owner, thread_id=thread(connection), is_read=is_read, now=clock.now()
        )


def items(outlook: Outlook, name: str = "ana") -> list[Item]:
    """What Outlook has, oldest first."""
    return sorted(outlook.mailbox(name).truth(), key=lambda item: item.letter.received_at)


def theirs(outlook: Outlook, name: str = "ana") -> list[bool]:
    """Read states as Outlook has them, oldest first."""
    return [item.is_read for item in items(outlook, name)]


def ours(connection: Connection) -> list[bool]:
    """Read states as we have them, oldest first."""
    with scope(workspace=connection.workspace_id):
        rows = Message.objects.filter(connection_id=connection.pk).order_by("received_at")
        return list(rows.values_list("is_read", flat=True))


def waiting(connection: Connection) -> int:
    """How many changes Outlook has still to be told of."""
    with scope(workspace=connection.workspace_id):
        return ReadChange.objects.filter(connection_id=connection.pk, accepted_at=None, refused="").count()


def patches(outlook: Outlook) -> int:
    """How many marks Outlook was asked for."""
    return hands.asked(outlook, "/messages/", method="PATCH")


def view(connection: Connection, member: Member | None = None) -> queries.ThreadView:
    """The thread as its page shows it."""
    with scope(workspace=connection.workspace_id):
        found = queries.thread(member=member or connection.owner, thread_id=thread(connection))
    assert found is not None
    return found


def row(connection: Connection) -> queries.ThreadRow:
    """The thread as the inbox lists it."""
    with scope(workspace=connection.workspace_id):
        found = queries.thread_row(member=connection.owner, thread_id=thread(connection))
    assert found is not None
    return found
