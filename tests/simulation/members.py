"""What members of the workspace do with a connection: the doors behind the buttons, drawn by weight."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.simulation.outlook import Outlook
from tests.simulation.product import Product
from workestra.kit import clock
from workestra.mail.doors import connecting, connections, logbook, readstate
from workestra.mail.doors.connecting import SignedIn
from workestra.mail.doors.schedule import CHECKS
from workestra.mail.flows.microsoft import SCOPES
from workestra.mail.models import Backfill, Connection, Message, ReadChange, SyncRun, ThreadCopy
from workestra.rules.replication import CHOICES, OPEN
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def sign_in(*, outlook: Outlook, member: Member, name: str, reconnects: int | None = None) -> Connection:
    """As after a finished sign-in at Microsoft."""
    person = outlook.person(name)
    outlook.agree(name)
    if reconnects is not None and connecting.claims_for(member=member, connection=reconnects):
        outlook.world.tokens.meet_challenge(person=person)  # type: ignore[attr-defined]
    access, refresh = outlook.tokens_of(name)
    now = clock.now()
    return connecting.connect(
        member=member,
        signed_in=SignedIn(
            tenant_id=person.tenant.id,
            object_id=person.id,
            address=person.address,
            name=person.name,
            personal=person.personal,
            access=access,
            refresh=refresh,
            expires_at=now + timedelta(minutes=outlook.access_minutes),
            scopes=SCOPES,
            issued_at=outlook.world.clock() - timedelta(minutes=5),  # as Microsoft writes it
        ),
        reconnects=reconnects,
        now=now,
    )


class Owner:
    """The member who connected a mailbox."""

    def __init__(
        self, *, product: Product, outlook: Outlook, member: Member, name: str, row: Connection, dice: random.Random
    ) -> None:
        self.product, self.outlook, self.member, self.name = product, outlook, member, name
        self.row, self.dice = row, dice
        self.connected = outlook.world.clock()
        self.pressing: tuple[list[str], bool] = ([], False)  # what the press under way may mark
        self.pressed: tuple[list[str], bool] = ([], False)  # what the last press marked
        self._rules: list[tuple[int, Callable[[], str]]] = [
            (3, self.choose_range),
            (4, self.pause),
            (6, self.resume),
            (1, self.cancel),
            (1, self.dismiss),
            (4, self.sync_now),
            (1, self.skip_range),
            (8, self.mark),
            (2, self.check),
            (1, self.repair),
            (4, self.come_back),
        ]

    async def act(self) -> str:
        """Something. Returns what."""
        rule = self.dice.choices([one for _, one in self._rules], [weight for weight, _ in self._rules])[0]
        return f"{self.name}'s owner {await self.product.act(rule)}"

    def _newest(self) -> Any:
        return Backfill.objects.filter(connection_id=self.row.pk).order_by("-id").first()

    def choose_range(self, choice: str | None = None) -> str:
        """Begin or widen."""
        picked = choice or self.dice.choices(list(CHOICES), [5, 3, 1, 1])[0]
        with scope(workspace=self.row.workspace_id):
            connections.start_backfill(member=self.member, connection_id=self.row.pk, choice=picked, now=clock.now())
        return f"chooses {picked}"

    def _press(self, verb: str) -> str:
        act = {
            "pause": connections.pause_backfill,
            "resume": connections.resume_backfill,
            "cancel": connections.cancel_backfill,
            "dismiss": connections.dismiss_backfill,
        }[verb]
        with scope(workspace=self.row.workspace_id):
            newest = self._newest()
            if newest is not None:
                act(member=self.member, backfill_id=newest.pk, now=clock.now())
        return f"presses {verb}"

    def pause(self) -> str:
        """Pause."""
        return self._press("pause")

    def resume(self) -> str:
        """Resume."""
        return self._press("resume")

    def cancel(self) -> str:
        """Cancel."""
        return self._press("cancel")

    def dismiss(self) -> str:
        """Put the card away."""
        return self._press("dismiss")

    def sync_now(self) -> str:
        """Sync now."""
        with scope(workspace=self.row.workspace_id):
            connections.sync_now(member=self.member, connection_id=self.row.pk, now=clock.now())
        return "presses Sync now"

    def skip_range(self) -> str:
        """Close the dialog."""
        with scope(workspace=self.row.workspace_id):
            connections.skip_range(member=self.member, connection_id=self.row.pk)
        return "closes the dialog"

    def mark(self) -> str:
        """Mark a conversation as read or unread, as its page does when it is opened."""
        is_read = self.dice.random() < 0.7
        with scope(workspace=self.row.workspace_id):
            rows = ThreadCopy.objects.filter(connection_id=self.row.pk, messages__gt=0).order_by("-last_at", "id")
            threads = list(rows.values_list("thread_id", flat=True)[:15])
            if threads:
                self._mark(self.dice.choice(threads), is_read=is_read)
        return f"marks as {'read' if is_read else 'unread'}"

    def _mark(self, thread: int, *, is_read: bool) -> None:
        now = clock.now()
        there = Message.objects.filter(thread_id=thread, connection_id=self.row.pk, removed_at__isnull=True)
        self.pressing = (list(there.values_list("immutable_id", flat=True)), is_read)
        readstate.mark(member=self.member, thread_id=thread, is_read=is_read, now=now)
        mine = ReadChange.objects.filter(message__in=there, pressed_at=now, wanted=is_read)
        self.pressed = (list(mine.values_list("message__immutable_id", flat=True)), is_read)

    def on_its_way(self, ids: list[str]) -> set[str]:
        """Those of these messages for which a change of ours was not accepted yet."""
        with scope(workspace=self.row.workspace_id):
            rows = ReadChange.objects.filter(
                connection_id=self.row.pk, accepted_at=None, refused="", message__immutable_id__in=ids
            )
            return set(rows.values_list("message__immutable_id", flat=True))

    def check(self, *, repair: bool = False) -> str:
        """Compare with Outlook, or repair what differs."""
        with scope(workspace=self.row.workspace_id):
            logbook.ask_check(member=self.member, connection_id=self.row.pk, repair=repair, now=clock.now())
        return "presses repair" if repair else "presses check"

    def repair(self) -> str:
        """Repair what differs from Outlook."""
        return self.check(repair=True)

    def come_back(self) -> str:
        """Sign in again where the page asks for it."""
        return self.sign_in_again() if self.state() == Connection.State.SIGN_IN else "sees no need to sign in"

    # what brings everything back to order

    def state(self) -> str:
        """The connection's state."""
        with scope(workspace=self.row.workspace_id):
            return Connection.objects.values_list("state", flat=True).get(pk=self.row.pk)

    def open_backfill(self) -> str:
        """The state of the backfill that has not ended, or an empty text."""
        with scope(workspace=self.row.workspace_id):
            row = Backfill.objects.filter(connection_id=self.row.pk, state__in=(*OPEN, "failed")).first()
            return row.state if row is not None else ""

    def forgotten_checks(self) -> list[bool]:
        """The checks that were begun at the command line and have not ended: whether each is a repair."""
        with scope(workspace=self.row.workspace_id):
            rows = SyncRun.objects.filter(connection_id=self.row.pk, kind__in=CHECKS, state="running", bodies=True)
            return [one.kind == "repair" for one in rows.order_by("id")]

    def sign_in_again(self) -> str:
        """Sign in at Microsoft once more. Who has no mailbox does not get through."""
        if self.outlook.person(self.name).mailbox != "online":
            return "tries to sign in without a mailbox"
        sign_in(outlook=self.outlook, member=self.member, name=self.name, reconnects=self.row.pk)
        return "signs in again"
