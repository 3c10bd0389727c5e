"""Clients for Microsoft, from the settings: one HTTP client an event loop, certificates always checked."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
import weakref
from typing import Any

import httpx2
from django.conf import settings

from workestra.graph.client import Graph
from workestra.graph.entra import Entra
from workestra.graph.exchange import TIMEOUTS, Exchange
from workestra.kit import clock
from workestra.mail.flows.tokens import GrantTokens

_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[httpx2.AsyncClient, Entra | None]] = (
    weakref.WeakKeyDictionary()
)

SCOPES = (
    "openid",
    "profile",
    "email",
    "offline_access",
    "User.Read",
    "Mail.Read",
    "Mail.ReadWrite",
    "Mail.Send",
    "Mail.Read.Shared",
    "Mail.ReadWrite.Shared",
    "Mail.Send.Shared",
    "Contacts.Read",
    "Calendars.Read",
)


@functools.lru_cache(maxsize=4)  # reading the system's authorities takes a fiftieth of a second
def tls(*, ca_bundle: Any) -> ssl.SSLContext:
    """TLS 1.2 and later, the system's authorities and the configured one besides (SEC 3)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_bundle:
        context.load_verify_locations(cafile=str(ca_bundle))
    return context


def http() -> httpx2.AsyncClient:
    """The HTTP client of this event loop."""
    return _both()[0]


def entra() -> Entra:
    """The sign-in service, for the configured application."""
    service = _both()[1]
    if service is None:
        raise NotConfigured
    return service


class NotConfigured(Exception):
    """The administrator has not told Workestra which app registration to use."""


def _both() -> tuple[httpx2.AsyncClient, Entra | None]:
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        env = settings.WORKESTRA
        client = httpx2.AsyncClient(
            verify=tls(ca_bundle=env.ca_bundle),
            timeout=TIMEOUTS,
            limits=httpx2.Limits(max_connections=200, max_keepalive_connections=64, keepalive_expiry=60),
            follow_redirects=False,
            trust_env=bool(os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")),
        )
        service = None
        if env.microsoft_client_id:
            service = Entra(
                authority=env.microsoft_authority,
                client_id=env.microsoft_client_id,
                client_secret=env.microsoft_client_secret,
                http=client,
            )
        _clients[loop] = (client, service)
    return _clients[loop]


async def close() -> None:
    """Close this loop's client."""
    pair = _clients.pop(asyncio.get_running_loop(), None)
    if pair is not None:
        await pair[0].aclose()


class Counted:
    """Counts the requests of a job: those that were sent, and those that batches among them carried."""

    def __init__(self) -> None:
        self.requests = 0
        self.batched = 0

    def __call__(self, exchange: Exchange) -> None:
        self.requests += 1
        self.batched += exchange.carried


def graph_for(*, workspace: int, connection: int, counted: Counted | None = None) -> Graph:
    """Graph as the person behind this connection."""
    return Graph(
        base_url=settings.WORKESTRA.graph_url,
        tokens=GrantTokens(workspace=workspace, connection=connection, entra=entra),
        http=http(),
        now=clock.now,
        on_exchange=counted,
    )
