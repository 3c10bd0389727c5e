"""Changes of one folder's messages since a token (Graph: message: delta).

A first round walks the folder newest first from where the token stands; what changes meanwhile is told by the next
round, because its token starts at the change number at which the first one began. A later round reads the folder's
change log. Neither keeps anything in memory: the token says it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from ..delta import Cursor, SyncStateLost
from ..folders import Entry, Folder
from ..mailbox import Item
from . import access, find
from .errors import GraphError, access_denied, bad_request
from .filters import Comparison, Node, meets
from .listing import parse_filter
from .message_view import View
from .query import Options
from .select import Shape, shape
from .wire import Reply, Request

OPTIONS = ("$select", "$filter", "$orderby", "$top", "$expand", "changeType", "$skiptoken", "$deltatoken")
PAGE = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What the options of the first request ask of every page."""

    shape: Shape
    filter: Node | None
    change: str | None
    top: int | None


def _plan(options: Options, *, basic: bool) -> Plan:
    if options.text("$search") is not None:
        raise bad_request("The query parameter '$search' is not supported.", "ErrorInvalidUrlQuery")
    options.only(*OPTIONS)
    filter_ = parse_filter(options.text("$filter"))
    if filter_ is not None and not (
        isinstance(filter_, Comparison) and filter_.name == "receivedDateTime" and filter_.operator in ("ge", "gt")
    ):
        raise bad_request(
            "The '$filter' parameter value is not supported for 'Messages' resource; only a value of "
            "'receivedDateTime ge value' is supported.",
            "ErrorInvalidUrlQuery",
        )
    order = options.text("$orderby")
    if order is not None and order.split() != ["receivedDateTime", "desc"]:
        raise bad_request(
            "The '$orderby' parameter value is not supported for 'Messages' resource; only a value of "
            "'receivedDateTime desc' is supported.",
            "ErrorInvalidUrlQuery",
        )
    change = options.text("changeType")
    if change not in (None, "created", "updated", "deleted"):
        raise bad_request(f"The 'changeType' parameter value '{change}' is not supported.", "ErrorInvalidUrlQuery")
    wanted = shape(options.text("$select"), options.text("$expand"), basic=basic)
    if basic and wanted.attachments is not None:
        raise access_denied()
    top = options.top(default=0) if options.text("$top") is not None else None
    return Plan(wanted, filter_, change, top)


def lost(problem: SyncStateLost, fresh: str) -> GraphError:
    """410 with the address of a new round."""
    return GraphError(410, problem.code, problem.message, headers={"Location": fresh})


def token_of(options: Options) -> str | None:
    """The token of the request, if it has one. Raises GraphError for "from now", which Outlook does not have."""
    skip, delta = options.text("$skiptoken"), options.text("$deltatoken")
    if skip is not None and delta is not None:
        raise bad_request("Only one of $skiptoken and $deltatoken may be given.")
    if delta is not None and delta.casefold() == "latest":
        raise bad_request(
            "The '$deltatoken' parameter value 'latest' is not supported for 'Messages' resource.",
            "ErrorInvalidUrlQuery",
        )
    return skip or delta or None


def delta(request: Request) -> Reply:
    """GET .../mailFolders/{id}/messages/delta."""
    basic = access.read(request)
    folder, box, world = find.folder(request), request.mailbox, request.world
    asked = Options(request.query)
    link = f"{request.base}/{request.root}/mailFolders('{folder.id}')/messages/delta"
    token = token_of(asked)
    if token is None:
        options = Options([pair for pair in request.query if pair[1] or not pair[0].endswith("token")])
        cursor = world.cursors.start(
            kind="messages", owner=box.owner_id, folder=folder.number, since=box.change, options=options.pairs
        )
    else:
        asked.only(*OPTIONS)
        try:
            cursor = world.cursors.read(token, kind="messages", owner=box.owner_id, folder=folder.number)
        except SyncStateLost as problem:
            raise lost(problem, f"{link}?$deltatoken=") from problem
        options = Options(cursor.options)
    plan = _plan(options, basic=basic)
    size = request.prefer.page_size or PAGE
    if request.prefer.page_size is not None:
        request.prefer.applied(f"odata.maxpagesize={size}")
    request.prefer.applied("odata.track-changes")
    view = find.view(request)
    entries: list[dict[str, Any]] = []
    after, done = cursor, False
    if token is None and world.switches.delta_empty_pages:
        pass
    elif cursor.first:
        entries, after, done = _first_page(request, folder, cursor, plan, view, size)
    else:
        entries, after, done = _later_page(request, folder, cursor, plan, view, size)
    if token is None and world.switches.delta_ghosts:
        entries.append(
            _removed(box.names.immutable(1) if view.immutable else box.names.item(place=1, folder=folder.number))
        )
    name = "deltatoken" if done else "skiptoken"
    body: dict[str, Any] = {
        "@odata.context": f"{request.base}/$metadata#Collection(message)",
        f"@odata.{'deltaLink' if done else 'nextLink'}": f"{link}?${name}={world.cursors.issue(after)}",
        "value": entries,
    }
    return Reply(200, body, messages=len(entries))


