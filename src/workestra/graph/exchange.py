"""One request on its way to Graph: what is asked, what is told to logs, what is streamed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx2
import msgspec

from .errors import Refused

IMMUTABLE_IDS = 'IdType="ImmutableId"'
TIMEOUTS = httpx2.Timeout(connect=10.0, read=60.0, write=60.0, pool=30.0)
QUERY_SAFE = "$(),'=:;/@*-._~"

Query = Mapping[str, str | int]

_NO_ID = re.compile(r"[\x00-\x1f\x7f/\\%]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, for logs: no query, no token, no content.

    `status` is None where no answer came. `size` is the bytes of the decoded body.
    `carried`: the requests of a batch.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    size: int
    request_id: str | None
    client_request_id: str
    carried: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Bytes on their way. `size` is what the answer announced, if anything."""

    content_type: str
    size: int | None
    chunks: AsyncIterator[bytes]


@dataclass(slots=True)
class Call:
    """A request, still without a token. `path` lies below the base address, `target` is what goes on the
    wire. `arrived` is called once all bytes of a successful answer are here, before they are unpacked and decoded.
    """

    method: str
    path: str
    target: str
    prefer: tuple[str, ...] = ()
    body: bytes | None = None
    carried: int = 0
    arrived: Callable[[], None] | None = None
    client_request_id: str = ""
    started: float = 0.0

    def request(self, *, base: httpx2.URL, token: str) -> httpx2.Request:
        """The HTTP request, with the target on the wire byte for byte: Graph's links do not survive re-
        encoding.
        """
        headers = {
            "Accept": "*/*" if self.path.endswith("/$value") else "application/json",
            "Accept-Encoding": "gzip",
            "Authorization": f"Bearer {token}",
            "Prefer": ", ".join((IMMUTABLE_IDS, *self.prefer)),
            "User-Agent": "Workestra",
            "client-request-id": self.client_request_id,
            "return-client-request-id": "true",
        }
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        target = self.target.encode()
        url = base.copy_with(raw_path=target)
        extensions: dict[str, object] = {"timeout": TIMEOUTS.as_dict()}
        if url.raw_path != target:
            extensions["target"] = target
        return httpx2.Request(self.method, url, headers=headers, content=self.body, extensions=extensions)


def with_query(*, path: str, query: Query | None) -> str:
    """`path` and its query, each value encoded as OData wants it (a space is %20, never +)."""
    asked = "&".join(f"{name}={quote(str(value), safe=QUERY_SAFE)}" for name, value in (query or {}).items())
    return f"{path}?{asked}" if asked else path


def encoded(body: object) -> bytes | None:
    """JSON, or nothing at all for None."""
    return None if body is None else msgspec.json.encode(body)


def segment(value: str) -> str:
    """An id, a name or an address as one segment of a path.

    Raises `Refused` for what can be none of these: ids come from notices too, and those anybody may write.
    """
    if value in {"", ".", ".."} or _NO_ID.search(value):
        raise Refused(code="ErrorInvalidIdMalformed", message="this cannot be an id", status=400)
    return quote(value, safe="")
