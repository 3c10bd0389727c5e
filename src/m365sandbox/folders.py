"""One folder of a mailbox: what lies in it in the order of arrival, and what changed in it since when."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .mailbox import Item

WELL_KNOWN = {
    "msgfolderroot": "Top of Information Store",
    "inbox": "Inbox",
    "drafts": "Drafts",
    "sentitems": "Sent Items",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "archive": "Archive",
    "outbox": "Outbox",
    "conversationhistory": "Conversation History",
    "recoverableitemsdeletions": "Deletions",
    "syncissues": "Sync Issues",
    "conflicts": "Conflicts",
    "localfailures": "Local Failures",
    "serverfailures": "Server Failures",
    "scheduled": "Scheduled",
    "clutter": "Clutter",
    "searchfolders": "Finder",
}
HIDDEN = ("recoverableitemsdeletions", "clutter", "scheduled", "searchfolders")


def _key(item: Item) -> tuple[datetime, int]:
    return item.letter.received_at, item.number


class Index:
    """Items ordered by (received, number). Additions wait until somebody looks, so that bulk building is cheap."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._waiting: list[Item] = []
        self.sorts = 0

    def __len__(self) -> int:
        return len(self._items) + len(self._waiting)

    def add(self, item: Item) -> None:
        """Add one item; ordered at the next look."""
        self._waiting.append(item)

    def remove(self, item: Item) -> None:
        """Take one item out. It must be there."""
        items = self.items()
        at = bisect_left(items, _key(item), key=_key)
        if at >= len(items) or items[at] is not item:
            raise KeyError(item.number)
        del items[at]

    def items(self) -> list[Item]:
        """All, oldest first. The list is the index itself: do not change it."""
        if self._waiting:
            waiting = sorted(self._waiting, key=_key)
            self._waiting = []
            if not self._items or _key(waiting[0]) >= _key(self._items[-1]):
                self._items += waiting
            elif len(waiting) < 50:
                for item in waiting:
                    self._items.insert(bisect_right(self._items, _key(item), key=_key), item)
            else:
                self._items += waiting
                self._items.sort(key=_key)
                self.sorts += 1
        return self._items

    def span(
        self,
        *,
        ge: datetime | None = None,
        gt: datetime | None = None,
        le: datetime | None = None,
        lt: datetime | None = None,
    ) -> tuple[int, int]:
        """The half-open range of positions, oldest first, whose received time meets all the given bounds."""
        items = self.items()
        low, high = 0, len(items)
        if ge is not None:
            low = max(low, bisect_left(items, ge, key=_received))
        if gt is not None:
            low = max(low, bisect_right(items, gt, key=_received))
        if le is not None:
            high = min(high, bisect_right(items, le, key=_received))
        if lt is not None:
            high = min(high, bisect_left(items, lt, key=_received))
        return low, max(low, high)

    def older_than(self, received: datetime, number: int) -> int:
        """The position before which everything is older than the item (received, number)."""
        return bisect_left(self.items(), (received, number), key=_key)


def _received(item: Item) -> datetime:
    return item.letter.received_at


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a folder's change log. `place` is the default-id counter that an item had when it left."""

    seq: int
    item: Item
    removed: bool
    place: int


class ChangeLog:
    """What happened in a folder, in order: the ground that delta stands on."""

    def __init__(self) -> None:
        self._seqs = array("Q")
        self._items: list[Item] = []
        self._left: dict[int, int] = {}  # seq -> the place the item had

    def present(self, seq: int, item: Item) -> None:
        """The item arrived or changed."""
        self._seqs.append(seq)
        self._items.append(item)

    def removed(self, seq: int, item: Item, place: int) -> None:
        """The item left the folder, from the given place."""
        self._left[seq] = place
        self.present(seq, item)

    def since(self, seq: int) -> Iterator[Entry]:
        """All lines after `seq`, oldest first."""
        for at in range(bisect_right(self._seqs, seq), len(self._seqs)):
            number = self._seqs[at]
            place = self._left.get(number)
            yield Entry(number, self._items[at], place is not None, place or 0)


@dataclass(slots=True, eq=False)
class Folder:
    """A mail folder. `number` is its id's counter; `well_known` is "" for folders that people made."""

    number: int
    id: str
    name: str
    parent: Folder | None
    well_known: str = ""
    hidden: bool = False
    unread: int = 0
    alive: bool = True
    children: list[Folder] = field(default_factory=list)
    index: Index = field(default_factory=Index)
    log: ChangeLog = field(default_factory=ChangeLog)

    @property
    def path(self) -> str:
        """Names from the top of the mailbox down, joined by "/"."""
        names: list[str] = []
        folder: Folder | None = self
        while folder is not None and folder.well_known != "msgfolderroot":
            names.append(folder.name)
            folder = folder.parent
        return "/".join(reversed(names))

    def below(self, other: Folder) -> bool:
        """Whether this folder is `other` or lies anywhere under it."""
        folder: Folder | None = self
        while folder is not None:
            if folder is other:
                return True
            folder = folder.parent
        return False
