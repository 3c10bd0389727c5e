"""What people do in Outlook, drawn by weight."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from m365sandbox.letters import Letter
from m365sandbox.mailbox import FolderExists, Item
from tests.simulation.outlook import Outlook

TRACKED = ("inbox", "sentitems", "archive")
UNTRACKED = ("deleteditems", "junkemail", "drafts")


class People:
    """One person at work in Outlook: each call of `act` does one thing of the list, drawn by weight."""

    def __init__(self, *, outlook: Outlook, name: str, dice: random.Random) -> None:
        self.outlook, self.name, self.dice = outlook, name, dice
        self.box = outlook.mailbox(name)
        self._away: list[tuple[Item, str]] = []  # moved out, to be moved back
        self._folders = 0
        self.marked: list[tuple[str, bool]] = []  # immutable ids and what they were marked as
        self._rules: list[tuple[int, Callable[[], str]]] = [
            (30, self.receive),
            (4, self.receive_burst),
            (3, self.import_old),
            (18, self.mark),
            (6, self.flag),
            (6, self.categorise),
            (8, self.edit),
            (14, self.move),
            (5, self.move_out),
            (5, self.move_back),
            (2, self.bulk_move),
            (7, self.delete),
            (3, self.purge),
            (4, self.restore),
            (2, self.send),
            (2, self.draft),
            (2, self.copy),
            (3, self.make_folder),
            (2, self.rename_folder),
            (1, self.file_folder),
            (2, self.delete_folder),
            (1, self.empty_deleted),
        ]

    def fill(self, *, count: int, days: float) -> None:
        """What lies there before anybody connects."""
        now = self.outlook.world.clock()
        for n in range(count):
            at = now - timedelta(days=days) * (count - n) / (count + 1)
            folder = self.dice.choice((*TRACKED, "inbox", "inbox", *UNTRACKED[:2]))
            self.box.deliver(self._letter(at), folder, self.dice.random() < 0.6)

    def act(self) -> str:
        """Something. Returns what."""
        rule = self.dice.choices([one for _, one in self._rules], [weight for weight, _ in self._rules])[0]
        return f"{self.name} {rule()}"

    def _letter(self, at: datetime) -> Letter:
        return self.outlook.letter(at=at, to=self.name, dice=self.dice)

    def _now(self) -> datetime:
        return self.outlook.world.clock()

    def _folder(self) -> str:
        own = [one.id for one in self.box.folders.values() if not one.well_known and one.alive]
        return self.dice.choice((*TRACKED, *own, *own))

    def _some(self, where: Callable[[Item], bool] = lambda item: True) -> Item | None:
        items = [one for one in self.box.truth() if where(one)]
        if not items:
            return None
        recent = items[-20:] if self.dice.random() < 0.7 else items
        return self.dice.choice(recent)

    # what a person does, and what happens to them

    def receive(self) -> str:
        """A new letter; one in five a few minutes late."""
        late = timedelta(seconds=self.dice.randrange(240)) if self.dice.random() < 0.2 else timedelta()
        folder = "inbox" if self.dice.random() < 0.8 else self._folder()
        self.box.deliver(self._letter(self._now() - late), folder)
        return "receives"

    def receive_burst(self) -> str:
        """Several of one second."""
        at, count = self._now(), self.dice.randrange(2, 40)
        for _ in range(count):
            self.box.deliver(self._letter(at), "inbox")
        return f"receives {count}"

    def import_old(self) -> str:
        """Old mail comes from another program."""
        days = self.dice.uniform(0.1, 400)
        self.box.deliver(self._letter(self._now() - timedelta(days=days)), self._folder(), True)
        return f"imports a letter {days:.0f} days old"

    def send(self) -> str:
        """A letter in Sent Items."""
        self.box.deliver(self._letter(self._now()), "sentitems", True)
        return "sends"

    def draft(self) -> str:
        """A draft, written and then sent."""
        item = self.box.deliver(self._letter(self._now()), "drafts", True)
        self.box.update(item, letter=self.outlook.edited(item.letter))
        if self.dice.random() < 0.5:
            item.is_draft = False
            self.box.move(item, "sentitems")
        return "drafts"

    def copy(self) -> str:
        """A copy elsewhere."""
        item = self._some()
        if item is not None:
            self.box.copy(item, self._folder())
        return "copies"

    def mark(self) -> str:
        """Read or unread."""
        item = self._some()
        if item is not None:
            self._mark(item, self.dice.random() < 0.7)
        return "marks"

    def flag(self) -> str:
        """A flag."""
        item = self._some()
        if item is not None:
            self.box.flag(item, self.dice.choice(("flagged", "complete", "notFlagged")))
        return "flags"

    def categorise(self) -> str:
        """Categories."""
        item = self._some()
        if item is not None:
            self.box.categorise(item, self.dice.sample(("Red", "Blue", "Later"), self.dice.randrange(3)))
        return "categorises"

    def edit(self) -> str:
        """Another body, sometimes with a mark right after it."""
        item = self._some()
        if item is not None:
            self.box.update(item, letter=self.outlook.edited(item.letter))
            if self.dice.random() < 0.4:
                self._mark(item, not item.is_read)
        return "edits"

    def _mark(self, item: Item, is_read: bool) -> None:
        self.box.mark_read(item, is_read)
        self.marked.append((self.box.immutable_id(item), is_read))

    def move(self) -> str:
        """Into another folder, tracked or not."""
        item = self._some()
        if item is not None:
            target = self._folder() if self.dice.random() < 0.8 else self.dice.choice(UNTRACKED[:2])
            self.box.move(item, target)
        return "moves"

    def move_out(self) -> str:
        """Out of a folder, to be moved back."""
        item = self._some(lambda one: one.folder.well_known in TRACKED)
        if item is not None:
            self._away.append((item, item.folder.id))
            self.box.move(item, self._folder())
        return "moves out"

    def move_back(self) -> str:
        """Back to where it was."""
        if self._away:
            item, folder = self._away.pop(self.dice.randrange(len(self._away)))
            with contextlib.suppress(KeyError):  # the folder is gone meanwhile
                if not item.gone:
                    self.box.move(item, folder)
        return "moves back"

    def bulk_move(self) -> str:
        """Half a folder at once."""
        items = [one for one in self.box.truth() if one.folder.well_known in TRACKED]
        some = self.dice.sample(items, len(items) // 2)[:80]
        target = self._folder()
        for item in some:
            self.box.move(item, target)
        return f"moves {len(some)}"

    def delete(self) -> str:
        """To Deleted Items, or from there for good."""
        item = self._some()
        if item is not None:
            self.box.delete(item)
        return "deletes"

    def purge(self) -> str:
        """Gone at once."""
        item = self._some()
        if item is not None:
            self.box.purge(item)
        return "purges"

    def restore(self) -> str:
        """Out of Deleted Items."""
        item = self._some(lambda one: one.folder.well_known == "deleteditems")
        if item is not None:
            self.box.move(item, self._folder())
        return "restores"

    def make_folder(self) -> str:
        """A folder of one's own, with a letter."""
        self._folders += 1
        try:
            made = self.box.add_folder(f"Folder {self._folders}", self.dice.choice(("msgfolderroot", "inbox")))
        except FolderExists:
            return "makes no folder"
        self.box.deliver(self._letter(self._now()), made.id)
        return "makes a folder"

    def _own(self) -> list[Any]:
        return [one for one in self.box.folders.values() if not one.well_known and one.alive]

    def rename_folder(self) -> str:
        """Another name."""
        own = self._own()
        if own:
            self._folders += 1
            self.box.rename_folder(self.dice.choice(own).id, f"Renamed {self._folders}")
        return "renames a folder"

    def file_folder(self) -> str:
        """A folder into another one."""
        own = self._own()
        if own:
            try:
                self.box.move_folder(self.dice.choice(own).id, self.dice.choice(("archive", "inbox", "deleteditems")))
            except (FolderExists, ValueError):
                return "moves no folder"
        return "moves a folder"

    def delete_folder(self) -> str:
        """To Deleted Items, or from there for good, with all that lies in it."""
        own = self._own()
        if own:
            try:
                self.box.delete_folder(self.dice.choice(own).id)
            except FolderExists:
                return "deletes no folder"
        return "deletes a folder"

    def empty_deleted(self) -> str:
        """Everything in Deleted Items is gone."""
        self.box.empty_folder(self.box.folder("deleteditems"))
        return "empties Deleted Items"
