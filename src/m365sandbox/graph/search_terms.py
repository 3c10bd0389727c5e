"""$search: a small part of KQL, enough for words and for from:, to:, subject:, body: and their kin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..folders import Folder
from ..mailbox import Item, Mailbox
from .bodies import to_text
from .errors import bad_request
from .message_view import author

MOST = 250
_TERM = re.compile(r'(?:(\w+):)?(?:\\?"([^"\\]*)\\?"|(\S+))')
PROPERTIES = ("from", "to", "cc", "bcc", "participants", "recipients", "subject", "body", "attachment")


def terms(text: str) -> list[tuple[str, str]]:
    """(property or "", word) of each term; all must be found. Raises GraphError."""
    inner = text.strip()
    if len(inner) < 2 or inner[0] != '"' or inner[-1] != '"':
        raise bad_request(f"Syntax error: character '{inner[:1]}' is not valid at position 0 in '{text}'.")
    found = []
    for name, quoted, bare in _TERM.findall(inner[1:-1]):
        if name and name.casefold() not in PROPERTIES:
            raise bad_request(f"Syntax error: property '{name}' is not searchable in '{text}'.")
        if (quoted or bare).upper() != "AND":
            found.append((name.casefold(), (quoted or bare).casefold()))
    if not found:
        raise bad_request(f"Syntax error: no search term in '{text}'.")
    return found


def _texts(item: Item, property_: str) -> Iterator[str]:
    letter = item.letter
    sender = author(letter)
    if property_ in ("", "from", "participants") and sender is not None:
        yield f"{sender.name} {sender.address}"
    for name, people in (("to", letter.to), ("cc", letter.cc), ("bcc", letter.bcc)):
        if property_ in ("", name, "participants", "recipients"):
            yield from (f"{one.name} {one.address}" for one in people)
    if property_ in ("", "subject"):
        yield letter.subject
    if property_ in ("", "attachment"):
        yield from (one.name for one in letter.enclosures)
    if property_ == "":
        yield letter.preview()
    if property_ == "body":
        kind, content = letter.body()
        yield to_text(content) if kind == "html" else content


def found(box: Mailbox, folder: Folder | None, text: str) -> list[Item]:
    """At most 250 items, newest sent first."""
    wanted = terms(text)
    index = box.everything if folder is None else folder.index
    hits: list[Item] = []
    for item in reversed(index.items()):
        if all(any(word in part.casefold() for part in _texts(item, name)) for name, word in wanted):
            hits.append(item)
            if len(hits) == MOST:
                break
    return sorted(hits, key=lambda item: item.letter.sent_at, reverse=True)
