"""From the keys of a path to folders, messages and attachments."""

from __future__ import annotations

from ..folders import Folder
from ..ids import MalformedId
from ..mailbox import Item
from .errors import folder_not_found, item_not_found, malformed_id
from .message_view import View
from .wire import Request


def view(request: Request) -> View:
    """How this request wants messages shown."""
    return View(request.mailbox, request.prefer.immutable, request.prefer.body_type)


def folder(request: Request, reference: str | None = None) -> Folder:
    """By well-known name or id. Raises GraphError 400 or 404."""
    box, wanted = request.mailbox, request.keys["folder"] if reference is None else reference
    known = box.well_known.get(wanted.casefold())
    if known is not None:
        return known
    try:
        number = box.names.folder_number(wanted)
    except MalformedId as problem:
        raise malformed_id() from problem
    if number is None or number not in box.folders:
        raise folder_not_found()
    return box.folders[number]


def item(request: Request) -> Item:
    """The message of the path; it must lie in the folder of the path, if that has one. Raises GraphError."""
    box = request.mailbox
    try:
        found = box.find(request.keys["message"])
    except MalformedId as problem:
        raise malformed_id() from problem
    if (
        found is None
        or not request.world.courier.readable(box, found)
        or ("folder" in request.keys and found.folder is not folder(request))
    ):
        raise item_not_found()
    return found


def attachment(request: Request, of: Item) -> int:
    """The position of the path's attachment among its message's. Raises GraphError."""
    names = request.mailbox.names
    try:
        ref = names.item_ref(request.keys["attachment"])
    except MalformedId as problem:
        raise malformed_id() from problem
    if ref is not None and ref.number in (of.number if ref.format == "immutable" else of.place,):
        for index in range(len(of.letter.enclosures)):
            if names.attachment_key(number=of.number, index=index) == ref.attachment:
                return index
    raise item_not_found()
