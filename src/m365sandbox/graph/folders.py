"""Mail folders: lists, one folder, child folders, counts (Graph: user: list mailFolders, mailFolder)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..folders import Folder
from ..mailbox import Mailbox
from . import access, find
from .errors import bad_request
from .filters import Field, Parser, meets
from .query import Options
from .select import choose
from .wire import Reply, Request

PROPERTIES: dict[str, Callable[[Mailbox, Folder], Any]] = {
    "displayName": lambda b, f: f.name,
    "parentFolderId": lambda b, f: f.parent.id if f.parent is not None else b.names.folder(1),
    "childFolderCount": lambda b, f: sum(1 for child in f.children if not child.hidden),
    "unreadItemCount": lambda b, f: f.unread,
    "totalItemCount": lambda b, f: len(f.index),
    "isHidden": lambda b, f: f.hidden,
}
DEFAULT = tuple(PROPERTIES)
KNOWN = frozenset({*PROPERTIES, "id", "childFolders", "messages", "messageRules", "singleValueExtendedProperties"})
FILTERS = {
    "displayName": Field("string", lambda f: f.name),
    "isHidden": Field("bool", lambda f: f.hidden),
}


def show(box: Mailbox, folder: Folder, names: tuple[str, ...], *, typed: bool = False) -> dict[str, Any]:
    """One folder with the named properties."""
    shown: dict[str, Any] = {"@odata.type": "#microsoft.graph.mailFolder"} if typed else {}
    if not typed and folder.well_known == "searchfolders":
        shown["@odata.type"] = "#microsoft.graph.mailSearchFolder"
    shown["id"] = folder.id
    shown.update((name, PROPERTIES[name](box, folder)) for name in names)
    return shown


def selected(options: Options) -> tuple[str, ...]:
    """The properties that $select names, or the default ones."""
    text = options.text("$select")
    if text is None:
        return DEFAULT
    return tuple(name for name in choose(text, KNOWN, "mailFolder") if name in PROPERTIES)


def listed(request: Request) -> Reply:
    """GET .../mailFolders or .../mailFolders/{id}/childFolders: one level, hidden folders only when asked."""
    access.read(request)
    parent = find.folder(request) if "folder" in request.keys else request.mailbox.root
    options = Options(request.query).only(
        "$select", "$top", "$skip", "$count", "$filter", "$orderby", "includeHiddenFolders"
    )
    names = selected(options)
    chosen = _children(parent, options)
    size, skip = options.top(default=request.prefer.page_size or 10), options.skip()
    if request.prefer.page_size is not None:
        request.prefer.applied(f"odata.maxpagesize={size}")
    place = "mailFolders"
    if "folder" in request.keys:
        place = f"mailFolders('{request.keys['folder']}')/childFolders"
    body: dict[str, Any] = {"@odata.context": request.context(place)}
    if options.flag("$count"):
        body["@odata.count"] = len(chosen)
    body["value"] = [show(request.mailbox, folder, names) for folder in chosen[skip : skip + size]]
    if len(chosen) > skip + size:
        body["@odata.nextLink"] = options.link(f"{request.base}/{request.root}/{place}", skip=str(skip + size))
    return Reply(200, body)


def _children(parent: Folder, options: Options) -> list[Folder]:
    hidden = (options.text("includeHiddenFolders") or "false").casefold()
    if hidden not in ("true", "false"):
        raise bad_request(f"Invalid value '{hidden}' for includeHiddenFolders query option found.")
    chosen = [child for child in parent.children if hidden == "true" or not child.hidden]
    filter_ = options.text("$filter")
    if filter_ is not None:
        node = Parser(filter_, fields=FILTERS, known=KNOWN, type_="mailFolder").parse()
        chosen = [child for child in chosen if meets(node, child)]
    order = (options.text("$orderby") or "displayName").split()
    if order[0] != "displayName" or len(order) > 2 or order[1:] not in ([], ["asc"], ["desc"]):
        raise bad_request(f"The property '{order[0]}' does not support sorting.", "ErrorInvalidProperty")
    return sorted(chosen, key=lambda child: child.name.casefold(), reverse=order[1:] == ["desc"])


def get(request: Request) -> Reply:
    """GET .../mailFolders/{id}."""
    access.read(request)
    options = Options(request.query).only("$select", "includeHiddenFolders")
    shown = show(request.mailbox, find.folder(request), selected(options))
    return Reply(200, {"@odata.context": request.context("mailFolders/$entity"), **shown})


def count(request: Request) -> Reply:
    """GET .../mailFolders/$count or .../childFolders/$count: a number in plain text."""
    access.read(request)
    parent = find.folder(request) if "folder" in request.keys else request.mailbox.root
    options = Options(request.query).only("$filter", "includeHiddenFolders")
    return Reply(200, str(len(_children(parent, options))).encode(), content_type="text/plain")
