"""$filter: read into a tree, checked for what Exchange can answer, and asked of one item.

Comparisons of properties with literals, joined by and, or, not and brackets; startswith and contains on texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import GraphError, bad_request, unknown_property

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<date>\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)?)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w./]*)|(?P<mark>[(),]))"
)
OPERATORS = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
Getter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A property that can be filtered by. `kind` is string (any letter case), id (exact), date or bool."""

    kind: str
    get: Getter


@dataclass(frozen=True, slots=True)
class Comparison:
    """One leaf: property, operator (or startswith, contains), literal."""

    name: str
    operator: str
    value: Any
    get: Getter
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """and | or | not over parts."""

    kind: str
    parts: tuple[Any, ...]


Node = Comparison | Group


class Parser:
    """Reads one $filter. `fields` can be filtered by, `known` exist but cannot."""

    def __init__(self, text: str, *, fields: dict[str, Field], known: frozenset[str], type_: str) -> None:
        self._text = text
        self._fields = {name.casefold(): (name, field) for name, field in fields.items()}
        self._known = {name.casefold() for name in known}
        self._type = type_
        self._tokens = self._scan()
        self._at = 0

    def _syntax(self, position: int) -> GraphError:
        return bad_request(f"Syntax error at position {position} in '{self._text}'.")

    def _scan(self) -> list[tuple[str, str, int]]:
        tokens, at, text = [], 0, self._text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise self._syntax(at)
            tokens.append((match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
            at = match.end()
        return tokens

    def _next(self) -> tuple[str, str, int]:
        if self._at >= len(self._tokens):
            raise self._syntax(len(self._text))
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def parse(self) -> Node:
        """The tree. Raises GraphError in the service's words."""
        node = self._any()
        if self._at < len(self._tokens):
            raise self._syntax(self._tokens[self._at][2])
        return node

    def _any(self) -> Node:
        parts = [self._all()]
        while self._peek() == "or":
            self._at += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Group("or", tuple(parts))

    def _all(self) -> Node:
        parts = [self._one()]
        while self._peek() == "and":
            self._at += 1
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def _one(self) -> Node:
        kind, text, position = self._next()
        if text == "not":
            return Group("not", (self._one(),))
        if text == "(":
            inner = self._any()
            self._expect(")")
            return inner
        if kind != "word":
            raise self._syntax(position)
        if self._peek() == "(":
            return self._function(text)
        name, field = self._field(text)
        _, operator, at = self._next()
        if operator not in OPERATORS:
            raise self._syntax(at)
        return Comparison(name, operator, self._literal(field, operator), field.get, field.kind == "id")

    def _function(self, name: str) -> Node:
        if name not in ("startswith", "contains"):
            raise bad_request("The query filter contains one or more invalid nodes.", "ErrorInvalidUrlQueryFilter")
        self._expect("(")
        property_, field = self._field(self._next()[1])
        self._expect(",")
        value = self._literal(field, name)
        self._expect(")")
        if field.kind not in ("string", "id"):
            raise bad_request(
                f"No function signature for the function with name '{name}' matches the specified arguments."
            )
        return Comparison(property_, name, value, field.get, field.kind == "id")

    def _expect(self, mark: str) -> None:
        _, text, position = self._next()
        if text != mark:
            raise self._syntax(position)

    def _field(self, text: str) -> tuple[str, Field]:
        found = self._fields.get(text.casefold())
        if found is not None:
            return found
        if text.split("/")[0].casefold() in self._known:
            raise bad_request(f"The property '{text}' does not support filtering.", "ErrorInvalidProperty")
        raise unknown_property(text.split("/")[0], self._type, where="uri")

    def _literal(self, field: Field, operator: str) -> Any:
        kind, text, position = self._next()
        wanted = "string" if field.kind == "id" else field.kind
        edm = {"string": "Edm.String", "date": "Edm.DateTimeOffset", "bool": "Edm.Boolean"}
        value: Any
        if kind == "string":
            plain = text[1:-1].replace("''", "'")
            found, value = "string", plain if field.kind == "id" else plain.casefold()
        elif kind == "date":
            found, value = "date", self._moment(text, position)
        elif text in ("true", "false"):
            found, value = "bool", text == "true"
        elif text == "null" and wanted == "string":
            return None
        else:
            found, value = "number", text
        if found != wanted or (found == "bool" and operator not in ("eq", "ne")):
            raise bad_request(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{edm[wanted]}' and '{edm.get(found, 'Edm.Int32')}' for operator kind "
                f"'{OPERATORS.get(operator, operator)}'."
            )
        return value

    def _moment(self, text: str, position: int) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as problem:
            raise self._syntax(position) from problem
        if moment.tzinfo is None:
            if "T" in text:
                raise self._syntax(position)
            return moment.replace(tzinfo=UTC)
        return moment


def meets(node: Node, item: Any) -> bool:
    """Whether one item passes the filter."""
    if isinstance(node, Group):
        if node.kind == "and":
            return all(meets(part, item) for part in node.parts)
        if node.kind == "or":
            return any(meets(part, item) for part in node.parts)
        return not meets(node.parts[0], item)
    found, value = node.get(item), node.value
    if isinstance(found, str) and not node.exact:
        found = found.casefold()
    match node.operator:
        case "eq":
            return bool(found == value)
        case "ne":
            return bool(found != value)
        case "startswith":
            return isinstance(found, str) and found.startswith(value)
        case "contains":
            return isinstance(found, str) and value in found
    if found is None or value is None:
        return False
    return bool(
        found > value
        if node.operator == "gt"
        else found >= value
        if node.operator == "ge"
        else found < value
        if node.operator == "lt"
        else found <= value
    )


def leaves(node: Node | None) -> list[Comparison]:
    """All comparisons in the order of the text."""
    if node is None:
        return []
    if isinstance(node, Comparison):
        return [node]
    return [leaf for part in node.parts for leaf in leaves(part)]


def conjuncts(node: Node | None) -> list[Node]:
    """The parts that must all hold."""
    if node is None:
        return []
    if isinstance(node, Group) and node.kind == "and":
        return [part for inner in node.parts for part in conjuncts(inner)]
    return [node]
