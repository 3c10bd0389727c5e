"""What may happen, in any order: the rules that Hypothesis plays, and what must hold after each of them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.crash.worker import drain, drain_beside, process, rescue
from tests.statemachine.office import Office

from m365sandbox.faults import Fault
from m365sandbox.folder_tree import FolderExists
from m365sandbox.mailbox import Item, Mailbox
from workestra.kit import clock
from workestra.mail.doors import connections as buttons
from workestra.mail.doors import readstate

WHERE = st.sampled_from(["inbox", "archive", "sentitems", "Customers", "junkemail", "deleteditems"])
WHICH = st.integers(0, 999)
CHOICES = st.sampled_from(["30d", "90d", "12m", "all"])
ANY = r"(GET|POST) "
BROKEN: st.SearchStrategy[Any] = st.sampled_from(["cut", "malformed", "html"])
LISTS = st.sampled_from([r"GET .*/messages\?", r"GET .*/messages/delta", r"GET .*/mailFolders", r"POST .*batch", ANY])


class Machine(RuleBasedStateMachine):
    """A person in Outlook, the same person in Workestra, Microsoft on bad days, and workers that die."""

    web: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.office = Office(web=self.web)
        self._open = self.office.open()
        self._open.__enter__()
        self.number = 0

    @initialize()
    def begins(self) -> None:
        self.office.begin()
        self.office.works()

    def teardown(self) -> None:
        """Every history ends at rest."""
        try:
            if hasattr(self.office, "other"):
                self.office.rests()
        finally:
            self._open.__exit__(None, None, None)

    # who is who

    @property
    def box(self) -> Mailbox:
        return self.office.outlook.mailbox("ana")

    def item(self, which: int) -> Item | None:
        items = list(self.box.truth())
        return items[which % len(items)] if items else None

    def own(self) -> str | None:
        """The id of a folder that people made, wherever it is now."""
        made = [one for one in self.box.folders.values() if not one.well_known and one.parent is not None]
        return made[self.number % len(made)].id if made else None

    def name(self) -> str:
        self.number += 1
        return f"Folder {self.number}"

    def into(self, folder: str) -> str:
        try:
            return self.box.folder(folder).id
        except KeyError:
            return "inbox"

    # in Outlook

    @rule(folder=WHERE, read=st.booleans())
    def a_letter_arrives(self, folder: str, read: bool) -> None:
        self.office.outlook.deliver(folder=self.into(folder), is_read=read, at=self.office.soon())

    @rule(count=st.integers(5, 30))
    def many_letters_arrive(self, count: int) -> None:
        for _ in range(count):
            self.office.outlook.deliver(at=self.office.soon())

    @rule(which=WHICH)
    def somebody_replies(self, which: int) -> None:
        item = self.item(which)
        if item is not None:
            kin = (item.letter.internet_message_id,)
            self.office.outlook.deliver(
                at=self.office.soon(), conversation=item.letter.conversation, references=kin, subject="Re: that"
            )

    @rule()
    def a_draft_appears(self) -> None:
        self.office.outlook.deliver(folder="drafts", at=self.office.soon())

    @rule(name=st.just("ben"))
    def a_letter_arrives_elsewhere(self, name: str) -> None:
        self.office.outlook.deliver(name, at=self.office.soon())

    @rule(which=WHICH, text=st.sampled_from(["<p>Said otherwise</p>", "", "<p>ünïcode \N{SNOWMAN}</p>"]))
    def a_letter_is_edited(self, which: int, text: str) -> None:
        item = self.item(which)
        if item is not None:
            self.box.update(item, letter=replace(item.letter, body=lambda: ("html", text)))

    @rule(which=WHICH)
    def a_letter_is_marked(self, which: int) -> None:
        item = self.item(which)
        if item is not None:
            self.box.mark_read(item, not item.is_read)

    @rule(which=WHICH, status=st.sampled_from(["flagged", "complete", "notFlagged"]))
    def a_letter_is_flagged(self, which: int, status: str) -> None:
        item = self.item(which)
        if item is not None:
            self.box.flag(item, status)

    @rule(which=WHICH, names=st.lists(st.sampled_from(["Blue", "Grün", 'a "b", {c}']), unique=True))
    def a_letter_is_categorised(self, which: int, names: list[str]) -> None:
        item = self.item(which)
        if item is not None:
            self.box.categorise(item, names)

    @rule(which=WHICH, folder=WHERE)
    def a_letter_is_moved(self, which: int, folder: str) -> None:
        item = self.item(which)
        if item is not None:
            self.box.move(item, self.into(folder))

    @rule(which=WHICH, folder=WHERE)
    def a_letter_is_moved_out_and_back(self, which: int, folder: str) -> None:
        item = self.item(which)
        if item is not None:
            home = item.folder.id
            self.box.move(item, self.into(folder))
            self.box.move(item, home)

    @rule(folder=WHERE, other=WHERE)
    def a_folder_is_emptied_into_another(self, folder: str, other: str) -> None:
        for item in list(self.box.folder(self.into(folder)).index.items()):
            self.box.move(item, self.into(other))

    @rule(which=WHICH)
    def a_letter_is_deleted(self, which: int) -> None:
        item = self.item(which)
        if item is not None:
            self.box.delete(item)

    @rule(which=WHICH)
    def a_letter_is_deleted_for_good(self, which: int) -> None:
        item = self.item(which)
        if item is not None:
            self.box.purge(item)

    @rule(below=WHERE)
    def a_folder_is_made(self, below: str) -> None:
        made = self.box.add_folder(self.name(), self.into(below))
        self.office.outlook.deliver(folder=made.id, at=self.office.soon())

    @rule()
    def a_folder_is_renamed(self) -> None:
        if (folder := self.own()) is not None:
            self.box.rename_folder(folder, self.name())

    @rule(below=WHERE)
    def a_folder_is_moved(self, below: str) -> None:
        folder = self.own()
        if folder is not None:
            try:
                self.box.move_folder(folder, self.into(below))
            except (ValueError, FolderExists):
                return  # below itself, or a namesake there

    @rule()
    def a_folder_is_deleted(self) -> None:
        if (folder := self.own()) is not None:
            self.box.delete_folder(folder)

    # notices

    @rule(count=st.integers(1, 5))
    def notices_are_lost(self, count: int) -> None:
        self.office.outlook.world.courier.faults.drop_next = count

    @rule()
    def notices_come_twice(self) -> None:
        self.office.outlook.world.courier.faults.duplicate = 1.0

    @rule()
    def notices_come_late(self) -> None:
        self.office.outlook.world.courier.faults.delay_seconds = 0.2

    @rule(real=st.booleans())
    def notices_are_forged(self, real: bool) -> None:
        world = self.office.outlook.world
        known = next(iter(world.subscriptions.values()), None)
        forged = {
            "subscriptionId": known.id if known is not None and real else "00000000-0000-4000-8000-000000000000",
            "clientState": "guessed",
            "changeType": "deleted",
            "resourceData": {"id": self.box.immutable_id(item) if (item := self.item(1)) else "x"},
        }
        if known is not None:
            world.courier.post(known.notification_url, forged, None)

    @rule(event=st.sampled_from(["missed", "subscriptionRemoved", "reauthorizationRequired"]))
    def microsoft_tells_of_a_subscription(self, event: str) -> None:
        for one in list(self.office.outlook.world.subscriptions.values()):
            self.office.outlook.world.courier.lifecycle(one, event)

    # Microsoft on bad days

    @rule(match=LISTS, wait=st.sampled_from(["7", "1.5", "", "soon"]), skip=st.integers(0, 5))
    def microsoft_throttles(self, match: str, wait: str, skip: int) -> None:
        self.office.asked_429 += 1
        self._fault(match, "status", status=429, skip=skip, headers={"Retry-After": wait} if wait else {})

    @rule(match=LISTS, status=st.sampled_from([500, 502, 503, 504]), times=st.integers(1, 3), skip=st.integers(0, 5))
    def microsoft_breaks_down(self, match: str, status: int, times: int, skip: int) -> None:
        self._fault(match, "status", status=status, times=times, skip=skip)

    @rule(match=LISTS, kind=BROKEN, skip=st.integers(0, 5), after=st.booleans())
    def an_answer_is_broken(self, match: str, kind: Any, skip: int, after: bool) -> None:
        self._fault(match, kind, status=200, skip=skip, after=after)

    @rule(match=LISTS, skip=st.integers(0, 5))
    def a_401_comes_out_of_nowhere(self, match: str, skip: int) -> None:
        self._fault(match, "status", status=401, skip=skip)

    def _fault(self, match: str, kind: Any, **more: Any) -> None:
        self.office.outlook.world.faults.add(Fault(match, kind, **more))

    @rule(one=st.booleans())
    def cursors_wear_out(self, one: bool) -> None:
        inbox = self.box.folder("inbox").number
        self.office.outlook.world.cursors.expire(owner=self.box.owner_id, folder=inbox if one else None)

    @rule()
    def the_access_token_expires(self) -> None:
        self.office.outlook.world.tokens.expire_access(self.office.outlook.person("ana").address)  # type: ignore[attr-defined]

    @rule()
    def consent_is_revoked(self) -> None:
        address = self.office.outlook.person("ana").address
        self.office.outlook.world.tokens.revoke(address)  # type: ignore[attr-defined]
        self.office.outlook.world.tokens.expire_access(address)  # type: ignore[attr-defined]

    # in Workestra

    @rule()
    def ana_signs_in_again(self) -> None:
        again = self.office.signs_in()
        assert again.pk == self.office.connection.pk, "no second row"

    @rule(choice=CHOICES)
    def ana_chooses_a_range(self, choice: str) -> None:
        self.office.press(buttons.start_backfill, connection_id=self.office.connection.pk, choice=choice)

    @precondition(lambda self: self.office.newest() is not None)
    @rule(verb=st.sampled_from([buttons.pause_backfill, buttons.resume_backfill, buttons.cancel_backfill]))
    def ana_presses_a_button_twice(self, verb: Any) -> None:
        row = self.office.newest()
        assert row is not None
        first = self.office.press(verb, backfill_id=row.pk)
        second = self.office.press(verb, backfill_id=row.pk)
        assert first.state == second.state
        self.office.progress()

    @precondition(lambda self: self.office.newest() is not None)
    @rule(verb=st.sampled_from([buttons.pause_backfill, buttons.cancel_backfill]), after=st.floats(0, 0.6))
    def ana_stops_it_while_a_worker_works(self, verb: Any, after: float) -> None:
        self.office.arrives()
        worker = threading.Thread(target=lambda: process(work=drain))
        worker.start()
        time.sleep(after)
        row = self.office.newest()
        assert row is not None
        stopped = self.office.press(verb, backfill_id=row.pk)
        worker.join()
        left = self.office.newest()
        assert left is not None
        assert stopped.state == "done" or (left.state, left.pages) == (stopped.state, stopped.pages)
        self.office.progress()

    @rule()
    def ana_wants_a_sync_twice(self) -> None:
        runs = [self.office.press(buttons.sync_now, connection_id=self.office.connection.pk) for _ in range(2)]
        assert len(set(runs)) == 1 or not self.office.signed_in_now()

    @rule(which=WHICH, read=st.booleans(), twice=st.booleans())
    def ana_marks_a_thread(self, which: int, read: bool, twice: bool) -> None:
        threads = self.office.threads()
        if threads:
            thread = threads[which % len(threads)]
            self.office.press(readstate.mark, thread_id=thread, is_read=read)
            if twice:
                self.office.press(readstate.mark, thread_id=thread, is_read=not read)

    # time and workers

    @rule(seconds=st.sampled_from([1, 20, 70, 600]))
    def time_passes(self, seconds: int) -> None:
        self.office.time.passes(seconds=seconds)

    @rule(hours=st.sampled_from([1, 5, 30, 100]))
    def a_long_time_passes(self, hours: int) -> None:
        self.office.time.passes(hours=hours)

    @rule()
    def the_products_clock_runs_ahead(self) -> None:
        self.office.time.ahead += timedelta(minutes=2)

    @rule(minutes=st.sampled_from([1, 20, 300]))
    def the_products_clock_is_put_back(self, minutes: int) -> None:
        self.office.time.ahead -= timedelta(minutes=minutes)

    @rule()
    def a_worker_works(self) -> None:
        self.office.works()

    @rule(step=st.integers(1, 150))
    def a_worker_dies(self, step: int) -> None:
        self.office.works(kill_at=step)

    @rule()
    def two_workers_work(self) -> None:
        self.office.arrives()
        process(work=rescue)
        ended: list[Any] = []
        pair = [threading.Thread(target=lambda: ended.append(process(work=drain_beside))) for _ in range(2)]
        for one in pair:
            one.start()
        for one in pair:
            one.join()
        assert len(ended) == 2
        self.office.progress()

    # the judge

    @invariant()
    def it_holds(self) -> None:
        if hasattr(self.office, "other") and clock.now() is not None:
            self.office.always()
