"""What the tests of pages share: mail in the list, and reading a page's elements."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from tests.sandboxes import Outlook, ref_of, run

from workestra.kit import clock
from workestra.mail.doors import connections
from workestra.mail.flows.history import history
from workestra.mail.flows.pull import pull
from workestra.mail.models import Connection
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

FRAGMENT = {"HX-Request": "true"}


def synced(member: Member, outlook: Outlook, name: str = "ana") -> Connection:
    """A connection whose first sync is done."""
    connection = outlook.connect(member, name)
    run(pull(ref=ref_of(connection)))
    return connection


def sync(connection: Connection) -> None:
    """Press Sync now, and let a worker do it."""
    with scope(workspace=connection.workspace_id):
        connections.sync_now(member=connection.owner, connection_id=connection.pk, now=clock.now())
    run(pull(ref=ref_of(connection)))


def arrive(connection: Connection, outlook: Outlook, **letter: Any) -> None:
    """One letter comes in."""
    outlook.deliver(**letter)
    sync(connection)


def with_history(member: Member, outlook: Outlook, count: int) -> Connection:
    """A connection with this many letters of history in the list."""
    outlook.history(count=count)
    connection = outlook.connect(member)
    with scope(workspace=member.workspace_id):
        connections.start_backfill(member=member, connection_id=connection.pk, choice="90d", now=clock.now())
    run(history(ref=ref_of(connection)))
    run(pull(ref=ref_of(connection)))
    return connection


def change(connection: Connection, **fields: Any) -> None:
    """Write fields of a connection, as a sync would."""
    with scope(workspace=connection.workspace_id):
        Connection.objects.filter(pk=connection.pk).update(**fields)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def elements(html: str, tag: str, **wanted: str) -> list[dict[str, str]]:
    """Attributes of every element with this tag whose attributes hold these words (`class_="row"`)."""
    parser = _Elements()
    parser.feed(html)
    keys = {key.rstrip("_").replace("_", "-"): value for key, value in wanted.items()}
    return [
        attrs
        for name, attrs in parser.found
        if name == tag and all(value in attrs.get(key, "").split() for key, value in keys.items())
    ]


def threads(html: str) -> list[str]:
    """Ids of the threads in a list, in order."""
    return [attrs["data-thread"] for attrs in elements(html, "a") if "data-thread" in attrs]
