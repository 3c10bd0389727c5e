"""A mailbox: its folders, its letters and the history of both, with the verbs a person has in Outlook.

Each write takes the next change number of the mailbox. It becomes the item's change key, and a line in the folder's
log, from which delta is answered. A move is a line "left" in one folder and "arrived" in the other; the default id
dies with it, the immutable one lives on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from .folder_tree import FolderExists, FolderTree
from .folders import Folder, Index
from .ids import Namer
from .letters import Letter
from .locks import locked

NOT_FLAGGED: dict[str, Any] = {"flagStatus": "notFlagged"}


@dataclass(slots=True, eq=False)
class Item:
    """One stored copy of a letter. `place` counts for its default id, `arrived` is the change that put it here."""

    number: int
    place: int
    letter: Letter
    folder: Folder
    conversation_id: str
    change: int
    arrived: int
    modified: datetime
    is_read: bool = False
    is_draft: bool = False
    flag: dict[str, Any] = field(default_factory=lambda: NOT_FLAGGED)
    categories: tuple[str, ...] = ()
    focused: bool = True
    receipts: tuple[bool | None, bool | None] = (None, None)  # delivery, read
    gone: bool = False
    odd: dict[str, Any] = field(default_factory=dict)  # properties as they are shown whatever is true; ...: left out


__all__ = ["FolderExists", "Item", "Mailbox", "Watcher"]


class Watcher(Protocol):
    """Who wants to hear of changes: the subscriptions."""

    def before(self, box: Mailbox, item: Item) -> object:
        """Called before an item changes; the answer is handed back to `after`."""

    def after(self, box: Mailbox, kind: str, item: Item, folder: Folder, before: object) -> None:
        """`kind` is created, updated or deleted; `folder` is where it happened."""


class Mailbox(FolderTree):
    """Folders and letters of one owner."""

    def __init__(self, *, owner_id: str, seed: int, clock: Callable[[], datetime]) -> None:
        super().__init__(Namer(owner=owner_id, seed=seed))
        self.owner_id = owner_id
        self.clock = clock
        self.watcher: Watcher | None = None
        self.everything = Index()
        self._items: dict[int, Item] = {}
        self._moved: dict[int, Item] = {}
        self._conversations: dict[str, str] = {}

    @locked
    def name_apart(self, life: int, *, ids: bool) -> None:
        """Change keys from now on are none of another life of this seed; `ids`: nor are the ids of what is made."""
        self.change = max(self.change, life << 16)
        if ids:
            self._counter = max(self._counter, life << 16)

    # letters

    @locked
    def deliver(
        self,
        letter: Letter,
        folder: str = "inbox",
        is_read: bool = False,
        categories: Iterable[str] = (),
        flag: str = "notFlagged",
        *,
        is_draft: bool | None = None,
    ) -> Item:
        """Put a copy of the letter into a folder."""
        where = self.folder(folder)
        number, change = self._next_counter(), self._next_change()
        item = Item(
            number,
            number,
            letter,
            where,
            self._conversation(letter),
            change,
            change,
            letter.received_at,
            is_read,
            where.well_known == "drafts" if is_draft is None else is_draft,
            NOT_FLAGGED if flag == "notFlagged" else {"flagStatus": flag},
            tuple(categories),
        )
        self._items[number] = item
        self._arrive(item, where)
        if self.watcher is not None:
            self.watcher.after(self, "created", item, where, None)
        return item

    def _conversation(self, letter: Letter) -> str:
        topic = letter.conversation or letter.internet_message_id
        known = self._conversations.get(topic)
        if known is None:
            known = self._conversations[topic] = self.names.conversation(topic)[0]
        return known

    def conversation_head(self, letter: Letter) -> bytes:
        """The first 22 bytes of the letter's conversationIndex."""
        return self.names.conversation(letter.conversation or letter.internet_message_id)[1]

    def _arrive(self, item: Item, folder: Folder) -> None:
        folder.index.add(item)
        self.everything.add(item)
        folder.unread += not item.is_read
        folder.log.present(item.change, item)

    def _leave(self, item: Item) -> None:
        folder = item.folder
        folder.index.remove(item)
        self.everything.remove(item)
        folder.unread -= not item.is_read

    @locked
    def update(self, /, item: Item, **values: Any) -> Item:
        """Write fields of the item (or `letter=`). Always a new change key, also when nothing differs."""
        before = self.watcher.before(self, item) if self.watcher is not None else None
        if "letter" in values:
            self.everything.remove(item)
            item.folder.index.remove(item)
        if "is_read" in values:
            item.folder.unread += int(item.is_read) - int(values["is_read"])
        for name, value in values.items():
            setattr(item, name, value)
        if "letter" in values:
            self.everything.add(item)
            item.folder.index.add(item)
        item.change, item.modified = self._next_change(), self.clock()
        item.folder.log.present(item.change, item)
        if self.watcher is not None:
            self.watcher.after(self, "updated", item, item.folder, before)
        return item

    def mark_read(self, item: Item, is_read: bool = True) -> Item:
        """Read or unread, as the person says."""
        return self.update(item, is_read=is_read)

    def flag(self, item: Item, status: str = "flagged") -> Item:
        """Flag status: flagged, complete or notFlagged."""
        return self.update(item, flag={"flagStatus": status})

    def categorise(self, item: Item, categories: Iterable[str]) -> Item:
        """Replace the item's categories."""
        return self.update(item, categories=tuple(categories))

    @locked
    def move(self, item: Item, destination: str) -> Item:
        """Into another folder: a new default id, the same immutable one."""
        target, source = self.folder(destination), item.folder
        before = self.watcher.before(self, item) if self.watcher is not None else None
        self._leave(item)
        source.log.removed(self._next_change(), item, item.place)
        if self.watcher is not None:
            self.watcher.after(self, "deleted", item, source, before)
        self._moved.pop(item.place, None)
        item.place, item.folder = self._next_counter(), target
        item.change, item.modified = self._next_change(), self.clock()
        item.arrived = item.change
        self._moved[item.place] = item
        self._arrive(item, target)
        if self.watcher is not None:
            self.watcher.after(self, "created", item, target, None)
        return item

    @locked
    def copy(self, item: Item, destination: str) -> Item:
        """A second copy with ids of its own."""
        made = self.deliver(
            replace(item.letter),
            self.folder(destination).id,
            item.is_read,
            item.categories,
            is_draft=item.is_draft,
        )
        made.flag, made.focused, made.receipts, made.modified = (
            item.flag,
            item.focused,
            item.receipts,
            self.clock(),
        )
        return made

    @locked
    def delete(self, item: Item) -> None:
        """To Deleted Items; from there, or from anywhere below it, gone."""
        if item.folder.below(self.folder("deleteditems")) or item.folder.well_known == "recoverableitemsdeletions":
            self._vanish(item)
        else:
            self.move(item, "deleteditems")

    @locked
    def purge(self, item: Item) -> None:
        """Gone at once, wherever it lies."""
        self._vanish(item)

    def empty_folder(self, folder: Folder) -> None:
        """Everything in it is gone."""
        for item in list(folder.index.items()):
            self._vanish(item)

    def _vanish(self, item: Item) -> None:
        before = self.watcher.before(self, item) if self.watcher is not None else None
        self._leave(item)
        item.change = self._next_change()
        item.folder.log.removed(item.change, item, item.place)
        item.gone = True
        del self._items[item.number]
        self._moved.pop(item.place, None)
        if self.watcher is not None:
            self.watcher.after(self, "deleted", item, item.folder, before)

    # looking

    def immutable_id(self, item: Item) -> str:
        """The id that survives moves."""
        return self.names.immutable(item.number)

    def default_id(self, item: Item) -> str:
        """The id that dies at a move."""
        return self.names.item(place=item.place, folder=item.folder.number)

    def find(self, text: str) -> Item | None:
        """The item of an id in either format; None when it is not here (any more). Raises MalformedId."""
        ref = self.names.item_ref(text)
        if ref is None:
            return None
        if ref.format == "immutable":
            return self._items.get(ref.number)
        item = self._moved.get(ref.number) or self._items.get(ref.number)
        if item is None or item.place != ref.number or item.folder.number != ref.folder:
            return None
        return item

    @locked
    def truth(self) -> Iterator[Item]:
        """Every item, oldest first."""
        return iter(list(self.everything.items()))

    def __len__(self) -> int:
        return len(self._items)
