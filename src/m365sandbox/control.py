"""The other side, over HTTP: what people do in Outlook, the truth, the log, and everything that can go wrong.

Not authenticated: the sandbox listens on loopback only. JSON in, JSON out, under /_sandbox.
"""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from .control_answer import Act, endpoint_of
from .control_mailbox import MailboxControl
from .control_world import WorldControl
from .world import World


def routes(world: World) -> list[BaseRoute]:
    """The routes of the control API."""
    box, whole = MailboxControl(world), WorldControl(world)
    table: list[tuple[str, str, Act]] = [
        ("GET", "/mailboxes", whole.mailboxes),
        ("POST", "/mailboxes/{address}/letters", box.deliver),
        ("POST", "/mailboxes/{address}/messages/{verb}", box.act),
        ("GET", "/mailboxes/{address}/folders", box.folders),
        ("POST", "/mailboxes/{address}/folders", box.add_folder),
        ("PATCH", "/mailboxes/{address}/folders", box.rename_folder),
        ("DELETE", "/mailboxes/{address}/folders", box.delete_folder),
        ("POST", "/mailboxes/{address}/contacts", box.put_contact),
        ("GET", "/requests", whole.requests),
        ("DELETE", "/requests", whole.reset_requests),
        ("GET", "/faults", whole.list_faults),
        ("POST", "/faults", whole.add_fault),
        ("DELETE", "/faults", whole.clear_faults),
        ("PUT", "/latency", whole.latency),
        ("POST", "/clock", whole.clock),
        ("GET", "/switches", whole.switches),
        ("PATCH", "/switches", whole.switches),
        ("GET", "/subscriptions", whole.subscriptions),
        ("POST", "/lifecycle", whole.lifecycle),
        ("POST", "/forge", whole.forge),
        ("GET", "/notices", whole.notices),
        ("POST", "/expire-delta", whole.expire_delta),
        ("POST", "/revoke", whole.revoke),
    ]
    made: list[BaseRoute] = [
        Route(f"/_sandbox{path}", endpoint_of(act), methods=[method]) for method, path, act in table
    ]
    made.append(Route("/_sandbox/mailboxes/{address}/truth", box.truth, methods=["GET"]))
    return made
