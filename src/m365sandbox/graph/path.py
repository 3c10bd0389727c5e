"""Graph's paths: segments, keys in brackets, and the table of what exists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from .errors import bad_request, method_not_allowed, unknown_segment
from .wire import Handler

_KEYED = re.compile(r"^([A-Za-z0-9_.$]+)\((.*)\)$", re.DOTALL)


def split(path: str) -> list[str]:
    """The decoded segments of a raw path; `mailFolders('x')` becomes two, `microsoft.graph.delta()` becomes delta."""
    segments: list[str] = []
    for raw in path.strip("/").split("/"):
        if raw == "":
            continue
        text = unquote(raw)
        keyed = _KEYED.match(text)
        if keyed is None:
            segments.append(text.removeprefix("microsoft.graph."))
            continue
        name, key = keyed.group(1).removeprefix("microsoft.graph."), keyed.group(2)
        segments.append(name)
        if key:
            if len(key) < 2 or key[0] != "'" or key[-1] != "'":
                raise bad_request(f"Error in query syntax: '{text}'.", "RequestBroker--ParseUri")
            segments.append(key[1:-1].replace("''", "'"))
    return segments


@dataclass(slots=True)
class _Node:
    """One step of the tree of paths."""

    literals: dict[str, _Node]
    key: tuple[str, _Node] | None
    handlers: dict[str, Handler]


class Router:
    """Paths as a tree of literals (any letter case) and keys; `{name}` in a pattern is a key."""

    def __init__(self) -> None:
        self._top = _Node({}, None, {})

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Register a handler."""
        node = self._top
        for part in pattern.split("/"):
            if part.startswith("{"):
                if node.key is None:
                    node.key = (part[1:-1], _Node({}, None, {}))
                node = node.key[1]
            else:
                node = node.literals.setdefault(part.casefold(), _Node({}, None, {}))
        node.handlers[method] = handler

    def find(self, method: str, segments: list[str]) -> tuple[Handler, dict[str, str]]:
        """The handler and the keys of a request. Raises GraphError as Graph does for paths that it has not."""
        node, keys = self._top, {}
        for segment in segments:
            literal = node.literals.get(segment.casefold())
            if literal is not None:
                node = literal
            elif node.key is not None:
                keys[node.key[0]] = segment
                node = node.key[1]
            else:
                raise unknown_segment(segment)
        if not node.handlers:
            raise unknown_segment(segments[-1] if segments else "")
        handler = node.handlers.get(method)
        if handler is None:
            raise method_not_allowed()
        return handler, keys
