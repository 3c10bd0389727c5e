"""Path and query in, a page out: the part of Microsoft Graph v1.0 that a mailbox synchroniser reads.

Public sources: Graph v1.0 reference, "List messages", "message: delta", "List mailFolders", "JSON
batching". Pages with bodies carry one superset of properties (headers and attachment metadata included),
whatever else was selected; a $select of small properties alone is served light.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec

from bench.feed import query
from bench.feed.mailbox import ALIASES, IDS, Mailbox
from bench.feed.ribbon import Ribbon

_PARENS = re.compile(r"\('([^']*)'\)")
_MAILBOX = re.compile(r"/v1\.0/(?:me|users/[^/]+)(/.*)?")
_FOLDER = re.compile(
    r"/mailFolders/([^/]+)(/childFolders|/messages|/messages/(?:microsoft\.graph\.)?delta(?:\(\))?)?"
)
_PAGE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)
_CAP = 5000  # a delta with a filter ends after so many messages


@dataclass(frozen=True, slots=True)
class Answer:
    """`rounds` counts turns of Graph's four inner slots (one, except for a batch)."""

    body: bytes
    status: int = 200
    messages: int = 0
    rounds: int = 1
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A GET, as far as answers depend on it. `origin` is what links lead back to; `packed` allows gzip."""

    origin: str
    path: str
    query: str = ""
    prefer: str = ""
    packed: bool = False


def failure(*, status: int, code: str, message: str) -> Answer:
    """Graph's error body."""
    inner = {"date": "2026-01-01T00:00:00", "request-id": "00000000-0000-0000-0000-000000000000"}
    return Answer(status=status, body=_json({"error": {"code": code, "message": message, "innerError": inner}}))


