"""Families of threads that people split or merged: each mail is shown where `rules.arranging` says (SYN 12).

A family is its root thread and those whose `root` it is. Whoever arranges holds its root's row, and so does a person
who splits or merges, so that neither overlooks what the other writes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from workestra.mail.doors.steps import Cursor
from workestra.rules.arranging import Mail, mail, place

FAMILY = "select id from mail_thread where id = %(root)s or root_id = %(root)s"
COPIES = f"""
select m.id, m.thread_id, m.connection_id, c.mailbox_id, m.immutable_id, m.internet_message_id, m.conversation_id,
       m.headers
from mail_message m join mail_connection c on c.id = m.connection_id where m.thread_id in ({FAMILY})
order by m.id
"""  # noqa: S608


@dataclass(slots=True)
class Family:
    """A family as it is stored: its root, and of each stored copy the thread and the mail that it is of."""

    root: int
    threads: dict[int, int] = field(default_factory=dict)  # message -> thread
    mails: dict[int, Mail] = field(default_factory=dict)  # message -> mail

    @property
    def shown(self) -> dict[bytes, int]:
        """The thread of each mail, by its name."""
        return {self.mails[message].name: thread for message, thread in self.threads.items()}


def root_of(*, cursor: Cursor, thread: int) -> int | None:
    """The root of the thread's family, its row locked; None where there is no such thread."""
    while True:
        cursor.execute("select coalesce(root_id, id) from mail_thread where id = %s", (thread,))
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute("select coalesce(root_id, id) from mail_thread where id = %s for update", (row[0],))
        held = cursor.fetchone()
        if held is not None and held[0] == row[0]:
            return int(row[0])


def read(*, cursor: Cursor, root: int) -> Family:
    """The family of this root, whose row is held."""
    family = Family(root=root)
    cursor.execute(COPIES, {"root": root})
    for message, thread, connection, mailbox, immutable_id, own, talk, text in cursor.fetchall():
        headers = json.loads(text)  # Django leaves JSON as text
        family.threads[message] = thread
        family.mails[message] = mail(
            mailbox=mailbox,
            connection=connection,
            immutable_id=immutable_id,
            internet_message_id=own,
            conversation_id=talk,
            references=_values(headers, "references"),
            in_reply_to=_values(headers, "in-reply-to"),
        )
    return family


def _values(headers: Sequence[Sequence[str]], name: str) -> list[str]:
    return [value for key, value in headers if key.lower() == name]


def pins(*, cursor: Cursor, workspace: int, names: Collection[bytes]) -> dict[bytes, int]:
    """Where people put these mails."""
    cursor.execute(
        "select key, thread_id from mail_threadpin where workspace_id = %s and key = any(%s)",
        (workspace, sorted(names)),
    )
    return {bytes(key): thread for key, thread in cursor.fetchall()}


def pin(*, cursor: Cursor, workspace: int, places: Mapping[bytes, int]) -> None:
    """People put these mails there."""
    cursor.execute(
        "insert into mail_threadpin (workspace_id, key, thread_id)"
        " select %s, k, t from unnest(%s::bytea[], %s::bigint[]) as fresh (k, t)"
        " on conflict (workspace_id, key) do update set thread_id = excluded.thread_id",
        (workspace, list(places), list(places.values())),
    )


def move(*, cursor: Cursor, family: Family, places: Mapping[bytes, int]) -> list[int]:
    """Show the mails of the family there. Returns the stored copies that went over."""
    wrong: dict[int, list[int]] = {}
    for message, thread in family.threads.items():
        wanted = places[family.mails[message].name]
        if wanted != thread:
            wrong.setdefault(wanted, []).append(message)
    for thread, messages in sorted(wrong.items()):
        cursor.execute("update mail_message set thread_id = %s where id = any(%s)", (thread, messages))
    return [message for messages in wrong.values() for message in messages]


def arrange(*, cursor: Cursor, workspace: int, roots: Sequence[int]) -> set[int]:
    """Something came for these roots' families: place it where people's splits and merges lead.

    Returns the threads of the families that were touched by people, whose summaries may have changed.
    """
    if not roots:
        return set()
    cursor.execute(
        "select id from mail_thread where id = any(%s) and parted order by id for update", (sorted(roots),)
    )
    touched: set[int] = set()
    for (root,) in cursor.fetchall():
        family = read(cursor=cursor, root=root)
        names = {one.name for one in family.mails.values()}
        where = pins(cursor=cursor, workspace=workspace, names=names)
        move(cursor=cursor, family=family, places=place(mails=family.mails.values(), pins=where, home=root))
        cursor.execute(FAMILY, {"root": root})
        touched |= {row[0] for row in cursor.fetchall()}
    return touched
