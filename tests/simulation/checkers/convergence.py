"""I1, I2, I3: the store equals the mailbox in the range; nothing is lost, nothing is there twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection as database

from m365sandbox.mailbox import Mailbox
from workestra.mail.models import Connection, Message
from workestra.rules.tracking import UNTRACKED
from workestra.tenancy.rows import scope

Row = tuple[Any, ...]


def tracked(folder: Any) -> bool:
    """Whether a sandbox folder's mail is kept by default."""
    while folder is not None and folder.well_known != "msgfolderroot":
        if folder.well_known in UNTRACKED:
            return False
        folder = folder.parent
    return True


def truth(*, box: Mailbox, since: datetime) -> dict[str, Row]:
    """What Outlook has in tracked folders, received at or after `since`, by immutable id."""
    rows: dict[str, Row] = {}
    for item in box.truth():
        letter = item.letter
        if letter.received_at < since or not tracked(item.folder):
            continue
        author = letter.from_ or letter.sender
        rows[box.immutable_id(item)] = (
            item.folder.id,
            item.is_read,
            item.flag["flagStatus"],
            sorted(item.categories),
            letter.subject,
            author.address if author else "",
            sorted(one.address for one in (*letter.to, *letter.cc)),
            hashlib.sha256(letter.body()[1].encode()).hexdigest(),
        )
    return rows


def store(*, workspace: int, connection: int, since: datetime) -> dict[str, Row]:
    """What we hold of the same."""
    with scope(workspace=workspace):
        rows = Message.objects.filter(
            connection_id=connection, removed_at__isnull=True, received_at__gte=since
        ).select_related("folder")
        return {
            row.immutable_id: (
                row.folder.graph_id,
                row.is_read,
                row.flag,
                sorted(row.categories),
                row.subject,
                row.from_address,
                sorted(one[1] for name in ("to", "cc") for one in row.people.get(name, ())),
                bytes(row.body_hash).hex(),
            )
            for row in rows
        }


@dataclass(slots=True)
class Verdict:
    """Immutable ids by what is wrong with them."""

    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """Every breach."""
        return [
            *(f"I2 lost {one}" for one in self.lost),
            *(f"I1 unexpected {one}" for one in self.unexpected),
            *(f"I1 different {one}" for one in self.different),
            *(f"I3 doubled {one}" for one in self.doubled),
        ]


def verdict(*, box: Mailbox, connection: Connection, connected: datetime | None = None) -> Verdict:
    """The connection's store against its mailbox. What came after `connected`, by Microsoft's clock, is wanted."""
    workspace = connection.workspace_id
    with scope(workspace=workspace):
        since = Connection.objects.values_list("scope_start", flat=True).get(pk=connection.pk)
    since = since if connected is None else min(since, connected)
    theirs = truth(box=box, since=since)
    ours = store(workspace=workspace, connection=connection.pk, since=since)
    return Verdict(
        lost=sorted(theirs.keys() - ours.keys()),
        unexpected=sorted(ours.keys() - theirs.keys()),
        different=[
            f"{one}: Outlook {theirs[one]}, here {ours[one]}"
            for one in sorted(theirs.keys() & ours.keys())
            if theirs[one] != ours[one]
        ],
        doubled=doubled(workspace=workspace, connection=connection.pk),
    )


def doubled(*, workspace: int, connection: int) -> list[str]:
    """Messages, thread copies and thread keys that are there more than once, and summaries that count wrongly."""
    found: list[str] = []
    with scope(workspace=workspace), database.cursor() as cursor:
        cursor.execute(
            "select immutable_id from mail_message where connection_id = %s group by 1 having count(*) > 1",
            [connection],
        )
        found += [f"message {row[0]}" for row in cursor.fetchall()]
        cursor.execute(
            "select c.thread_id, c.messages, c.unread, coalesce(m.n, 0), coalesce(m.unread, 0)"
            " from mail_threadcopy c left join (select thread_id, count(*) as n,"
            " count(*) filter (where not is_read) as unread from mail_message"
            " where connection_id = %s and removed_at is null and not is_draft group by thread_id"
            ") m on m.thread_id = c.thread_id"
            " where c.connection_id = %s and (c.messages, c.unread) <> (coalesce(m.n, 0), coalesce(m.unread, 0))",
            [connection, connection],
        )
        found += [f"thread {row[0]} counts {row[1:3]} and holds {row[3:]}" for row in cursor.fetchall()]
        cursor.execute(
            "select distinct thread_id from mail_message m"
            " where connection_id = %s and removed_at is null and not is_draft and not exists"
            " (select 1 from mail_threadcopy c where c.thread_id = m.thread_id and c.connection_id = %s)",
            [connection, connection],
        )
        found += [f"thread {row[0]} has mail and is in no list" for row in cursor.fetchall()]
    return found
