"""POST .../translateExchangeIds: ids from one format into another (Graph: user: translateExchangeIds)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..ids import MalformedId, decode, encode
from ..mailbox import Item, Mailbox
from . import access
from .errors import GraphError, bad_request
from .query import Options
from .wire import Reply, Request

FORMATS = ("entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId")


def _read(box: Mailbox, text: str, source: str) -> Item | None:
    if source in ("restId", "restImmutableEntryId"):
        rest = text
    elif source == "ewsId":
        rest = text.replace("/", "-").replace("+", "_")
    else:
        padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
        try:
            rest = encode(base64.b64decode(padded, validate=True))
        except binascii.Error as problem:
            raise MalformedId(text) from problem
    ref = box.names.item_ref(rest)
    if ref is not None and (ref.format == "immutable") != ("mmutable" in source):
        raise MalformedId(text)
    return box.find(rest)


def _write(box: Mailbox, item: Item, target: str) -> str:
    rest = box.immutable_id(item) if "mmutable" in target else box.default_id(item)
    if target in ("restId", "restImmutableEntryId"):
        return rest
    if target == "ewsId":
        return rest.replace("-", "/").replace("_", "+")
    return base64.urlsafe_b64encode(decode(rest)).decode().rstrip("=")


def translate(request: Request) -> Reply:
    """Ids that cannot be translated carry errorDetails instead of a targetId."""
    access.check(request, ("User.Read", "User.ReadBasic", "User.ReadWrite", *access.READ, *access.BASIC))
    Options(request.query).only()
    given = {name.casefold(): value for name, value in request.json.items()}
    ids, kinds = given.get("inputids"), (given.get("sourceidtype"), given.get("targetidtype"))
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise bad_request("The value of the parameter 'InputIds' is missing.", "ErrorInvalidParameter")
    if len(ids) > 1000:
        raise bad_request("The number of ids exceeds the limit of 1000.", "ErrorInvalidParameter")
    if not all(kind in FORMATS for kind in kinds):
        raise bad_request("Requested value for the id type was not found.", "RequestBodyRead")
    value = [_translated(request.mailbox, one, str(kinds[0]), str(kinds[1])) for one in ids]
    return Reply(
        200,
        {
            "@odata.context": f"{request.base}/$metadata#Collection(microsoft.graph.convertIdResult)",
            "value": value,
        },
    )


def _translated(box: Mailbox, text: str, source: str, target: str) -> dict[str, Any]:
    try:
        item = _read(box, text, source)
        if item is None:
            raise GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    except MalformedId:
        return {
            "sourceId": text,
            "errorDetails": {"code": "ErrorInvalidIdMalformed", "message": "Id is malformed."},
        }
    except GraphError as problem:
        return {"sourceId": text, "errorDetails": {"code": problem.code, "message": problem.message}}
    return {"sourceId": text, "targetId": _write(box, item, target)}
