"""A scripted life of a connection, of which every durable step can be the worker's last.

    connect and subscribe > backfill > a letter by notice > marks, an edit, moves and new folders by delta >
    a mark made in Workestra > deletions and worn-out cursors > an access token that expired, and the schedule's
    own sync

Each act is something that happens in Outlook or that a person presses, then a worker's work until nothing is
due. A worker that is killed is followed by another one; a person whose press was lost presses again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.compare import differences
from tests.crash.house import FORGOTTEN, House
from tests.crash.portrait import portrait
from tests.crash.worker import drain, process

from workestra.kit import clock
from workestra.mail.doors import connecting, readstate
from workestra.mail.doors import connections as buttons
from workestra.mail.models import Backfill, Connection, Message
from workestra.tenancy.rows import scope


class Life(House):
    """One workspace, one mailbox, one connection. `kill_at`: the point to be killed at, counted over all acts."""

    def __init__(self, *, web: str, kill_at: int = 0) -> None:
        super().__init__(web=web)
        self.kill_at = kill_at
        self.passed = 0
        self.killed = ""

    @contextmanager
    def lived(self) -> Iterator[None]:
        """From its beginning to its end; what came of it can be looked at inside."""
        with self.open():
            self.owner = self.member()
            for act in (
                self._connects,
                self._backfills,
                self._is_told,
                self._changes,
                self._is_marked,
                self._wears_out,
                self._rests,
            ):
                act()
                self.arrives()
                self._works(drain)
            yield

    # what happens

    def _connects(self) -> None:
        box = self.outlook.mailbox("ana")
        box.add_folder("Customers")
        self.items = [
            *self.outlook.history(count=5, days=20),
            *self.outlook.history(count=3, days=50, folder="archive"),
            *self.outlook.history(count=2, days=70, folder="Customers"),
        ]
        signed_in = self.signed_in()

        def connect() -> None:
            connecting.connect(member=self.owner, signed_in=signed_in, reconnects=None, now=clock.now())

        self._presses(connect, lambda: self._connection() is not None)
        row = self._connection()
        assert row is not None
        self.connection: Connection = row

    def _backfills(self) -> None:
        def start() -> None:
            with scope(workspace=self.owner.workspace_id):
                buttons.start_backfill(
                    member=self.owner, connection_id=self.connection.pk, choice="90d", now=clock.now()
                )

        def begun() -> bool:
            with scope(workspace=self.owner.workspace_id):
                return Backfill.objects.filter(connection_id=self.connection.pk).exists()

        self._presses(start, begun)

    def _is_told(self) -> None:
        self.items.append(self.outlook.deliver(at=self.soon(), conversation="conversation 1"))

    def _changes(self) -> None:
        box, items = self.outlook.mailbox("ana"), self.items
        box.mark_read(items[0], not items[0].is_read)
        box.flag(items[6])
        box.categorise(items[5], ["Blue", "Grün"])
        box.update(items[7], letter=replace(items[7].letter, body=lambda: ("html", "<p>Said otherwise</p>")))
        box.add_folder("Projects", box.folder("Customers").id)
        self.items.append(self.outlook.deliver(folder="archive", at=self.soon()))
        box.move(items[1], "archive")
        box.move(items[8], "Customers/Projects")
        box.rename_folder("Customers", "Clients")
        self._syncs()

    def _is_marked(self) -> None:
        with scope(workspace=self.owner.workspace_id):
            first = Message.objects.get(connection_id=self.connection.pk, subject="Letter 1")

        def mark() -> None:
            with scope(workspace=self.owner.workspace_id):
                readstate.mark(member=self.owner, thread_id=first.thread_id, is_read=True, now=clock.now())

        self._presses(mark, lambda: False)

    def _wears_out(self) -> None:
        box, items = self.outlook.mailbox("ana"), self.items
        box.delete(items[2])
        box.purge(items[6])
        box.mark_read(items[3], not items[3].is_read)
        box.purge(items[5])
        self.items.append(self.outlook.deliver(folder="archive", at=self.soon()))
        self.outlook.world.cursors.expire(owner=box.owner_id, folder=None)
        self._syncs()

    def _rests(self) -> None:
        self.time.passes(hours=2)
        self.outlook.mailbox("ana").mark_read(self.items[4], not self.items[4].is_read)

    # hands

    def _connection(self) -> Connection | None:
        with scope(workspace=self.owner.workspace_id):
            return Connection.objects.select_related("owner__user").first()

    def _syncs(self) -> None:
        def press() -> None:
            with scope(workspace=self.owner.workspace_id):
                buttons.sync_now(member=self.owner, connection_id=self.connection.pk, now=clock.now())

        self._presses(press, lambda: False)

    def _presses(self, press: Callable[[], Any], took: Callable[[], bool]) -> None:
        """A person presses in the web process; where it died over it and nothing came of it, again."""
        if self._works(press, again=False) or took():
            return
        process(work=press)

    def _works(self, work: Callable[[], Any], *, again: bool = True) -> bool:
        """Let a process work; where it is killed, another one comes. True: it was not killed."""
        kill_at = max(0, self.kill_at - self.passed) if not self.killed else 0
        ended = process(work=work, kill_at=kill_at)
        self.passed += ended.passed
        if not ended.killed:
            return True
        self.killed = ended.killed
        self.time.passes(seconds=FORGOTTEN)
        if again:
            self.arrives()
            process(work=work)
        return False

    # what came of it

    def unlike_outlook(self) -> list[str]:
        """Every difference between the store and the mailbox."""
        return differences(self.outlook, self.connection, "ana")

    def portrait(self) -> dict[str, Any]:
        """What is stored, in words that hold for every life."""
        return portrait(connection=self.connection, outlook=self.outlook)
