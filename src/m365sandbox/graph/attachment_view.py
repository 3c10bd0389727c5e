"""What Graph shows of an attachment (Graph: attachment, fileAttachment, itemAttachment, referenceAttachment)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..letters import Enclosure
from ..mailbox import Item
from .errors import bad_request, unknown_property
from .message_view import View
from .wire import iso

OVERHEAD = 112  # the size that Exchange states counts its own properties too
TYPES = {"file": "fileAttachment", "item": "itemAttachment", "reference": "referenceAttachment"}

BASE: dict[str, Callable[[Item, Enclosure], Any]] = {
    "lastModifiedDateTime": lambda i, e: iso(i.letter.received_at),
    "name": lambda i, e: e.name,
    "contentType": lambda i, e: e.content_type,
    "size": lambda i, e: e.size + OVERHEAD,
    "isInline": lambda i, e: e.is_inline,
}
FILE: dict[str, Callable[[Item, Enclosure], Any]] = {
    "contentId": lambda i, e: e.content_id,
    "contentLocation": lambda i, e: None,
    "contentBytes": lambda i, e: base64.b64encode(e.content()).decode(),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """`base` and `file` are the names shown of every attachment, and of files besides."""

    base: tuple[str, ...] = tuple(BASE)
    file: tuple[str, ...] = tuple(FILE)


def shape(select: str) -> Shape:
    """What a $select of attachments asks for; properties of files alone need microsoft.graph.fileAttachment/."""
    base, file = [], []
    spelled = {name.casefold(): name for name in (*BASE, "id")}
    files = {name.casefold(): name for name in FILE}
    for name in (part.strip() for part in select.split(",")):
        cast, _, tail = name.rpartition("/")
        if cast.casefold() == "microsoft.graph.fileattachment" and tail.casefold() in files:
            file.append(files[tail.casefold()])
        elif cast.casefold() == "microsoft.graph.fileattachment" and tail.casefold() in spelled:
            base.append(spelled[tail.casefold()])
        elif not cast and name.casefold() in spelled:
            base.append(spelled[name.casefold()])
        elif name == "":
            raise bad_request(
                "Parsing OData Select and Expand failed: Term '' is not valid in a $select or $expand expression."
            )
        else:
            raise unknown_property(tail, "fileAttachment" if cast else "attachment", where="select")
    return Shape(tuple(n for n in base if n != "id"), tuple(file))


def attachment_id(view: View, item: Item, index: int) -> str:
    """Its id, in the format of its message's."""
    return view.box.names.attachment(item_id=view.item_id(item), number=item.number, index=index)


def one(view: View, item: Item, index: int, wanted: Shape) -> dict[str, Any]:
    """One attachment."""
    enclosure = item.letter.enclosures[index]
    shown: dict[str, Any] = {
        "@odata.type": f"#microsoft.graph.{TYPES.get(enclosure.kind, 'fileAttachment')}",
        "id": attachment_id(view, item, index),
    }
    if enclosure.kind == "file":
        shown["@odata.mediaContentType"] = enclosure.content_type
    for name in wanted.base:
        shown[name] = BASE[name](item, enclosure)
    if enclosure.kind == "file":
        for name in wanted.file:
            shown[name] = FILE[name](item, enclosure)
    return shown


def listed(view: View, item: Item, wanted: Shape) -> list[dict[str, Any]]:
    """All attachments of a message."""
    return [one(view, item, index, wanted) for index in range(len(item.letter.enclosures))]