class Desk:
    """Answers requests about one mailbox. Holds no state but the mailbox."""

    def __init__(self, *, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def answer(self, asked: Asked) -> Answer:
        """The answer to a GET; 400 and 404 where Graph, or this feeder, has none."""
        path = _PARENS.sub(lambda found: "/" + found[1], unquote(asked.path))
        found = _MAILBOX.fullmatch(path)
        rest = found[1] or "" if found else None
        try:
            made = None if rest is None else self._route(asked, rest.rstrip("/"))
        except query.Refused as error:
            return failure(status=400, code="BadRequest", message=str(error))
        if made is None:
            return failure(status=404, code="ResourceNotFound", message=f"Resource not found: {path}")
        return made

    def batch(self, *, asked: Asked, body: bytes) -> Answer:
        """POST /$batch of GETs: at most 20, answered four at a time."""
        wanted = msgspec.json.decode(body)["requests"]
        if len(wanted) > 20 or any(one["method"].upper() != "GET" for one in wanted):
            return failure(status=400, code="BadRequest", message="at most 20 requests, GET only")
        responses, messages = [], 0
        for one in wanted:
            path, _, text = ("/v1.0" + one["url"]).partition("?")
            prefer = str(one.get("headers", {}).get("Prefer", ""))
            made = self.answer(Asked(origin=asked.origin, path=path, query=text, prefer=prefer))
            messages += made.messages
            responses.append(
                {
                    "id": one["id"],
                    "status": made.status,
                    "headers": {"Content-Type": "application/json"},
                    "body": msgspec.Raw(made.body),
                }
            )
        return Answer(body=_json({"responses": responses}), messages=messages, rounds=-(-len(wanted) // 4))

    def _route(self, asked: Asked, rest: str) -> Answer | None:
        if rest == "":
            return Answer(body=_json(_PROFILE))
        if rest == "/mailFolders":
            return self._listed(asked, self.mailbox.folders())
        if rest == "/mailFolders/delta":
            link = f"{asked.origin}{asked.path}?%24deltatoken=folders"
            return self._listed(asked, [] if "deltatoken" in asked.query else self.mailbox.folders(), delta=link)
        if rest == "/messages":
            return self._messages(asked, inbox=True)
        if rest.startswith("/messages/") and rest.count("/") == 2:
            return self._single(rest.rpartition("/")[2])
        found = _FOLDER.fullmatch(rest)
        folder = self.mailbox.folder(name=found[1]) if found else None
        if found is None or folder is None:
            return None
        inbox = folder["id"] == IDS["inbox"]
        match found[2]:
            case None:
                return Answer(body=_json({"@odata.context": f"{asked.origin}/v1.0/$metadata#mailFolder", **folder}))
            case "/childFolders":
                root = folder["id"] == ALIASES["msgfolderroot"]
                return self._listed(asked, self.mailbox.folders() if root else [])
            case "/messages":
                return self._messages(asked, inbox=inbox)
            case _:
                return self._delta(asked, inbox=inbox)

    def _listed(self, asked: Asked, value: list[dict[str, Any]], *, delta: str = "") -> Answer:
        links = {"@odata.deltaLink": delta} if delta else {}
        return Answer(
            body=_json({"@odata.context": f"{asked.origin}/v1.0/$metadata#Collection", "value": value, **links})
        )

    def _single(self, wanted: str) -> Answer:
        place = self.mailbox.places.get(wanted)
        if place is None:
            return failure(
                status=404,
                code="ErrorItemNotFound",
                message="The specified object was not found in the store.",
            )
        return Answer(body=self.mailbox.full.plain[place], messages=1)

    def _messages(self, asked: Asked, *, inbox: bool) -> Answer:
        wanted = query.options(query=asked.query)
        first, end = self.mailbox.span(since=wanted.since, before=wanted.before) if inbox else (0, 0)
        start = max(first, end - 1) if wanted.oldest else min(first + wanted.skip, end)
        stop = min(start + wanted.top, end)
        extra: dict[str, Any] = {"@odata.count": end - first} if wanted.count else {}
        links = {}
        if stop < end:
            pairs = [(name, value) for name, value in parse_qsl(asked.query) if name.lower() != "$skip"]
            text = urlencode([*pairs, ("$skip", str(wanted.skip + wanted.top))])
            links = {"@odata.nextLink": f"{asked.origin}{asked.path}?{text}"}
        ribbon = self.mailbox.full if wanted.full else self.mailbox.light
        return self._page(asked, ribbon, start=start, stop=stop, extra=extra, links=links)

    def _delta(self, asked: Asked, *, inbox: bool) -> Answer:
        given = {name.lower(): value for name, value in parse_qsl(asked.query)}
        size = int(found[1]) if (found := _PAGE.search(asked.prefer)) else 10
        token = given.get("$skiptoken") or given.get("$deltatoken")
        if token is None:
            wanted = query.options(query=asked.query)
            start, end = self.mailbox.span(since=wanted.since, before=None) if inbox else (0, 0)
            end = end if wanted.since is None else min(end, start + _CAP)
            kind = "f" if wanted.full else "l"
        else:
            kind, _, places = token.partition(".")
            start, end = (int(one) for one in places.split("."))
        stop = min(start + max(1, size), end)
        name = "nextLink" if stop < end else "deltaLink"
        rest = f"%24skiptoken={kind}.{stop}.{end}" if stop < end else f"%24deltatoken={kind}.{end}.{end}"
        links = {f"@odata.{name}": f"{asked.origin}{asked.path}?{rest}"}
        ribbon = self.mailbox.full if kind == "f" else self.mailbox.light
        return self._page(asked, ribbon, start=start, stop=stop, extra={}, links=links)

    def _page(
        self,
        asked: Asked,
        ribbon: Ribbon,
        *,
        start: int,
        stop: int,
        extra: Mapping[str, Any],
        links: Mapping[str, str],
    ) -> Answer:
        context = {"@odata.context": f"{asked.origin}/v1.0/$metadata#Collection(message)", **extra, **links}
        head = _json(context)[:-1] + b',"value":['
        build = ribbon.packed_page if asked.packed else ribbon.page
        body = build(head=head, start=start, stop=stop, tail=b"]}")
        return Answer(body=body, messages=stop - start, packed=asked.packed)


_PROFILE = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users/$entity",
    "id": "6ea91a8d-0000-4000-8000-00000000be4c",
    "displayName": "Ana Bench",
    "givenName": "Ana",
    "surname": "Bench",
    "mail": "ana@bench.example",
    "userPrincipalName": "ana@bench.example",
    "jobTitle": None,
    "mobilePhone": None,
    "businessPhones": [],
    "officeLocation": None,
    "preferredLanguage": "en",
}


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
