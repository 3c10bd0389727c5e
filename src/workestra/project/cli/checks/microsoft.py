"""Microsoft's two addresses: do they answer, as what, over which TLS, and does their clock agree with ours?"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workestra.kit.loopback import is_loopback
from workestra.project.cli.checks.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    import httpx2

    from workestra.project.env import Environment

LATE = 120.0
TOO_LATE = 240.0  # tokens are refused from about five minutes on


def look(*, chosen: Environment) -> Iterator[Finding]:
    """Ask both, with the product's certificate authorities."""
    import httpx2

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if chosen.ca_bundle:
        try:
            context.load_verify_locations(cafile=str(chosen.ca_bundle))
        except (ssl.SSLError, OSError) as problem:
            yield fail("certificates", f"{chosen.ca_bundle}: {problem}", "WORKESTRA_CA_BUNDLE names a PEM file.")
    proxied = bool(os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"))
    with httpx2.Client(verify=context, timeout=10, follow_redirects=False, trust_env=proxied) as http:
        yield from _authority(http, chosen.microsoft_authority)
        yield from _graph(http, chosen.graph_url)


def _ask(http: httpx2.Client, about: str, url: str) -> tuple[Any | None, list[Finding]]:
    """(status, JSON or None, Date) of an address, and what was found on the way."""
    import httpx2

    found: list[Finding] = []
    try:
        with http.stream("GET", url) as answer:
            stream = answer.extensions.get("network_stream")
            tls = stream.get_extra_info("ssl_object") if stream is not None else None
            version = tls.version() if tls is not None else ""
            answer.read()
    except httpx2.HTTPError as problem:
        remedy = "Check the address, the network, and WORKESTRA_CA_BUNDLE where it has an authority of its own."
        return None, [fail(about, f"{url} cannot be reached: {problem or type(problem).__name__}", remedy)]
    if url.startswith("https://"):
        if version == "TLSv1.3":
            found.append(ok(f"{about}, TLS", version))
        else:
            found.append(warn(f"{about}, TLS", version or "unknown", "The other side has no TLS 1.3; 1.2 is used."))
    found += _clock(about, answer.headers.get("date"))
    return answer, found


def _clock(about: str, date: str | None) -> list[Finding]:
    try:
        apart = (datetime.now(UTC) - parsedate_to_datetime(date or "")).total_seconds()
    except (TypeError, ValueError):
        return []
    if abs(apart) < LATE:
        return []
    word = "ahead" if apart > 0 else "behind"
    made = fail if abs(apart) > TOO_LATE else warn
    remedy = "Let this machine keep time by NTP: sign-ins are refused when clocks are minutes apart."
    return [made("clock", f"ours is {abs(apart):.0f} s {word} of {about}'s.", remedy)]


def _json(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _authority(http: httpx2.Client, authority: str) -> Iterator[Finding]:
    answer, found = _ask(http, "sign-in", f"{authority}/v2.0/.well-known/openid-configuration")
    yield from found
    if answer is None:
        return
    said = _json(answer)
    issuer = said.get("issuer") if isinstance(said, dict) else None
    if answer.status_code != 200 or not isinstance(issuer, str):
        yield fail(
            "sign-in",
            f"{authority} does not describe itself (status {answer.status_code}).",
            "WORKESTRA_MICROSOFT_AUTHORITY ends with a tenant: https://login.microsoftonline.com/common",
        )
        return
    safe = all(
        str(said.get(name, "")).startswith("https://") or is_loopback(url=str(said.get(name, "")))
        for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    )
    if not safe:
        yield fail("sign-in", "an endpoint is neither https nor on this machine.", "Use another authority.")
    elif urlsplit(issuer).hostname != urlsplit(authority).hostname:
        yield warn("sign-in", f"the issuer is another host: {issuer}", "Make sure that the authority is meant.")
    else:
        yield ok("sign-in", f"{authority}, issuer {issuer}")


def _graph(http: httpx2.Client, url: str) -> Iterator[Finding]:
    answer, found = _ask(http, "Graph", f"{url}/me")
    yield from found
    if answer is None:
        return
    said = _json(answer)
    code = said["error"].get("code") if isinstance(said, dict) and isinstance(said.get("error"), dict) else None
    if answer.status_code == 401 and code:
        yield ok("Graph", f"{url} answers, and wants a token")
    else:
        yield fail(
            "Graph",
            f"{url} answered {answer.status_code}, not as Graph does.",
            "WORKESTRA_GRAPH_URL ends with the version: https://graph.microsoft.com/v1.0",
        )
