"""The sign-in service as it describes itself: endpoints, issuer, signing keys, fetched when needed and kept.

Documents are kept for a day and keys are fetched again when a token names an unknown one (they roll without
notice): a few times at once, so that nobody is refused while keys roll, and once a minute after that, so that
made-up tokens cannot make us a nuisance. While the service is away, what is known goes on being used.
OpenID Connect Discovery 1.0; RFC 7517.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
import msgspec

from .errors import Throttled, Unreachable
from .throttle import http_date, parse_retry_after

KEEP = 86_400.0
DEADLINE = 60.0
REFETCHES = 5
"""How often keys may be fetched in a row; one more is earned in each REFETCH_PAUSE, in seconds."""
REFETCH_PAUSE = 60.0
ANSWER_CAP = 1024 * 1024
TIMEOUTS = httpx2.Timeout(connect=10.0, read=30.0, write=30.0, pool=30.0)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SHARED = {"common", "organizations", "consumers"}
"""Tenant names in a path that stand for many tenants, or for none."""


@dataclass(frozen=True, slots=True)
class Document:
    """What the service announces of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None


class Authority:
    """One authority, such as https://login.microsoftonline.com/common. Plain http is for loopback alone."""

    def __init__(self, *, url: str, http: httpx2.AsyncClient, monotonic: Callable[[], float]) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        self.tenant = parts.path.strip("/").partition("/")[0]
        if not is_safe(self.url) or not self.tenant:
            raise ValueError(f"An authority is https://host/tenant; http is for loopback only: {url}")
        self._http = http
        self._monotonic = monotonic
        self._document: Document | None = None
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._document_at = self._keys_at = -KEEP
        self._refetches, self._earned_at = float(REFETCHES), self._monotonic()
        self._fetching = asyncio.Lock()

    async def document(self) -> Document:
        """The announced endpoints. Raises `Unreachable` or `Throttled` where none were ever seen."""
        if self._document is not None and self._monotonic() - self._document_at < KEEP:
            return self._document
        try:
            self._document = await self._fetch_document()
        except (Unreachable, Throttled):
            if self._document is None:
                raise
            self._document_at += REFETCH_PAUSE
        else:
            self._document_at = self._monotonic()
        return self._document

    async def key(self, key_id: str) -> Mapping[str, Any] | None:
        """The signing key of that name; None where the service publishes none such."""
        if not self._knows(key_id):
            async with self._fetching:
                if not self._knows(key_id) and self._may_fetch():
                    await self._fetch_keys()
        return self._keys.get(key_id)

    def _knows(self, key_id: str) -> bool:
        return key_id in self._keys and self._monotonic() - self._keys_at <= KEEP

    def _may_fetch(self) -> bool:
        """Spend one of the fetches that are left; they come back with time."""
        now = self._monotonic()
        self._refetches = min(float(REFETCHES), self._refetches + (now - self._earned_at) / REFETCH_PAUSE)
        self._earned_at = now
        if self._refetches < 1:
            return False
        self._refetches -= 1
        return True

    async def _fetch_keys(self) -> None:
        try:
            document = await self.document()
            answer = await self.ask(httpx2.Request("GET", document.jwks_uri))
        except (Unreachable, Throttled):
            if self._keys:
                return
            self._refetches += 1
            raise
        listed = answer.get("keys")
        self._keys = {
            key["kid"]: key
            for key in (listed if isinstance(listed, list) else [])
            if isinstance(key, dict) and key.get("kty") == "RSA" and isinstance(key.get("kid"), str)
        }
        self._keys_at = self._monotonic()

    async def _fetch_document(self) -> Document:
        answer = await self.ask(httpx2.Request("GET", f"{self.url}/v2.0/.well-known/openid-configuration"))
        try:
            document = msgspec.convert(answer, Document)
        except msgspec.ValidationError as error:
            raise Unreachable(code="malformedAnswer", message="the authority does not describe itself") from error
        for endpoint in (document.authorization_endpoint, document.token_endpoint, document.jwks_uri):
            if not is_safe(endpoint):
                raise Unreachable(code="unsafeEndpoint", message="the authority names an endpoint that is not https")
        return document

    async def ask(self, request: httpx2.Request, *, refusals: bool = False) -> dict[str, Any]:
        """The JSON object of a 200, and with `refusals` of a 4xx too. Raises `Unreachable` or `Throttled`."""
        request.extensions["timeout"] = TIMEOUTS.as_dict()
        try:
            async with asyncio.timeout(DEADLINE):
                response = await self._http.send(request, stream=True, auth=None, follow_redirects=False)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except (httpx2.RequestError, TimeoutError) as error:
            raise Unreachable(code="cutLine", message=type(error).__name__) from error
        status = response.status_code
        wait = parse_retry_after(
            value=response.headers.get("retry-after"), now=http_date(response.headers.get("date"))
        )
        if status == 429 or (status >= 500 and wait is not None):
            raise Throttled(code="signInThrottled", message="busy", status=status, retry_after=wait)
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError) as error:
            raise Unreachable(code="malformedAnswer", message="the answer is not JSON", status=status) from error
        if not isinstance(answer, dict) or status >= 500 or not (status == 200 or refusals):
            raise Unreachable(code="malformedAnswer", message="no usable answer", status=status)
        return {**answer, "status": status}


def is_safe(url: str) -> bool:
    """Whether tokens may travel there: https, or http on this very machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    )


def for_tenant(*, url: str, instead_of: str, tenant: str) -> str:
    """The same endpoint with another tenant as its path's first step; as it is where the step is something
    else.
    """
    parts = urlsplit(url)
    first, slash, rest = parts.path.lstrip("/").partition("/")
    if first != instead_of:
        return url
    return urlunsplit(parts._replace(path=f"/{tenant}{slash}{rest}"))


async def _read(response: httpx2.Response) -> bytes:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > ANSWER_CAP:
            raise Unreachable(code="bodyTooLarge", message="the answer is too long", status=response.status_code)
    return body
