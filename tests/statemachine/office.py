"""A house in which a person, Microsoft and workers do as they like, and the judge who looks at what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.compare import differences
from tests.crash.house import FORGOTTEN, House
from tests.crash.worker import drain, process

from workestra.kit import clock
from workestra.mail.doors import connecting, slots
from workestra.mail.doors import connections as buttons
from workestra.mail.models import Backfill, Connection, Folder, Message, Notice, SyncRun, ThreadCopy
from workestra.rules.health import Facts, Health, health
from workestra.tenancy.rows import scope

FINAL = ("done", "cancelled", "failed")


class Office(House):
    """Ana's mailbox in her workspace, and Ben's in Cleo's: nothing of either may turn up in the other."""

    def begin(self) -> None:
        """Both are connected, with some mail from before."""
        self.outlook.mailbox("ana").add_folder("Customers")
        self.outlook.history(count=6, days=40)
        self.outlook.history(count=3, days=200, folder="Customers")
        self.outlook.history("ben", count=2, days=20)
        self.ana, self.cleo = self.member("Ana"), self.member("Cleo")
        self.connection = self.signs_in()
        self.other = connecting.connect(
            member=self.cleo, signed_in=self.signed_in("ben"), reconnects=None, now=clock.now()
        )
        self.asked_429 = 0
        self.seen: dict[int, tuple[str, int]] = {}  # backfill -> (state, pulled) when it was looked at last

    def signs_in(self) -> Connection:
        """Ana goes through Microsoft's pages."""
        return connecting.connect(member=self.ana, signed_in=self.signed_in(), reconnects=None, now=clock.now())

    def press(self, verb: Callable[..., Any], **more: Any) -> Any:
        """Ana presses a button."""
        with scope(workspace=self.ana.workspace_id):
            return verb(member=self.ana, now=clock.now(), **more)

    def threads(self) -> list[int]:
        """The threads that she sees, newest last."""
        with scope(workspace=self.ana.workspace_id):
            rows = ThreadCopy.objects.filter(connection=self.connection).order_by("last_at", "thread_id")
            return list(rows.values_list("thread_id", flat=True))

    def newest(self) -> Backfill | None:
        """Her newest backfill."""
        with scope(workspace=self.ana.workspace_id):
            return Backfill.objects.filter(connection_id=self.connection.pk).order_by("-id").first()

    def signed_in_now(self) -> bool:
        """Whether Microsoft takes us, as far as we know."""
        with scope(workspace=self.ana.workspace_id):
            return Connection.objects.get(pk=self.connection.pk).state == Connection.State.ACTIVE

    def works(self, *, kill_at: int = 0) -> None:
        """A worker works until nothing is due, or dies on the way; its traces are forgotten in time."""
        self.arrives()
        if process(work=drain, kill_at=kill_at).killed:
            self.time.passes(seconds=FORGOTTEN)
        self.progress()

    # the judge

    def progress(self) -> None:
        """I9: what is final stays so, and while a backfill runs its number only grows."""
        with scope(workspace=self.ana.workspace_id):
            rows = list(Backfill.objects.filter(connection_id=self.connection.pk))
        for row in rows:
            state, pulled = self.seen.get(row.pk, (row.state, 0))
            assert state not in ("done", "cancelled") or row.state == state, f"{state} became {row.state}"
            assert row.state in FINAL or row.pulled >= pulled, f"{pulled} pulled became {row.pulled}"
            self.seen[row.pk] = (row.state, row.pulled)

    def always(self) -> None:
        """What holds at any moment: I5, I12, I13, and copies that add up."""
        assert self.forbidden() == []
        assert self.throttled() <= self.asked_429, "Microsoft throttled us, and nobody had asked it to"
        assert max(self.outlook.world.requests.max_in_flight.values(), default=0) <= slots.SLOTS
        self._apart(self.connection, "ana")
        self._apart(self.other, "ben")
        with scope(workspace=self.ana.workspace_id):
            live = Message.objects.filter(connection=self.connection, removed_at__isnull=True, is_draft=False)
            copies = ThreadCopy.objects.filter(connection=self.connection)
            assert sum(one.messages for one in copies) == live.count()
            assert sum(one.unread for one in copies) == live.filter(is_read=False).count()

    def _apart(self, connection: Connection, name: str) -> None:
        box = self.outlook.mailbox(name)
        with scope(workspace=connection.workspace_id):
            ids = Message.objects.values_list("connection_id", "immutable_id")
            for where, one in ids:
                owner = box.names.item_ref(one)
                assert where == connection.pk
                assert owner is not None, f"{one} is none of {name}'s"

    def rests(self) -> None:
        """Faults end and time passes: then the store has to equal the mailbox, and nothing is left to do."""
        world = self.outlook.world
        world.faults.clear()
        world.courier.faults.drop_next, world.courier.faults.duplicate, world.courier.faults.delay_seconds = 0, 0, 0
        row = self.newest()
        if row is not None and row.state in ("paused", "failed"):
            self.press(buttons.resume_backfill, backfill_id=row.pk)
        self.works()
        self.time.passes(hours=2)  # who waited for a pause hears only now that the sign-in is over
        self.works()
        if not self.signed_in_now():
            self.connection = self.signs_in()
            self.time.passes(hours=2)
            self.works()
        patched = self.patches()  # I6: at rest within two rounds
        self.time.passes(hours=23)
        self.works()
        self._equal()
        assert self.patches() == patched, "what we had told Outlook was told again"

    def patches(self) -> int:
        """How often Outlook was told of marks made here."""
        return sum(
            1
            for one in self.outlook.world.requests.last(20_000)
            if one.method == "PATCH" and "/messages/" in one.path and not one.path.startswith("/subscriptions")
        )

    def _equal(self) -> None:
        """I1, I2, I3, I11, I13."""
        assert differences(self.outlook, self.other, "ben") == []
        assert [one for one in differences(self.outlook, self.connection, "ana") if not self._older(one)] == []
        with scope(workspace=self.ana.workspace_id):
            row = Connection.objects.get(pk=self.connection.pk)
            facts = Facts(
                error=bool(row.error_code),
                first_done=row.first_done_at is not None,
                last_success_at=row.last_success_at,
            )
            assert (row.state, health(facts=facts, now=clock.now())) == ("active", Health.HEALTHY)
            waiting = SyncRun.objects.filter(connection=row, state__in=("queued", "running"))
            assert waiting.count() == 0
            assert not Backfill.objects.filter(connection=row).exclude(state__in=("done", "cancelled")).exists()
            walked = Folder.objects.filter(connection=row, tracked=True, gone_at__isnull=True)
            assert not walked.filter(prove=True).exists()
            assert not walked.filter(cursor="").exists()
        assert Notice.objects.filter(connection_id=self.connection.pk).count() == 0
        assert self.idle_requests() == 0
        self.always()

    def _older(self, difference: str) -> bool:
        """Whether it is about mail that a cancelled backfill left behind, older than what is wanted."""
        kind, _, rest = difference.partition(" ")
        one = rest.split(":")[0]
        with scope(workspace=self.ana.workspace_id):
            since = Connection.objects.get(pk=self.connection.pk).scope_start
            return kind == "surplus" and Message.objects.filter(immutable_id=one, received_at__lt=since).exists()
