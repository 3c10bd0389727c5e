"""Attachments of a message: list, one, raw bytes (Graph: message: list attachments, attachment)."""

from __future__ import annotations

from . import access, attachment_view, find
from .errors import GraphError, access_denied
from .query import Options
from .wire import Reply, Request


def _allowed(request: Request) -> None:
    if access.read(request):
        raise access_denied()


def listed(request: Request) -> Reply:
    """GET .../attachments."""
    _allowed(request)
    options = Options(request.query).only("$select", "$top", "$skip", "$count")
    item = find.item(request)
    select = options.text("$select")
    wanted = attachment_view.Shape() if select is None else attachment_view.shape(select)
    size, skip = options.top(default=1000), options.skip()
    shown = attachment_view.listed(find.view(request), item, wanted)
    place = f"messages('{request.keys['message']}')/attachments"
    body: dict[str, object] = {"@odata.context": request.context(place + (f"({select})" if select else ""))}
    if options.flag("$count"):
        body["@odata.count"] = len(shown)
    body["value"] = shown[skip : skip + size]
    if len(shown) > skip + size:
        body["@odata.nextLink"] = options.link(f"{request.base}/{request.root}/{place}", skip=str(skip + size))
    return Reply(200, body, messages=1)


def get(request: Request) -> Reply:
    """GET .../attachments/{id}."""
    _allowed(request)
    options = Options(request.query).only("$select")
    item = find.item(request)
    select = options.text("$select")
    wanted = attachment_view.Shape() if select is None else attachment_view.shape(select)
    shown = attachment_view.one(find.view(request), item, find.attachment(request, item), wanted)
    place = f"messages('{request.keys['message']}')/attachments/$entity"
    return Reply(200, {"@odata.context": request.context(place), **shown}, messages=1)


def value(request: Request) -> Reply:
    """GET .../attachments/{id}/$value: the bytes of a file, the MIME of an item."""
    _allowed(request)
    Options(request.query).only()
    item = find.item(request)
    enclosure = item.letter.enclosures[find.attachment(request, item)]
    if enclosure.kind == "reference":
        raise GraphError(405, "ErrorInvalidRequest", "The attachment has no content of its own.")
    kind = "text/plain" if enclosure.kind == "item" else enclosure.content_type
    safe = kind if kind.isascii() and kind.isprintable() and kind else "application/octet-stream"
    return Reply(200, enclosure.content(), content_type=safe, messages=1)
