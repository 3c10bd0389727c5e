"""The query options of a message list, read strictly: what is not understood is refused, never ignored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from bench.feed.mailbox import second
from bench.feed.messages import LIGHT

_CLAUSE = re.compile(r"receivedDateTime (ge|gt|le|lt) '?([0-9T:.Z+\-]+)'?", re.IGNORECASE)
_KNOWN = {
    "$top",
    "$skip",
    "$filter",
    "$orderby",
    "$count",
    "$select",
    "$expand",
    "includehiddenfolders",
    "changetype",
}


class Refused(Exception):
    """The request is not one that this feeder knows how to answer: 400 with these words."""


@dataclass(frozen=True, slots=True)
class Options:
    """`since` and `before` are Unix seconds: since <= received < before. `full` asks for bodies."""

    top: int = 10
    skip: int = 0
    since: int | None = None
    before: int | None = None
    count: bool = False
    full: bool = True
    oldest: bool = False


def options(*, query: str) -> Options:
    """Read a query string. Refused: an unknown option, a filter on anything but receivedDateTime, a bad number."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    given = {name.lower(): value for name, value in given.items()}
    if strange := set(given) - _KNOWN:
        raise Refused(f"unknown query options: {sorted(strange)}")
    order = given.get("$orderby", "receivedDateTime desc").strip().lower()
    try:
        top, skip = int(given.get("$top", "10")), int(given.get("$skip", "0"))
    except ValueError as error:
        raise Refused(str(error)) from None
    oldest = order in ("receiveddatetime", "receiveddatetime asc") and top == 1 and skip == 0
    if order != "receiveddatetime desc" and not oldest:
        raise Refused(f"$orderby {order!r}: only receivedDateTime desc is served, and the one oldest message")
    if not 1 <= top <= 1000 or skip < 0:
        raise Refused("$top is 1 to 1000, $skip is 0 or more")
    since, before = _range(given.get("$filter", ""))
    select = given.get("$select", "")
    chosen = {name.strip() for name in select.split(",") if name.strip()}
    return Options(
        top=top,
        skip=skip,
        since=since,
        before=before,
        count=given.get("$count", "").lower() == "true",
        full=not chosen or not chosen <= LIGHT,
        oldest=oldest,
    )


def _range(text: str) -> tuple[int | None, int | None]:
    since = before = None
    for clause in filter(None, re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE)):
        found = _CLAUSE.fullmatch(clause.strip().strip("()"))
        if found is None:
            raise Refused(f"$filter {clause!r}: only receivedDateTime is served")
        try:
            at = second(found[2])
        except ValueError as error:
            raise Refused(str(error)) from None
        match found[1].lower():
            case "ge":
                since = at
            case "gt":
                since = at + 1
            case "lt":
                before = at
            case _:
                before = at + 1
    return since, before