def _removed(item_id: str) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.message", "id": item_id, "@removed": {"reason": "deleted"}}


def _first_page(
    request: Request, folder: Folder, cursor: Cursor, plan: Plan, view: View, size: int
) -> tuple[list[dict[str, Any]], Cursor, bool]:
    """Newest first, below where the last page ended."""
    index = folder.index
    start = len(index)
    if cursor.served:
        start = index.older_than(datetime.fromtimestamp(cursor.received, UTC), cursor.number)
    bound = plan.filter
    low = index.span(**{bound.operator: bound.value})[0] if isinstance(bound, Comparison) else 0
    room = size
    if bound is not None:
        room = min(room, request.world.switches.first_page_limit - cursor.served)
    if plan.top is not None:
        room = min(room, plan.top - cursor.served)
    if plan.change in ("updated", "deleted") or cursor.closing:
        room = 0
    items = index.items()
    end = max(low, start - max(0, room))
    page = [items[at] for at in range(start - 1, end - 1, -1)]
    served = cursor.served + len(page)
    capped = plan.top is not None and served >= plan.top and not cursor.closing and bool(page)
    full = bound is not None and served >= request.world.switches.first_page_limit
    done = room <= 0 or end <= low or full
    entries = [plan.shape.show(view, item, typed=True) for item in page]
    if request.world.switches.delta_duplicates and cursor.served and start < len(items):
        entries.insert(0, plan.shape.show(view, items[start], typed=True))
    if capped:
        return entries, _at(cursor, page[-1], served, closing=True), False
    if done:
        return entries, replace(cursor, first=False, served=0, number=0, closing=False), True
    return entries, _at(cursor, page[-1], served, closing=False), False


def _at(cursor: Cursor, last: Item, served: int, *, closing: bool) -> Cursor:
    return replace(
        cursor,
        received=last.letter.received_at.timestamp(),
        number=last.number,
        served=served,
        closing=closing,
    )


def _later_page(
    request: Request, folder: Folder, cursor: Cursor, plan: Plan, view: View, size: int
) -> tuple[list[dict[str, Any]], Cursor, bool]:
    """The folder's log after the token's change number; each item once, in its latest state.

    While a round lasts, `number` keeps the change number at which it began.
    """
    entries: list[dict[str, Any]] = []
    seq, done, began = cursor.since, True, cursor.number or cursor.since
    for entry in folder.log.since(cursor.since):
        shown = _shown(request, folder, began, entry, plan, view)
        if shown is not None and len(entries) == size:
            done = False
            break
        seq = entry.seq
        if shown is not None:
            entries.append(shown)
    return entries, replace(cursor, since=seq, number=0 if done else began), done


def _shown(
    request: Request, folder: Folder, began: int, entry: Entry, plan: Plan, view: View
) -> dict[str, Any] | None:
    item = entry.item
    here = not item.gone and item.folder is folder
    if entry.removed:
        if view.immutable and here and not request.world.switches.immutable_id_gap:
            return None  # came back: its own line follows
        if plan.change not in (None, "deleted"):
            return None
        box = request.mailbox
        return _removed(
            box.immutable_id(item) if view.immutable else box.names.item(place=entry.place, folder=folder.number)
        )
    if not here or entry.seq != item.change:
        return None
    if view.immutable and request.world.switches.immutable_id_gap and _left_since(folder, began, item):
        return None
    if plan.filter is not None and not meets(plan.filter, item):
        return None
    kind = "created" if item.arrived > began else "updated"
    if plan.change not in (None, kind):
        return None
    return plan.shape.show(view, item, typed=True)


def _left_since(folder: Folder, began: int, item: Item) -> bool:
    """Whether the item went out and came back since the round began."""
    return any(entry.removed and entry.item is item for entry in folder.log.since(began))
