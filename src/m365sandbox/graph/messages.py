"""One message: get, change, move, copy, delete, MIME (Graph: message: get, update, move, copy, delete)."""

from __future__ import annotations

from . import access, find
from .errors import GraphError, access_denied, bad_request
from .message_patch import changes
from .mime import mime
from .query import Options
from .select import shape
from .wire import Reply, Request


def _context(request: Request, select: str | None) -> str:
    return request.context(f"messages{f'({select})' if select else ''}/$entity")


def get(request: Request) -> Reply:
    """GET .../messages/{id}."""
    basic = access.read(request)
    options = Options(request.query).only("$select", "$expand")
    wanted = shape(options.text("$select"), options.text("$expand"), basic=basic)
    if basic and wanted.attachments is not None:
        raise access_denied()
    item = find.item(request)
    shown = wanted.show(find.view(request), item)
    return Reply(200, {"@odata.context": _context(request, options.text("$select")), **shown}, messages=1)


def value(request: Request) -> Reply:
    """GET .../messages/{id}/$value: MIME."""
    if access.read(request):
        raise access_denied()
    Options(request.query).only()
    return Reply(200, mime(find.item(request)), content_type="text/plain", messages=1)


def patch(request: Request) -> Reply:
    """PATCH .../messages/{id}: 200 and the message; its change key is a new one even if nothing differs."""
    access.write(request)
    Options(request.query).only()
    item = find.item(request)
    expected = request.headers.get("if-match", "*").strip()
    if expected not in ("*", f'W/"{request.mailbox.names.change_key(item.change)}"'):
        raise GraphError(
            412,
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because "
            "the change key passed in the request does not match the "
            "current change key for the item.",
        )
    request.mailbox.update(item, **changes(request.json, item))
    shown = shape(None, None).show(find.view(request), item)
    return Reply(200, {"@odata.context": _context(request, None), **shown}, messages=1)


def _destination(request: Request) -> str:
    given = {name.casefold(): value for name, value in request.json.items()}
    unknown = set(given) - {"destinationid"}
    if unknown:
        raise bad_request(
            f"The parameter '{unknown.pop()}' in the request payload is not a valid parameter for the "
            "operation 'move'."
        )
    target = given.get("destinationid")
    if not isinstance(target, str) or not target:
        raise bad_request("The value of the parameter 'DestinationId' is missing.", "ErrorInvalidParameter")
    return find.folder(request, target).id


def move(request: Request) -> Reply:
    """POST .../move: 201 and the message, which has a new default id."""
    return _relocate(request, copy=False)


def copy(request: Request) -> Reply:
    """POST .../copy: 201 and the new copy."""
    return _relocate(request, copy=True)


def _relocate(request: Request, *, copy: bool) -> Reply:
    access.write(request)
    Options(request.query).only()
    item, target = find.item(request), _destination(request)
    box = request.mailbox
    made = box.copy(item, target) if copy else box.move(item, target)
    shown = shape(None, None).show(find.view(request), made)
    return Reply(201, {"@odata.context": _context(request, None), **shown}, messages=1)


def delete(request: Request) -> Reply:
    """DELETE .../messages/{id}: 204; to Deleted Items, or gone when it lay there."""
    access.write(request)
    Options(request.query).only()
    request.mailbox.delete(find.item(request))
    return Reply(204)


def permanent_delete(request: Request) -> Reply:
    """POST .../permanentDelete: 204; gone at once."""
    access.write(request)
    Options(request.query).only()
    item = find.item(request)
    request.mailbox.purge(item)
    return Reply(204)
