"""The place that a walk has reached, moved in the transaction that stores its page.

Each step is a conditional update that must hit one row. Whoever comes second (a doubled job, a worker that
was thought dead) hits none, its page is rolled back, and it reads again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import psycopg

from workestra.kit.live import announce
from workestra.rules.replication import smooth

Cursor = psycopg.Cursor[Any]


class LostRace(Exception):
    """The row is no longer where this worker left it: somebody else went on. Read again."""


class Stopped(Exception):
    """The backfill was paused, held or cancelled, or is no longer there: the page in hand is not stored."""


class Step(Protocol):
    """Moves a place forward with the page's rows."""

    def take(self, *, cursor: Cursor, now: datetime) -> None:
        """Perform the step. Raises LostRace or Stopped, and with it rolls the page back."""
        ...


@dataclass(frozen=True, slots=True)
class FolderStep:
    """A delta page: `link` leads on, or `cursor` ends the round.

    A round from the beginning names what is there, not what has left since it came here by a notice, a list or
    history: after it all ids are compared. So they are where the page left messages to a backfill (`skipped`), which
    may have gone through this folder already.
    """

    folder: int
    was_cursor: str
    was_link: str
    link: str
    cursor: str
    skipped: bool = False

    def take(self, *, cursor: Cursor, now: datetime) -> None:
        """Move the folder's walk."""
        cursor.execute(
            "update mail_folder set link = %(link)s,"
            " cursor = case when %(done)s then %(cursor)s else cursor end,"
            " prove = prove or %(skipped)s or (%(done)s and cursor = ''),"
            " ready_at = case when %(done)s then coalesce(ready_at, %(now)s) else ready_at end"
            " where id = %(id)s and cursor = %(was_cursor)s and link = %(was_link)s",
            {
                "link": self.link,
                "cursor": self.cursor,
                "done": bool(self.cursor),
                "skipped": self.skipped,
                "now": now,
                "id": self.folder,
                "was_cursor": self.was_cursor,
                "was_link": self.was_link,
            },
        )
        if cursor.rowcount != 1:
            raise LostRace


@dataclass(frozen=True, slots=True)
class SinceStep:
    """A received-since list came to its end: everything received before `since_at` was met."""

    folder: int
    since_at: datetime

    def take(self, *, cursor: Cursor, now: datetime) -> None:
        """Remember how far the list has come."""
        cursor.execute(
            "update mail_folder set since_at = greatest(since_at, %s) where id = %s", (self.since_at, self.folder)
        )


@dataclass(frozen=True, slots=True)
class ProvenStep:
    """All ids of a folder in [since, until) were compared with Outlook's; without `until`, to the present.

    `left`: the differences that are still there. `asks`: those of them that stay until a person agrees; None where
    nothing was repaired.
    """

    workspace: int
    run: int
    folder: int
    since: datetime
    until: datetime | None
    outlook: int
    held: int
    missing: int
    surplus: int
    different: int
    left: int
    asks: int | None = None

    def take(self, *, cursor: Cursor, now: datetime) -> None:
        """Write the proof down."""
        cursor.execute(
            "insert into mail_proof (workspace_id, run_id, folder_id, since, until, at, outlook, held, missing,"
            ' surplus, different, "left") values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)'
            " on conflict (run_id, folder_id) do update set since = excluded.since, until = excluded.until,"
            " at = excluded.at, outlook = excluded.outlook, held = excluded.held, missing = excluded.missing,"
            ' surplus = excluded.surplus, different = excluded.different, "left" = excluded."left"',
            (
                *(self.workspace, self.run, self.folder, self.since, self.until, now, self.outlook, self.held),
                *(self.missing, self.surplus, self.different, self.left),
            ),
        )
        if self.until is None and (self.asks is not None or not self.left):
            cursor.execute("update mail_folder set prove = false, refused = '' where id = %s", (self.folder,))
        if self.asks or (self.asks is not None and self.until is None):
            cursor.execute(
                "update mail_folder set sweep_asks = %s, sweep_agreed = 0 where id = %s and sweep_asks <> %s"
                " returning connection_id",
                (self.asks, self.folder, self.asks),
            )
            for row in cursor.fetchall():
                announce(workspace=self.workspace, topic=f"connection:{row[0]}")
        cursor.execute(
            "update mail_backfill b set failures = 0 from mail_folder f"
            " where f.id = %s and b.connection_id = f.connection_id and b.failures > 0",
            (self.folder,),
        )


@dataclass(frozen=True, slots=True)
class NoticesStep:
    """These notices have been worked off for all connections of the mailbox."""

    notices: tuple[int, ...]

    def take(self, *, cursor: Cursor, now: datetime) -> None:
        """Forget them."""
        cursor.execute("delete from mail_notice where id = any(%s)", (list(self.notices),))


def _running(*, cursor: Cursor, backfill: int) -> float | None:
    """See that the backfill still runs, and keep it so until the page is committed. Returns its rate.

    The row is locked for the last moment of the page's transaction alone. Whoever pauses it is either seen here, or
    waits until this page is stored; after that no page is. Raises Stopped.
    """
    cursor.execute("select state, rate from mail_backfill where id = %s for no key update", (backfill,))
    row = cursor.fetchone()
    if row is None or row[0] != "running":
        raise Stopped
    rate: float | None = row[1]
    return rate


@dataclass(frozen=True, slots=True)
class RunningStep:
    """What is repaired for a backfill's proof moves no place, but is stored only while the backfill runs."""

    backfill: int

    def take(self, *, cursor: Cursor, now: datetime) -> None:
        """Let the page pass."""
        _running(cursor=cursor, backfill=self.backfill)


@dataclass(frozen=True, slots=True)
class SliceStep:
    """A page of history: `link` leads on; empty, the slice is done. `stretch`: what was pulled in a while that ends
    with it, in messages and seconds; None while it goes on.
    """

    workspace: int
    backfill: int
    slice: int
    was_link: str
    was_pages: int
    link: str
    oldest: datetime | None
    messages: int
    stretch: tuple[int, float] | None
    page_size: int

    def take(self, *, cursor: Cursor, now: datetime) -> None:
        """Move slice and backfill together; numbers only grow."""
        rate = _running(cursor=cursor, backfill=self.backfill)
        if self.stretch is not None:
            rate = smooth(rate=rate, messages=self.stretch[0], seconds=self.stretch[1])
        cursor.execute(
            "update mail_slice set link = %s, done = %s, pages = pages + 1, pulled = pulled + %s,"
            " reached = least(reached, %s) where id = %s and not done and link = %s and pages = %s",
            (
                self.link,
                not self.link,
                self.messages,
                self.oldest,
                self.slice,
                self.was_link,
                self.was_pages,
            ),
        )
        if cursor.rowcount != 1:
            raise LostRace
        cursor.execute(
            "update mail_backfill set pulled = pulled + %s, pages = pages + 1, rate = %s,"
            " page_size = %s, oldest_at = least(oldest_at, %s), waiting_until = null, failures = 0,"
            " estimate = case when estimate is null then null else greatest(estimate, pulled + %s) end where id = %s",
            (
                self.messages,
                rate,
                self.page_size,
                self.oldest,
                self.messages,
                self.backfill,
            ),
        )
        announce(workspace=self.workspace, topic=f"backfill:{self.backfill}")
