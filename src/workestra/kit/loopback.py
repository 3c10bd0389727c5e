"""Is an address this very machine?"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(*, url: str) -> bool:
    """Whether the host of this URL is this very machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
