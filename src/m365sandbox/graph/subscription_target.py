"""What a subscription's `resource` points at, and whether this token may watch it.

Delegated permissions watch the signed-in person's own mailbox only: Graph does not deliver for shared or delegated
folders (Graph: Outlook change notifications, limitations). What creating one answers is not documented, so the world
has a switch: 403, or 201 and silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ..mailbox import Item, Mailbox
from . import access, find, path
from .errors import GraphError, access_denied, bad_request
from .filters import Node, meets
from .listing import parse_filter
from .wire import Request


@dataclass(frozen=True, slots=True)
class Target:
    """The mailbox, what of it (`messages` or `contacts`), which folder, and which messages of it."""

    owner: str
    kind: str
    folder: int | None = None
    matches: Callable[[Mailbox, Item], bool] | None = None
    query: str | None = None
    silent: bool = False


def _wrapped(problem: GraphError) -> GraphError:
    reason = {403: "Forbidden", 404: "Not Found"}.get(problem.status, "Bad Request")
    return GraphError(
        problem.status,
        "ExtensionError",
        f"Operation: Create; Exception: [Status Code: {reason.replace(' ', '')}; Reason: {reason}]",
    )


def target(request: Request, resource: str) -> Target:
    """Read a resource. Raises GraphError: 400 for what cannot be watched, 403 and 404 as ExtensionError."""
    text, _, query = resource.strip("/").partition("?")
    try:
        segments = path.split(text)
    except GraphError as problem:
        raise _unsupported(resource) from problem
    tail = [part.casefold() for part in segments]
    rest = 1 if tail[:1] == ["me"] else 2 if tail[:1] == ["users"] and len(tail) > 2 else 0
    inner = tail[rest:]
    folder_form = len(inner) == 3 and inner[0] == "mailfolders" and inner[2] == "messages"
    if not rest or not (inner in (["messages"], ["contacts"]) or folder_form):
        raise _unsupported(resource)
    seen = Request(
        world=request.world,
        method="GET",
        segments=segments,
        query=[],
        headers={},
        content=b"",
        base=request.base,
        access=request.access,
        prefer=request.prefer,
    )
    try:
        seen.box = access.mailbox(seen)
        shared = seen.box.owner_id != request.access.person.id
        if shared and (request.world.switches.shared_subscription != "silent"):
            raise access_denied()
        if inner == ["contacts"]:
            access.check(seen, access.CONTACTS)
        else:
            access.read(seen)
        folder = find.folder(seen, segments[rest + 1]).number if folder_form else None
    except GraphError as problem:
        raise _wrapped(problem) from problem
    return Target(
        seen.box.owner_id,
        "contacts" if inner == ["contacts"] else "messages",
        folder,
        _matcher(query, resource),
        query or None,
        shared,
    )


def _unsupported(resource: str) -> GraphError:
    return bad_request(f"Resource '{resource}' is not supported for change notifications.", "InvalidRequest")


def _matcher(query: str, resource: str) -> Callable[[Mailbox, Item], bool] | None:
    if not query:
        return None
    options = parse_qsl(query, keep_blank_values=True)
    if [name for name, _ in options] != ["$filter"]:
        raise _unsupported(resource)
    node: Node | None = parse_filter(options[0][1])
    return lambda box, item: node is None or meets(node, item)
