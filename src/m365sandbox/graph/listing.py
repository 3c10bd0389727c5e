"""Lists of messages, of one folder or of the whole mailbox (Graph: user: list messages)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ..folders import Folder, Index
from ..mailbox import Item
from . import access, find, ordering, search_terms
from .errors import access_denied, bad_request
from .filters import Node, Parser, meets
from .message_view import FILTERS, KNOWN
from .query import Options
from .select import shape
from .wire import Reply, Request

OPTIONS = ("$select", "$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$search", "$skiptoken")


def parse_filter(text: str | None) -> Node | None:
    """A $filter of messages. Raises GraphError."""
    if text is None:
        return None
    return Parser(text, fields=FILTERS, known=KNOWN, type_="message").parse()


def _walk(index: Index, filter_: Node | None, terms: list[ordering.Term]) -> tuple[Iterator[Item], int | None]:
    """The items that pass, in order, and how many they are when that costs nothing."""
    limits, rest = ordering.bounds(filter_)
    low, high = index.span(**limits)
    items = index.items()
    order = terms or [("receivedDateTime", True)]
    backwards = order[0] == ("receivedDateTime", True)
    if order[0][0] == "receivedDateTime" and len(order) == 1:
        positions = range(high - 1, low - 1, -1) if backwards else range(low, high)
        if not rest:
            return (items[at] for at in positions), high - low
        return (items[at] for at in positions if all(meets(part, items[at]) for part in rest)), None
    chosen = [item for item in items[low:high] if all(meets(part, item) for part in rest)]
    for name, descending in reversed(order):
        chosen.sort(key=lambda item, name=name: ordering.key(name, item), reverse=descending)  # type: ignore[misc]
    return iter(chosen), len(chosen)


def _searched(request: Request, folder: Folder | None, options: Options, text: str) -> list[Item]:
    for name, spelled, code in (
        ("$filter", "$filter", "SearchWithFilter"),
        ("$orderby", "$orderBy", "SearchWithOrderBy"),
        ("$skip", "$skip", "SearchWithSkip"),
    ):
        if options.text(name) is not None:
            raise bad_request(f"The query parameter '{spelled}' is not supported with '$search'.", code)
    return search_terms.found(request.mailbox, folder, text)


def messages(request: Request) -> Reply:
    """GET .../messages."""
    basic = access.read(request)
    folder = find.folder(request) if "folder" in request.keys else None
    options = Options(request.query).only(*OPTIONS)
    wanted = shape(options.text("$select"), options.text("$expand"), basic=basic)
    if basic and (options.text("$search") is not None or wanted.attachments is not None):
        raise access_denied()
    size = options.top(default=request.prefer.page_size or 10)
    if request.prefer.page_size is not None and options.text("$top") is None:
        request.prefer.applied(f"odata.maxpagesize={size}")
    skip, search = options.skip(), options.text("$search")
    total: int | None = None
    if search is not None:
        skip = _position(options.text("$skiptoken"))
        hits = _searched(request, folder, options, search)
        chosen: Iterator[Item] = iter(hits)
        total = len(hits)
    else:
        if options.text("$skiptoken") is not None:
            raise bad_request("The query parameter '$skiptoken' is not supported.")
        filter_ = parse_filter(options.text("$filter"))
        terms = ordering.parse(options.text("$orderby") or "") if options.text("$orderby") is not None else []
        ordering.check(terms, filter_)
        index = request.mailbox.everything if folder is None else folder.index
        chosen, total = _walk(index, filter_, terms)
        if options.flag("$count") and total is None:
            counted = list(chosen)
            chosen, total = iter(counted), len(counted)
    if options.text("$filter") is not None:
        chosen = (item for item in chosen if item.odd.get("receivedDateTime", "") is not None)
    page = list(islice(chosen, skip, skip + size + 1))
    view = find.view(request)
    path = (
        f"{request.root}/messages"
        if folder is None
        else f"{request.root}/mailFolders('{request.keys['folder']}')/messages"
    )
    body: dict[str, object] = {"@odata.context": _context(request, folder, options)}
    if options.flag("$count"):
        body |= _counted(request, total, len(page[:size]))
    twice = page[: min(size, 1)] if request.world.switches.list_duplicates else []
    body["value"] = [wanted.show(view, item) for item in (*page[:size], *twice)]
    if len(page) > size:
        step = {"skiptoken": f"s{skip + size}"} if search is not None else {"skip": str(skip + size)}
        body["@odata.nextLink"] = options.link(f"{request.base}/{path}", **step)
    return Reply(200, body, messages=min(len(page), size))


def _counted(request: Request, total: int | None, shown: int) -> dict[str, object]:
    how = request.world.switches.counts
    if how == "refused":
        raise bad_request("The query parameter '$count' is not supported.", "ErrorInvalidUrlQuery")
    said = {"null": None, "zero": 0, "page": shown}.get(how, total)
    return {} if how == "missing" else {"@odata.count": said}


def _position(token: str | None) -> int:
    if token is None:
        return 0
    if not (token.startswith("s") and token[1:].isdigit()):
        raise bad_request("Skip token is malformed.")
    return int(token[1:])


def _context(request: Request, folder: Folder | None, options: Options) -> str:
    place = "messages" if folder is None else f"mailFolders('{request.keys['folder']}')/messages"
    select = options.text("$select")
    return request.context(place + (f"({select})" if select else ""))


def count(request: Request) -> Reply:
    """GET .../messages/$count: a number in plain text."""
    access.read(request)
    folder = find.folder(request) if "folder" in request.keys else None
    options = Options(request.query).only("$filter")
    index = request.mailbox.everything if folder is None else folder.index
    chosen, total = _walk(index, parse_filter(options.text("$filter")), [])
    number = sum(1 for _ in chosen) if total is None else total
    return Reply(200, str(number).encode(), content_type="text/plain")
