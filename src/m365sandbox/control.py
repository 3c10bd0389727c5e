"""The other side, over HTTP: what people do in Outlook, the truth, the log, and everything that can go wrong.

Not authenticated: the sandbox listens on loopback only. JSON in, JSON out, under /_sandbox.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, fields
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from .control_letter import letter_of
from .faults import Fault
from .folders import Folder
from .graph.bodies import served
from .graph.message_view import author
from .graph.wire import iso
from .ids import MalformedId
from .mailbox import FolderExists, Item, Mailbox
from .world import World


class Refused(Exception):
    """The control request cannot be done; the message says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


Endpoint = Callable[[Request], Awaitable[Response]]
Act = Callable[[Request, dict[str, Any]], Any]


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
        "bodySha256": hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest(),
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


class Control:
    """The endpoints of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    # finding

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
                    (
                        one
                        for one in box.truth()
                        if one.letter.internet_message_id == body.get("internetMessageId")
                    ),
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

    # the person in Outlook

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
        """read, unread, flag, categorise, move, delete or purge one message."""
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
            return _json({"error": str(problem)}, problem.status)

        def lines() -> Iterator[bytes]:
            for item in box.truth():
                yield msgspec.json.encode(truth_line(box, item)) + b"\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    # the world

    def mailboxes(self, request: Request, body: dict[str, Any]) -> Any:
        """Who has a mailbox, and how much lies in it."""
        people, shared = self.world.directory.people, self.world.directory.shared
        return {
            "value": [
                {
                    "id": owner,
                    "address": (people.get(owner) or shared[owner]).address,
                    "messages": len(box),
                    "shared": owner in shared,
                }
                for owner, box in self.world.mailboxes.items()
                if owner in people or owner in shared
            ]
        }

    def requests(self, request: Request, body: dict[str, Any]) -> Any:
        """Counters and the last requests (?last=, default 200)."""
        log = self.world.requests
        last = int(request.query_params.get("last", "200"))
        entries = list(log.entries)[-last:] if last > 0 else []
        return {"counters": log.counters(), "value": [asdict(one) for one in entries]}

    def reset_requests(self, request: Request, body: dict[str, Any]) -> Any:
        """Forget the log and the throttle windows."""
        self.world.requests.reset()
        self.world.throttle.forget()
        return {}

    def list_faults(self, request: Request, body: dict[str, Any]) -> Any:
        """The faults that are set."""
        return {
            "value": [
                {f.name: getattr(fault, f.name) for f in fields(fault) if not f.name.startswith("_")}
                for fault in self.world.faults.pending()
            ]
        }

    def add_fault(self, request: Request, body: dict[str, Any]) -> Any:
        """Set a fault, in the fields of Fault."""
        return {"id": self.world.faults.add(Fault(**body)).id}

    def clear_faults(self, request: Request, body: dict[str, Any]) -> Any:
        """Lift all faults, or the one with `id`."""
        self.world.faults.clear(body.get("id"))
        return {}

    def latency(self, request: Request, body: dict[str, Any]) -> Any:
        """Milliseconds per request and per message of the answer."""
        self.world.latency(float(body.get("per_request", 0)), float(body.get("per_message", 0)))
        return {}

    def switches(self, request: Request, body: dict[str, Any]) -> Any:
        """Set switches of the world, of notices ("notices": {...}) and timing ("timing": {...}); answers all."""
        world = self.world
        for target, values in (
            (world.courier.faults, body.pop("notices", {})),
            (world.courier.timing, body.pop("timing", {})),
            (world.switches, body),
        ):
            for name, value in values.items():
                if not hasattr(target, name):
                    raise Refused(400, f"no switch {name}")
                setattr(target, name, value)
        return {
            **asdict(world.switches),
            "notices": asdict(world.courier.faults),
            "timing": asdict(world.courier.timing),
        }

    def subscriptions(self, request: Request, body: dict[str, Any]) -> Any:
        """All subscriptions of all apps."""
        return {
            "value": [
                {
                    **sub.wire(),
                    "mailbox": sub.owner,
                    "silent": sub.silent,
                    "immutable": sub.immutable,
                    "tokenExpiresAt": iso(sub.token_expires_at),
                }
                for sub in self.world.subscriptions.values()
            ]
        }

    def lifecycle(self, request: Request, body: dict[str, Any]) -> Any:
        """Send `event` to the lifecycle address of subscription `id`, or of all."""
        subs = [sub for sub in list(self.world.subscriptions.values()) if body.get("id") in (None, sub.id)]
        if body["event"] not in ("missed", "subscriptionRemoved", "reauthorizationRequired"):
            raise Refused(400, "event is missed, subscriptionRemoved or reauthorizationRequired")
        for sub in subs:
            self.world.courier.lifecycle(sub, body["event"])
        return {"sent": len(subs)}

    def forge(self, request: Request, body: dict[str, Any]) -> Any:
        """Post `notice` to `url` as if it came from Graph."""
        self.world.courier.post(body["url"], body["notice"], None)
        return {}

    def notices(self, request: Request, body: dict[str, Any]) -> Any:
        """What is on its way; `drained` says that nothing is."""
        courier = self.world.courier
        waiting = courier.waiting()
        return {
            **waiting,
            "delivered": courier.delivered,
            "dropped": courier.dropped,
            "drained": waiting["waiting"] == waiting["in_flight"] == 0,
        }

    def expire_delta(self, request: Request, body: dict[str, Any]) -> Any:
        """Cut off the delta tokens of `mailbox` (all of them, or those of `folder`), or of everybody."""
        address = body.get("mailbox")
        boxes = list(self.world.mailboxes.values()) if address is None else [self.world.mailbox_of(address)]
        for box in boxes:
            if box is None:
                raise Refused(404, f"no mailbox for {address}")
            number = box.folder(body["folder"]).number if "folder" in body else None
            self.world.cursors.expire(owner=box.owner_id, folder=number)
        return {}

    def revoke(self, request: Request, body: dict[str, Any]) -> Any:
        """Revoke the grants of `address`; the identity half does it."""
        revoke = getattr(self.world.tokens, "revoke", None)
        if revoke is None:
            raise Refused(501, "there is no identity here")
        return {"revoked": revoke(body["address"])}


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _endpoint(act: Act) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            raw = await request.body()
            body = msgspec.json.decode(raw) if raw else {}
            if not isinstance(body, dict):
                raise Refused(400, "the body is a JSON object")
            return _json(act(request, body))
        except Refused as problem:
            return _json({"error": str(problem)}, problem.status)
        except FolderExists as problem:
            return _json({"error": f"a folder named {problem} is there already"}, 409)
        except KeyError as problem:
            return _json({"error": f"missing or unknown: {problem}"}, 400)
        except (TypeError, ValueError) as problem:
            return _json({"error": str(problem)}, 400)

    return answer


def routes(world: World) -> list[BaseRoute]:
    """The routes of the control API."""
    control = Control(world)
    table: list[tuple[str, str, Act]] = [
        ("GET", "/mailboxes", control.mailboxes),
        ("POST", "/mailboxes/{address}/letters", control.deliver),
        ("POST", "/mailboxes/{address}/messages/{verb}", control.act),
        ("GET", "/mailboxes/{address}/folders", control.folders),
        ("POST", "/mailboxes/{address}/folders", control.add_folder),
        ("PATCH", "/mailboxes/{address}/folders", control.rename_folder),
        ("DELETE", "/mailboxes/{address}/folders", control.delete_folder),
        ("POST", "/mailboxes/{address}/contacts", control.put_contact),
        ("GET", "/requests", control.requests),
        ("DELETE", "/requests", control.reset_requests),
        ("GET", "/faults", control.list_faults),
        ("POST", "/faults", control.add_fault),
        ("DELETE", "/faults", control.clear_faults),
        ("PUT", "/latency", control.latency),
        ("GET", "/switches", control.switches),
        ("PATCH", "/switches", control.switches),
        ("GET", "/subscriptions", control.subscriptions),
        ("POST", "/lifecycle", control.lifecycle),
        ("POST", "/forge", control.forge),
        ("GET", "/notices", control.notices),
        ("POST", "/expire-delta", control.expire_delta),
        ("POST", "/revoke", control.revoke),
    ]
    made: list[BaseRoute] = [
        Route(f"/_sandbox{path}", _endpoint(act), methods=[method]) for method, path, act in table
    ]
    made.append(Route("/_sandbox/mailboxes/{address}/truth", control.truth, methods=["GET"]))
    return made
