"""A request as the handlers see it, and what they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import GraphError, bad_request

if TYPE_CHECKING:
    from ..mailbox import Mailbox
    from ..world import Access, World


def iso(moment: datetime) -> str:
    """A UTC moment in whole seconds with Z."""
    return moment.isoformat()[:19] + "Z"


def encode(value: Any) -> bytes:
    """A value as JSON. Halves of surrogate pairs, which odd mail can hold and UTF-8 cannot, become question marks."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_repaired(value))


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _repaired(part) for name, part in value.items()}
    return [_repaired(part) for part in value] if isinstance(value, list | tuple) else value


@dataclass(slots=True)
class Reply:
    """`body` is bytes as they go out, or an object to be written as JSON. `messages` is what latency counts."""

    status: int = 200
    body: bytes | dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    messages: int = 0
    content_type: str = ""
    _encoded: bytes | None = None

    def payload(self) -> bytes:
        """The bytes of the answer; written once."""
        if isinstance(self.body, bytes):
            return self.body
        if self._encoded is None:
            self._encoded = b"" if self.body is None else encode(self.body)
        return self._encoded

    def kind(self) -> str:
        """The content type of the answer."""
        if self.content_type or self.body is None:
            return self.content_type
        return "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


class Preferences:
    """The Prefer headers (RFC 7240): what Graph knows of them, and which of them this answer applied."""

    def __init__(self, values: Iterable[str]) -> None:
        self.immutable = False
        self.body_type: str | None = None
        self.page_size: int | None = None
        self._applied: list[str] = []
        for part in _split(",".join(values)):
            name, _, value = part.partition("=")
            name, value = name.strip().casefold(), value.strip().strip('"')
            if name == "idtype" and value.casefold() == "immutableid":
                self.immutable = True
                self.applied('IdType="ImmutableId"')
            elif name == "outlook.body-content-type" and value.casefold() in ("text", "html"):
                self.body_type = value.casefold()
                self.applied(f'outlook.body-content-type="{self.body_type}"')
            elif name == "odata.maxpagesize" and value.isdigit() and int(value) > 0:
                self.page_size = min(int(value), 1000)
        self.tokens = {part.strip().casefold() for part in _split(",".join(values))}

    def applied(self, preference: str) -> None:
        """Say in the answer that a preference was followed."""
        if preference not in self._applied:
            self._applied.append(preference)

    def header(self) -> str:
        """The value of Preference-Applied; empty when none was."""
        return ", ".join(self._applied)


def _split(text: str) -> list[str]:
    """Split at commas that stand outside quotes."""
    parts, current, quoted = [], "", False
    for letter in text:
        quoted ^= letter == '"'
        if letter == "," and not quoted:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [part.strip() for part in (*parts, current) if part.strip()]


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in: raw path below the version, raw query, header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    content: bytes
    base: str
    batched: bool = False


async def _never(call: Call) -> Reply:
    raise NotImplementedError(call.path)


@dataclass
class Request:
    """One Graph request. `query` is decoded pairs in order, `base` the scheme, host and version of its links."""

    world: World
    method: str
    segments: list[str]
    query: list[tuple[str, str]]
    headers: dict[str, str]
    content: bytes
    base: str
    access: Access
    prefer: Preferences
    batched: bool = False
    box: Mailbox | None = None  # the mailbox it is about, once that is known
    keys: dict[str, str] = field(default_factory=dict)
    again: Callable[[Call], Awaitable[Reply]] = _never  # serves another request with the same token: $batch

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises GraphError."""
        if not self.content:
            raise bad_request("Empty Payload. JSON content expected.", "BadRequest")
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise GraphError(
                415,
                "RequestBodyRead",
                f"A supported MIME type could not be found that matches the content type of the request: '{kind}'.",
            )
        try:
            value = msgspec.json.decode(self.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and "
                "payload is of valid JSON format."
            ) from problem
        if not isinstance(value, dict):
            raise bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and "
                "payload is of valid JSON format."
            )
        return value

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox of a mailbox request."""
        assert self.box is not None
        return self.box

    @property
    def root(self) -> str:
        """The path of the mailbox in links: "me", or "users/..." as it was asked."""
        return "me" if self.segments[0].casefold() == "me" else f"users/{self.segments[1]}"

    def context(self, tail: str) -> str:
        """The @odata.context of an answer; `tail` follows users('...')."""
        who = self.access.person.id if self.root == "me" else self.segments[1]
        return f"{self.base}/$metadata#users('{who.replace('@', '%40')}')/{tail}"


Handler = Callable[[Request], Any]
