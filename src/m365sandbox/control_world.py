"""The log, and everything that can be made to go wrong, over the control API."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request

from .control_answer import Refused
from .faults import Fault
from .graph.wire import iso
from .world import World


class WorldControl:
    """The endpoints below /_sandbox that are about the world as a whole."""

    def __init__(self, world: World) -> None:
        self.world = world

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
        entries = log.last(int(request.query_params.get("last", "200")))
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

    def clock(self, request: Request, body: dict[str, Any]) -> Any:
        """Put the clock forward by `seconds` (back, if negative)."""
        self.world.jump(float(body["seconds"]))
        return {"now": iso(self.world.clock())}

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
        """Post `notice`, or so many `copies` of it, to `url` as if it came from Graph."""
        for _ in range(int(body.get("copies", 1))):
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
