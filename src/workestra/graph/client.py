"""One request to Graph: a typed struct, or a typed error.

Promises: nothing leaves that `allowlist` does not name; the token goes to the base address's host alone and
no redirect is followed; every request asks for immutable ids and gzip and carries an id of its own; every
wait is bounded, and so is every body. A 401 is answered with a fresh token once. What is throttled or broken
is not tried again here, but for one GET whose connection died before its first byte: how long to wait is for
flows to decide.

Graph: "Use the Microsoft Graph API", "Get immutable identifiers for Outlook resources".
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import httpx2

from . import allowlist, wire
from .answers import refusal
from .auth import TokenSource
from .decoding import decode, unpacked
from .errors import CursorExpired, Forbidden, TooLarge, Unreachable
from .exchange import Call, Download, Exchange, Query, encoded, with_query

T = TypeVar("T")
_ABSOLUTE = re.compile(r"[A-Za-z]+://[^/?]+(/.*)", re.DOTALL)

BODY_CAP = 64 * 1024 * 1024
"""Bytes of one decoded answer; streams have no cap."""
LARGE = 1 << 18
"""Bytes from which an answer is decoded in a thread, so that the loop keeps its sockets busy meanwhile."""
DEADLINE = 120.0
"""Seconds for the headers of an answer, and again for its body, however slowly they drip."""
QUICK_RETRY_PAUSE = 0.1
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="decode")  # each holds a whole page in memory


class Graph:
    """Graph as one signed-in person may use it. Cheap to make; `http` is shared and closed by its owner."""

    def __init__(
        self,
        *,
        base_url: str,
        tokens: TokenSource,
        http: httpx2.AsyncClient,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        on_exchange: Callable[[Exchange], None] | None = None,
        body_cap: int = BODY_CAP,
        deadline: float = DEADLINE,
    ) -> None:
        self._base = httpx2.URL(base_url.rstrip("/"))
        self._base_path = self._base.raw_path.decode().rstrip("/")
        self._origin = _origin(urlsplit(base_url))
        self._tokens = tokens
        self._http = http
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._new_id = new_id
        self._on_exchange = on_exchange
        self._body_cap = body_cap
        self._deadline = deadline

    @property
    def now(self) -> datetime:
        """The moment, as this client was told to see it: for answers that carry no date."""
        return self._now()

    async def get(
        self,
        *,
        path: str,
        kind: type[T],
        query: Query | None = None,
        prefer: Sequence[str] = (),
        arrived: Callable[[], None] | None = None,
    ) -> T:
        """What `path` ("/me/messages") answers, as `kind`. Query values are encoded here.

        `arrived` is called once the bytes of the answer are here: the request is over then, decoding it is not.
        """
        call = self._call("GET", path, query=query, prefer=prefer)
        call.arrived = arrived
        return await self._struct(await self._fetch(call), kind)

    async def follow(
        self, *, link: str, kind: type[T], prefer: Sequence[str] = (), arrived: Callable[[], None] | None = None
    ) -> T:
        """What a next or delta link answers; the link is used exactly as Graph wrote it. `arrived`: as in `get`.

        Raises `CursorExpired` for a link that does not lead below our base address: it is never asked.
        """
        if not self.is_ours(link):
            raise CursorExpired(code="foreignLink", message="the stored link leads somewhere else")
        call = Call("GET", self._path(link), _target(link), tuple(prefer), arrived=arrived)
        answer = await self._struct(await self._fetch(call), kind)
        if isinstance(answer, wire.Page) and answer.next_link == link:
            raise Unreachable(code="loopingLink", message="the page's next link leads to the page itself")
        return answer

    async def send(
        self,
        *,
        method: str,
        path: str,
        kind: type[T],
        body: object = None,
        prefer: Sequence[str] = (),
        carried: int = 0,
    ) -> T:
        """Sends `body` as JSON (nothing where it is None) and gives the answer as `kind`.

        `carried`: how many requests a batch holds.
        """
        call = self._call(method, path, prefer=prefer, body=body)
        call.carried = carried
        return await self._struct(await self._fetch(call), kind)

    async def command(self, *, method: str, path: str, body: object = None) -> None:
        """As `send`, where the answer's body does not matter."""
        await self._fetch(self._call(method, path, body=body))

    @asynccontextmanager
    async def stream(self, *, path: str) -> AsyncIterator[Download]:
        """The raw bytes of `path`, as they come: `async with graph.stream(path=…) as download`."""
        call = self._call("GET", path)
        response = await self._open(call)
        size = response.headers.get("content-length", "")
        encoded = "content-encoding" in response.headers
        try:
            yield Download(
                content_type=response.headers.get("content-type", "application/octet-stream"),
                size=int(size) if size.isascii() and size.isdigit() and not encoded else None,
                chunks=self._chunks(response),
            )
        finally:
            await response.aclose()
            self._tell(call, response=response, size=response.num_bytes_downloaded)

    def is_ours(self, link: str) -> bool:
        """Whether a link has our scheme, host and port, lies below the base address and is one that we may
        ask.
        """
        if not link.isascii() or not link.isprintable() or set(link) & set('\\ "<>#'):
            return False
        try:
            url = urlsplit(link)
            allowlist.check(method="GET", path=self._path(link))
            ours = url.username is None and _origin(url) == self._origin
        except (ValueError, Forbidden):
            return False
        return ours

    def _path(self, link: str) -> str:
        """The path of a link below the base address; "" where it does not lie there."""
        path = _target(link).partition("?")[0]
        return path.removeprefix(self._base_path) if path.startswith(f"{self._base_path}/") else ""

    async def _struct(self, body: bytes, kind: type[T]) -> T:
        if len(body) < LARGE:
            return self.checked(decode(body=body, kind=kind))
        return self.checked(await _in_thread(lambda: decode(body=body, kind=kind)))

    def checked(self, answer: T) -> T:
        """The same struct; raises `Unreachable` for a page that would lead to somebody else's server."""
        if isinstance(answer, wire.Page):
            for link in (answer.next_link, answer.delta_link):
                if link is not None and not self.is_ours(link):
                    raise Unreachable(code="foreignLink", message="the page's link leads somewhere else")
        return answer

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        prefer: Sequence[str] = (),
        body: object = None,
    ) -> Call:
        target = self._base_path + with_query(path=path, query=query)
        return Call(method, path, target, tuple(prefer), encoded(body))

    async def _fetch(self, call: Call) -> bytes:
        response = await self._open(call)
        body = await self._read(call, response, arrived=call.arrived)
        self._tell(call, response=response, size=len(body))
        return body

    async def _open(self, call: Call) -> httpx2.Response:
        """A successful answer whose body is still to be read; anything else is raised."""
        allowlist.check(method=call.method, path=call.path, body=call.body or b"")
        token = await self._tokens.token()
        refused_before = False
        while True:
            response = await self._knock(call, token)
            if response.is_success:
                return response
            body = await self._read(call, response)
            self._tell(call, response=response, size=len(body))
            error = refusal(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=body,
                now=self._now(),
                reading=call.method == "GET",
                challenges=response.headers.get_list("www-authenticate"),
                client_request_id=call.client_request_id,
            )
            challenged = error.claims is not None or error.code == "insufficient_claims"
            if response.status_code != 401 or challenged or refused_before:
                raise error
            refused_before = True
            token = await self._tokens.token(stale=token)

    async def _knock(self, call: Call, token: str) -> httpx2.Response:
        """Sends; once more where the line of a GET died before the first byte of an answer."""
        for last in (False, True):
            call.client_request_id = self._new_id()
            call.started = self._monotonic()
            request = call.request(base=self._base, token=token)
            try:
                async with asyncio.timeout(self._deadline):
                    return await self._http.send(request, stream=True, auth=None, follow_redirects=False)
            except asyncio.CancelledError:
                self._tell(call)  # it may have left: it counts
                raise
            except (httpx2.RequestError, TimeoutError) as error:
                self._tell(call)
                died = isinstance(error, (httpx2.NetworkError, httpx2.RemoteProtocolError))
                if last or call.method != "GET" or not died:
                    raise self._unreachable(call, error) from error
            await self._sleep(QUICK_RETRY_PAUSE)
        raise AssertionError  # pragma: no cover

    async def _read(
        self, call: Call, response: httpx2.Response, *, arrived: Callable[[], None] | None = None
    ) -> bytes:
        parts: list[bytes] = []
        size = 0
        packed = response.headers.get("content-encoding") == "gzip" and not response.is_closed
        chunks = response.aiter_raw() if packed else response.aiter_bytes()
        try:
            async with asyncio.timeout(self._deadline):
                async for part in chunks:
                    size += len(part)
                    if size > self._body_cap:
                        raise TooLarge(code="bodyTooLarge", message=f"the answer is over {self._body_cap} bytes")
                    parts.append(part)
        except asyncio.CancelledError:
            self._tell(call, response=response, size=size)
            raise
        except (httpx2.RequestError, TimeoutError) as error:
            self._tell(call, response=response, size=size)
            raise self._unreachable(call, error, status=response.status_code) from error
        finally:
            await response.aclose()
        if arrived is not None:
            arrived()
        body = b"".join(parts)
        if not packed:
            return body
        if size < LARGE // 4:
            return unpacked(body=body, cap=self._body_cap)
        return await _in_thread(lambda: unpacked(body=body, cap=self._body_cap))

    async def _chunks(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        except httpx2.RequestError as error:
            raise Unreachable(code="cutLine", message=type(error).__name__, status=response.status_code) from error

    def _unreachable(self, call: Call, error: Exception, status: int | None = None) -> Unreachable:
        timed_out = isinstance(error, (httpx2.TimeoutException, TimeoutError))
        unreachable = Unreachable(
            code="timeout" if timed_out else "cutLine",
            message=type(error).__name__,
            status=status,
            client_request_id=call.client_request_id,
        )
        unreachable.never_left = isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout))
        return unreachable

    def _tell(self, call: Call, *, response: httpx2.Response | None = None, size: int = 0) -> None:
        if self._on_exchange is None:
            return
        self._on_exchange(
            Exchange(
                method=call.method,
                path=call.path,
                status=response.status_code if response is not None else None,
                seconds=self._monotonic() - call.started,
                size=size,
                request_id=response.headers.get("request-id") if response is not None else None,
                client_request_id=call.client_request_id,
                carried=call.carried,
            )
        )


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address. Raises ValueError for a port that is none."""
    return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_pool, work)


def _target(link: str) -> str:
    """Path and query of an absolute link, as written; "" where there is no path."""
    found = _ABSOLUTE.match(link)
    return found[1] if found else ""
