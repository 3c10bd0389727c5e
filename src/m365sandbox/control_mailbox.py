"""What a person does in Outlook, over the control API, and the truth of a mailbox."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .control_answer import Refused, answer
from .control_letter import edited, letter_of
from .folders import Folder
from .graph.bodies import served
from .graph.message_view import author
from .graph.wire import encode, iso
from .ids import MalformedId
from .mailbox import Item, Mailbox
from .world import World


def truth_line(box: Mailbox, item: Item) -> dict[str, Any]:
    """What is true of one message, in the fields that an export is compared with."""
    letter = item.letter
    sender = author(letter)
    content = served(letter.body(), None)["content"]
    return {
        "id": box.immutable_id(item),
        "internetMessageId": letter.internet_message_id,
        "conversationId": item.conversation_id,
        "folderId": item.folder.id,
        "folder": item.folder.path,
        "subject": letter.subject,
        "from": sender.address if sender else None,
        "to": [one.address for one in letter.to],
        "cc": [one.address for one in letter.cc],
        "receivedDateTime": iso(letter.received_at),
        "sentDateTime": iso(letter.sent_at),
        "isRead": item.is_read,
        "isDraft": item.is_draft,
        "flag": item.flag["flagStatus"],
        "categories": list(item.categories),
        "bodySha256": hashlib.sha256(content.encode("utf-8", "replace")).hexdigest(),
    }


def folder_line(folder: Folder) -> dict[str, Any]:
    """One folder."""
    return {
        "id": folder.id,
        "path": folder.path,
        "name": folder.name,
        "wellKnown": folder.well_known,
        "parentId": folder.parent.id if folder.parent else None,
        "total": len(folder.index),
        "unread": folder.unread,
        "hidden": folder.hidden,
    }


class MailboxControl:
    """The endpoints below /_sandbox/mailboxes/{address}."""

    def __init__(self, world: World) -> None:
        self.world = world

    def box(self, request: Request) -> Mailbox:
        """The mailbox of the path."""
        found = self.world.mailbox_of(request.path_params["address"])
        if found is None:
            raise Refused(404, f"no mailbox for {request.path_params['address']}")
        return found

    def item(self, box: Mailbox, body: dict[str, Any]) -> Item:
        """The message that `id` (either format) or `internetMessageId` names."""
        try:
            found = (
                box.find(body["id"])
                if "id" in body
                else next(
                    (one for one in box.truth() if one.letter.internet_message_id == body.get("internetMessageId")),
                    None,
                )
            )
        except MalformedId as problem:
            raise Refused(400, "malformed id") from problem
        if found is None:
            raise Refused(404, "no such message")
        return found

    def shown(self, box: Mailbox, item: Item) -> dict[str, Any]:
        """Both ids of a message and where it lies."""
        return {
            "id": box.immutable_id(item),
            "defaultId": box.default_id(item),
            "folder": item.folder.path,
            "conversationId": item.conversation_id,
            "internetMessageId": item.letter.internet_message_id,
            "isRead": item.is_read,
        }

    def deliver(self, request: Request, body: dict[str, Any]) -> Any:
        """Put a letter into a folder."""
        box = self.box(request)
        letter = letter_of(body, box=box, now=self.world.clock())
        item = box.deliver(
            letter,
            body.get("folder", "inbox"),
            bool(body.get("is_read", False)),
            body.get("categories", ()),
            body.get("flag", "notFlagged"),
        )
        return self.shown(box, item)

    def act(self, request: Request, body: dict[str, Any]) -> Any:
        """read, unread, flag, categorise, edit, move, delete or purge one message."""
        box = self.box(request)
        item = self.item(box, body)
        match request.path_params["verb"]:
            case "read":
                box.mark_read(item, True)
            case "unread":
                box.mark_read(item, False)
            case "flag":
                box.flag(item, body.get("flag", "flagged"))
            case "categorise":
                box.categorise(item, body["categories"])
            case "edit":
                box.update(item, letter=edited(item.letter, body))
            case "move":
                box.move(item, body["folder"])
            case "delete":
                box.delete(item)
            case "purge":
                box.purge(item)
            case verb:
                raise Refused(404, f"no verb {verb}")
        return self.shown(box, item)

    def add_folder(self, request: Request, body: dict[str, Any]) -> Any:
        """A new folder under `parent` (default: the top)."""
        return folder_line(
            self.box(request).add_folder(
                body["name"], body.get("parent", "msgfolderroot"), hidden=bool(body.get("hidden", False))
            )
        )

    def rename_folder(self, request: Request, body: dict[str, Any]) -> Any:
        """Another name, or with `parent` another place."""
        box = self.box(request)
        folder = box.folder(body["folder"])
        if "name" in body:
            box.rename_folder(folder.id, body["name"])
        if "parent" in body:
            box.move_folder(folder.id, body["parent"])
        return folder_line(folder)

    def delete_folder(self, request: Request, body: dict[str, Any]) -> Any:
        """Into Deleted Items; from there it is gone."""
        self.box(request).delete_folder(body["folder"])
        return {}

    def put_contact(self, request: Request, body: dict[str, Any]) -> Any:
        """Add a contact with Graph's property names."""
        return {"number": self.box(request).put_contact(body)}

    def folders(self, request: Request, body: dict[str, Any]) -> Any:
        """All folders of a mailbox."""
        return {"value": [folder_line(folder) for folder in self.box(request).folders.values()]}

    async def truth(self, request: Request) -> Response:
        """All messages of a mailbox, one JSON object a line."""
        try:
            box = self.box(request)
        except Refused as problem:
            return answer({"error": str(problem)}, problem.status)

        def lines() -> Iterator[bytes]:
            for item in box.truth():
                yield encode(truth_line(box, item)) + b"\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")
