"""$select and $expand of messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..mailbox import Item
from . import attachment_view, message_view
from .errors import bad_request, unknown_property

_EXPAND = re.compile(r"^([A-Za-z]+)(?:\((.*)\))?$", re.DOTALL)


def names(text: str) -> list[str]:
    """The names of a $select, without empty ones."""
    listed = [name.strip() for name in text.split(",")]
    if not all(listed):
        raise bad_request(
            "Parsing OData Select and Expand failed: Term '' is not valid in a $select or $expand expression."
        )
    return listed


def choose(text: str, known: Iterable[str], type_: str) -> list[str]:
    """The selected names as the type spells them. Raises GraphError for one that the type does not have."""
    spelled = {name.casefold(): name for name in known}
    chosen: list[str] = []
    for name in names(text):
        if name.startswith("@"):
            raise bad_request(
                f"Parsing OData Select and Expand failed: Term '{name}' is not valid in a $select or "
                "$expand expression."
            )
        if name.casefold() not in spelled:
            raise unknown_property(name, type_, where="select")
        chosen.append(spelled[name.casefold()])
    return chosen


@dataclass(frozen=True, slots=True)
class Shape:
    """Which properties of a message are shown, and which of its attachments."""

    wanted: dict[str, message_view.Getter] | None = None
    attachments: attachment_view.Shape | None = None

    def show(self, view: message_view.View, item: Item, *, typed: bool = False) -> dict[str, Any]:
        """One message in this shape."""
        shown = message_view.show(view, item, self.wanted, typed=typed)
        if self.attachments is not None:
            shown["attachments"] = attachment_view.listed(view, item, self.attachments)
        return shown


def shape(select: str | None, expand: str | None, *, basic: bool = False) -> Shape:
    """What the two options ask for. `basic` leaves out what Mail.ReadBasic does not show."""
    wanted: dict[str, message_view.Getter] | None = None
    if select is not None and select.strip() != "*":
        chosen = choose(select, message_view.KNOWN, "message")
        wanted = {name: message_view.ALL[name] for name in chosen if name in message_view.ALL}
    if basic:
        source = message_view.DEFAULT if wanted is None else wanted
        wanted = {name: get for name, get in source.items() if name not in message_view.BASIC_HIDES}
    return Shape(wanted, None if expand is None else _expanded(expand))


def _expanded(text: str) -> attachment_view.Shape:
    found = _EXPAND.match(text.strip())
    if found is None:
        raise bad_request("Parsing OData Select and Expand failed: Found an unbalanced bracket expression.")
    name, inner = found.groups()
    if name.casefold() != "attachments":
        raise unknown_property(name, "message", where="select")
    if not inner:
        return attachment_view.Shape()
    option, _, value = inner.partition("=")
    if option.strip() != "$select":
        raise bad_request(
            f"Parsing OData Select and Expand failed: The query option '{option.strip()}' is not "
            "supported inside $expand."
        )
    return attachment_view.shape(value)
