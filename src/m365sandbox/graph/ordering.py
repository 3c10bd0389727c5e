"""$orderby of messages, and Exchange's rule on using it with $filter."""

from __future__ import annotations

from typing import Any

from ..mailbox import Item
from .errors import bad_request, inefficient, unknown_property
from .filters import Comparison, Node, conjuncts, leaves
from .message_view import FILTERS, KNOWN

Term = tuple[str, bool]  # property, descending


def parse(text: str) -> list[Term]:
    """The terms of a $orderby. Raises GraphError."""
    spelled = {name.casefold(): name for name in FILTERS}
    terms: list[Term] = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        direction = direction.strip()
        if direction not in ("", "asc", "desc"):
            raise bad_request(f"Syntax error at position {len(name) + 1} in '{text}'.")
        if name.casefold() not in spelled:
            if name.split("/")[0] in KNOWN:
                raise bad_request(f"The property '{name}' does not support sorting.", "ErrorInvalidProperty")
            raise unknown_property(name.split("/")[0], "message", where="uri")
        terms.append((spelled[name.casefold()], direction == "desc"))
    return terms


def check(terms: list[Term], filter_: Node | None) -> None:
    """Every property of the order must be in the filter, in the same order, before any other. Raises GraphError."""
    if filter_ is None or not terms:
        return
    order = [name for name, _ in terms]
    seen: list[str] = []
    for leaf in leaves(filter_):
        if leaf.name not in seen:
            seen.append(leaf.name)
    if seen[: len(order)] != order or any(leaf.operator == "contains" for leaf in leaves(filter_)):
        raise inefficient()


def bounds(filter_: Node | None) -> tuple[dict[str, Any], list[Node]]:
    """(bounds on receivedDateTime that an index answers, the parts that must be asked of each item)."""
    limits: dict[str, Any] = {}
    rest: list[Node] = []
    for part in conjuncts(filter_):
        if (
            isinstance(part, Comparison)
            and part.name == "receivedDateTime"
            and part.operator in ("ge", "gt", "le", "lt")
        ):
            known = limits.get(part.operator)
            tighter = max if part.operator in ("ge", "gt") else min
            limits[part.operator] = part.value if known is None else tighter(known, part.value)
        elif isinstance(part, Comparison) and part.name == "receivedDateTime" and part.operator == "eq":
            limits["ge"] = max(part.value, limits.get("ge", part.value))
            limits["le"] = min(part.value, limits.get("le", part.value))
        else:
            rest.append(part)
    return limits, rest


def key(name: str, item: Item) -> Any:
    """What an item is sorted by for one property; nothing comes before something."""
    value = FILTERS[name].get(item)
    if value is None:
        return (0, "")
    return (1, value.casefold() if isinstance(value, str) else value)
