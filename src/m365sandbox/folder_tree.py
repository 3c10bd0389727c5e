"""The folders of a mailbox as a tree, the counters that name things in it, and its contacts."""

from __future__ import annotations

import threading
from typing import Any

from .folders import HIDDEN, WELL_KNOWN, Folder
from .ids import MalformedId, Namer
from .locks import locked


class FolderExists(Exception):
    """A sibling already has this name."""


class FolderTree:
    """Well-known folders and those that people made. Each change of the tree is a line in `folder_log`."""

    def __init__(self, names: Namer) -> None:
        self.names = names
        self.lock = threading.RLock()
        self.change = 0
        self.folders: dict[int, Folder] = {}
        self.folder_log: list[tuple[int, Folder]] = []
        self.well_known: dict[str, Folder] = {}
        self.contacts: dict[int, dict[str, Any]] = {}
        self.contact_log: list[tuple[int, int]] = []
        self._counter = 0x10C
        self._make_well_known()

    def empty_folder(self, folder: Folder) -> None:
        """Everything in it is gone; the mailbox knows how."""
        raise NotImplementedError

    def _make_well_known(self) -> None:
        self.root = self._new_folder(WELL_KNOWN["msgfolderroot"], None, "msgfolderroot")
        under = {"conflicts": "syncissues", "localfailures": "syncissues", "serverfailures": "syncissues"}
        made = {"msgfolderroot": self.root}
        for name, title in WELL_KNOWN.items():
            if name != "msgfolderroot":
                made[name] = self._new_folder(title, made[under.get(name, "msgfolderroot")], name)

    def _new_folder(self, name: str, parent: Folder | None, well_known: str = "", hidden: bool = False) -> Folder:
        number = self._next_counter()
        folder = Folder(number, self.names.folder(number), name, parent, well_known, hidden or well_known in HIDDEN)
        self.folders[number] = folder
        if parent is not None:
            parent.children.append(folder)
        if well_known:
            self.well_known[well_known] = folder
        self._log_folder(folder)
        return folder

    def _log_folder(self, folder: Folder) -> None:
        self.folder_log.append((self._next_change(), folder))

    def folder(self, ref: str) -> Folder:
        """By well-known name (any case), id, or path of names from the top. KeyError when there is none."""
        known = self.well_known.get(ref) or self.well_known.get(ref.casefold())
        if known is not None:
            return known
        try:
            number = self.names.folder_number(ref)
        except MalformedId:
            number = None
        if number is not None and number in self.folders:
            return self.folders[number]
        for folder in self.folders.values():
            if folder.parent is not None and folder.path == ref:
                return folder
        raise KeyError(ref)

    @locked
    def add_folder(self, name: str, parent: str = "msgfolderroot", *, hidden: bool = False) -> Folder:
        """A new folder. Raises FolderExists when the parent has one of that name."""
        above = self.folder(parent)
        self._check_name(name, above)
        return self._new_folder(name, above, hidden=hidden)

    def _check_name(self, name: str, parent: Folder) -> None:
        if any(child.name.casefold() == name.casefold() for child in parent.children):
            raise FolderExists(name)

    @locked
    def rename_folder(self, ref: str, name: str) -> Folder:
        """Give a folder another name; its id stays."""
        folder = self.folder(ref)
        if folder.parent is not None and folder.name.casefold() != name.casefold():
            self._check_name(name, folder.parent)
        folder.name = name
        self._log_folder(folder)
        return folder

    @locked
    def move_folder(self, ref: str, destination: str) -> Folder:
        """Hang a folder, with all below it, under another one."""
        folder, above = self.folder(ref), self.folder(destination)
        if folder.well_known or above.below(folder):
            raise ValueError(ref)
        self._check_name(folder.name, above)
        if folder.parent is not None:
            folder.parent.children.remove(folder)
        folder.parent = above
        above.children.append(folder)
        self._log_folder(folder)
        return folder

    @locked
    def delete_folder(self, ref: str) -> None:
        """To Deleted Items, as in Outlook; from there it is gone with all that it holds."""
        folder, bin_ = self.folder(ref), self.folder("deleteditems")
        if folder.well_known or folder.parent is None:
            raise ValueError(ref)
        if not folder.below(bin_):
            name, number = folder.name, 1
            while any(child.name.casefold() == folder.name.casefold() for child in bin_.children):
                number += 1
                folder.name = f"{name}{number}"
            self.move_folder(folder.id, "deleteditems")
            return
        for child in list(folder.children):
            self.delete_folder(child.id)
        self.empty_folder(folder)
        folder.parent.children.remove(folder)
        folder.alive = False
        del self.folders[folder.number]
        self._log_folder(folder)

    def _next_counter(self) -> int:
        self._counter += 1
        return self._counter

    def _next_change(self) -> int:
        self.change += 1
        return self.change

    @locked
    def put_contact(self, fields: dict[str, Any], number: int | None = None) -> int:
        """Add a contact, or change one, with Graph's property names; the answer is its number."""
        number = self._next_counter() if number is None else number
        self.contacts[number] = {**self.contacts.get(number, {}), **fields}
        self.contact_log.append((self._next_change(), number))
        return number

    @locked
    def remove_contact(self, number: int) -> None:
        """Delete a contact."""
        del self.contacts[number]
        self.contact_log.append((self._next_change(), number))
