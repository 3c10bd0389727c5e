"""Which network a request comes from, for the brake on guessing passwords (SEC 7).

Every proxy in front appends to `X-Forwarded-For` the address that it was called from. Only what our own proxies
have written counts: with `WORKESTRA_TRUSTED_PROXIES` of them, the entry that many places from the right. All that
stands further left is the caller's to invent.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def source_of(*, request: HttpRequest) -> str:
    """The caller's IPv4 address, or the /64 network of an IPv6 one (a household has as many of those as it wants)."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    trusted = settings.WORKESTRA.trusted_proxies
    entries = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",")]
    told = _address(entries[-trusted]) if 0 < trusted <= len(entries) else None
    found = told or _address(peer)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found) if found else peer


def _address(text: str) -> Address | None:
    """`192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7` or `[2001:db8::7]:4711`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
