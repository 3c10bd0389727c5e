"""Several requests in one: at most twenty, each with its own outcome.

Graph: "Combine multiple HTTP requests using JSON batching". The outer 200 says nothing about the inner ones:
each is throttled, refused or missing alone, and comes back as a struct or as the error that it would have
raised.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from .answers import refusal
from .client import Graph
from .decoding import decode
from .errors import GraphError, SignInNeeded, Unreachable
from .exchange import IMMUTABLE_IDS, Query, with_query
from .wire import BatchAnswer, BatchItem

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Generic[T_co]):
    """One request of a batch; `path` and `query` as in `Graph.get`."""

    path: str
    kind: type[T_co]
    query: Query | None = None
    method: str = "GET"
    body: object = None
    prefer: tuple[str, ...] = ()

    def item(self, number: int) -> dict[str, Any]:
        headers = {"Prefer": ", ".join((IMMUTABLE_IDS, *self.prefer))}
        item = {"id": str(number), "method": self.method, "url": with_query(path=self.path, query=self.query)}
        if self.body is None:
            return {**item, "headers": headers}
        return {**item, "headers": {**headers, "Content-Type": "application/json"}, "body": self.body}


async def batch(graph: Graph, *, asks: Sequence[Ask[T]]) -> list[T | GraphError]:
    """The outcome of each ask, in their order.

    Raises what the outer request raises, and `SignInNeeded` if every ask got that.

    An inner 401 without claims may be one bad backend: those asks are sent once more, alone, in a second
    batch.
    """
    if len(asks) > MOST:
        raise ValueError(f"a batch holds at most {MOST} requests")
    if not asks:
        return []
    outcomes = await _once(graph, asks)
    doubtful = [n for n, outcome in enumerate(outcomes) if _spurious(outcome)]
    if doubtful:
        again = await _once(graph, [asks[n] for n in doubtful])
        for number, outcome in zip(doubtful, again, strict=True):
            outcomes[number] = outcome
    first = outcomes[0]
    if isinstance(first, SignInNeeded) and all(isinstance(outcome, SignInNeeded) for outcome in outcomes):
        raise first
    return outcomes


def _spurious(outcome: object) -> bool:
    return isinstance(outcome, SignInNeeded) and outcome.status == 401 and outcome.claims is None


async def _once(graph: Graph, asks: Sequence[Ask[T]]) -> list[T | GraphError]:
    requests = {"requests": [ask.item(number) for number, ask in enumerate(asks)]}
    answer = await graph.send(method="POST", path="/$batch", kind=BatchAnswer, body=requests, carried=len(asks))
    items = {item.id: item for item in answer.responses}

    def outcome(ask: Ask[T], item: BatchItem | None) -> T | GraphError:
        if item is None:
            return Unreachable(code="missingInBatch", message="the batch came back without this answer")
        if not 200 <= item.status < 300:
            return _refusal(graph, item, reading=ask.method == "GET")
        try:
            return graph.checked(decode(body=_plain(bytes(item.body)), kind=ask.kind))
        except Unreachable as error:
            return error

    return [outcome(ask, items.get(str(number))) for number, ask in enumerate(asks)]


def _refusal(graph: Graph, item: BatchItem, *, reading: bool) -> GraphError:
    headers = {name.lower(): value for name, value in (item.headers or {}).items()}
    return refusal(
        status=item.status,
        headers=headers,
        body=_plain(bytes(item.body)),
        now=graph.now,
        reading=reading,
        challenges=[headers[name] for name in ("www-authenticate",) if name in headers],
    )


def _plain(body: bytes) -> bytes:
    """Bodies that are not JSON come as a base64 string."""
    if not body.startswith(b'"'):
        return body
    try:
        return base64.b64decode(msgspec.json.decode(body, type=str), validate=True)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return body
