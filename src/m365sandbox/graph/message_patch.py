"""What a PATCH of a message may say, and what it makes of the item (Graph: update message)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..letters import Address, Letter
from ..mailbox import Item
from .errors import GraphError, bad_request
from .message_view import KNOWN

DRAFT_ONLY = ("subject", "body", "replyTo", "internetMessageId")


def _wrong(value: object, edm: str) -> GraphError:
    return bad_request(f"Cannot convert the literal '{value}' to the expected type '{edm}'.", "RequestBodyRead")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(value, "Edm.String")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, "Edm.Boolean")
    return value


def _enum(value: object, name: str, members: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value.casefold() not in {one.casefold() for one in members}:
        raise bad_request(f"Requested value '{value}' was not found.", "RequestBodyRead")
    return next(one for one in members if one.casefold() == value.casefold())


def _categories(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(value, "Collection(Edm.String)")
    return tuple(_text(one) for one in value)


def _flag(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, "microsoft.graph.followupFlag")
    unknown = set(value) - {"flagStatus", "startDateTime", "dueDateTime", "completedDateTime", "@odata.type"}
    if unknown:
        raise _no_property(unknown.pop(), "followupFlag")
    if "dueDateTime" in value and "startDateTime" not in value:
        raise bad_request("A start date must be given with a due date.", "ErrorInvalidRequest")
    made = {name: part for name, part in value.items() if name != "@odata.type"}
    made["flagStatus"] = _enum(
        value.get("flagStatus", "notFlagged"), "followupFlagStatus", ("notFlagged", "complete", "flagged")
    )
    for name in ("startDateTime", "dueDateTime", "completedDateTime"):
        if name in made:
            _moment(made[name])
    return made


def _moment(value: object) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("timeZone"), str):
        raise _wrong(value, "microsoft.graph.dateTimeTimeZone")
    try:
        datetime.fromisoformat(_text(value.get("dateTime")).rstrip("Z")[:26])
    except ValueError as problem:
        raise _wrong(value.get("dateTime"), "Edm.DateTime") from problem


def _person(value: object) -> Address:
    inner = value.get("emailAddress") if isinstance(value, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("address"), str):
        raise _wrong(value, "microsoft.graph.recipient")
    return Address(_text(inner.get("name") or inner["address"]), inner["address"])


def _people(value: object) -> tuple[Address, ...]:
    if not isinstance(value, list):
        raise _wrong(value, "Collection(microsoft.graph.recipient)")
    return tuple(_person(one) for one in value)


def _body(value: object) -> Callable[[], tuple[str, str]]:
    if not isinstance(value, dict):
        raise _wrong(value, "microsoft.graph.itemBody")
    made = (
        _enum(value.get("contentType", "text"), "bodyType", ("text", "html")),
        _text(value.get("content") or ""),
    )
    return lambda: made


def _no_property(name: str, type_: str) -> GraphError:
    return bad_request(
        f"The property '{name}' does not exist on type 'microsoft.graph.{type_}'. Make sure to only use property "
        "names that are defined by the type.",
        "RequestBodyRead",
    )


LETTER: dict[str, Callable[[Letter, object], Letter]] = {
    "importance": lambda letter, v: replace(letter, importance=_enum(v, "importance", ("low", "normal", "high"))),
    "from": lambda letter, v: replace(letter, from_=_person(v)),
    "sender": lambda letter, v: replace(letter, sender=_person(v)),
    "toRecipients": lambda letter, v: replace(letter, to=_people(v)),
    "ccRecipients": lambda letter, v: replace(letter, cc=_people(v)),
    "bccRecipients": lambda letter, v: replace(letter, bcc=_people(v)),
    "replyTo": lambda letter, v: replace(letter, reply_to=_people(v)),
    "subject": lambda letter, v: replace(letter, subject=_text(v)),
    "internetMessageId": lambda letter, v: replace(letter, internet_message_id=_text(v)),
    "body": lambda letter, v: replace(letter, body=_body(v)),
}


def changes(body: dict[str, Any], item: Item) -> dict[str, Any]:
    """The fields of the item that the body changes. Raises GraphError for what may not be written."""
    made: dict[str, Any] = {}
    letter = item.letter
    for name, value in body.items():
        if name.startswith("@odata.") or name == "id":
            continue
        if name in DRAFT_ONLY and not item.is_draft:
            raise bad_request(f"Set action is invalid for property. Property: {name}.", "ErrorInvalidPropertySet")
        if name in LETTER:
            letter = LETTER[name](letter, value)
        elif name == "isRead":
            made["is_read"] = _truth(value)
        elif name == "categories":
            made["categories"] = _categories(value)
        elif name == "flag":
            made["flag"] = _flag(value)
        elif name == "inferenceClassification":
            made["focused"] = _enum(value, "inferenceClassificationType", ("focused", "other")) == "focused"
        elif name in ("isDeliveryReceiptRequested", "isReadReceiptRequested"):
            receipts = list(made.get("receipts", item.receipts))
            receipts[name == "isReadReceiptRequested"] = _truth(value)
            made["receipts"] = tuple(receipts)
        elif name in KNOWN:
            raise bad_request(f"Set action is invalid for property. Property: {name}.", "ErrorInvalidPropertySet")
        else:
            raise _no_property(name, "message")
    if letter is not item.letter:
        made["letter"] = letter
    return made
