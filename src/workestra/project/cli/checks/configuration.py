"""Settings that are well formed and still leave something to wish for; the disk."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from workestra.kit.loopback import is_loopback
from workestra.project.cli.checks.finding import Finding, fail, ok, warn
from workestra.rules.watching import push_possible

if TYPE_CHECKING:
    from workestra.project.env import Environment

GIGABYTE = 1024**3


def look(*, chosen: Environment) -> Iterator[Finding]:
    """What the settings mean."""
    yield from _names()
    yield from _app(chosen)
    yield from _address(chosen)
    yield from _push(chosen)
    if chosen.debug:
        yield warn("debug", "WORKESTRA_DEBUG is on: pages show tracebacks.", "Never on a server: unset it.")
    if not chosen.database_url:
        yield from _disk(chosen)


def _names() -> Iterator[Finding]:
    from workestra.project import env

    for name in env.unknown():
        near = difflib.get_close_matches(name, env.EXAMPLES, n=1, cutoff=0.8)
        remedy = f"Did you mean {near[0]}?" if near else "Remove it; docs/operate/settings.md has them all."
        yield warn("settings", f"{name} is set, but no setting has this name.", remedy)


def _app(chosen: Environment) -> Iterator[Finding]:
    if chosen.microsoft_client_id:
        yield ok("app registration", f"client id {chosen.microsoft_client_id}")
    else:
        yield warn(
            "app registration",
            "not configured: nobody can connect a mailbox.",
            "Set WORKESTRA_MICROSOFT_CLIENT_ID and WORKESTRA_MICROSOFT_CLIENT_SECRET (docs/operate/entra-app.md).",
        )


def _address(chosen: Environment) -> Iterator[Finding]:
    if chosen.public_url.startswith("https://") or is_loopback(url=chosen.public_url):
        yield ok("public address", chosen.public_url)
    else:
        yield fail(
            "public address",
            f"{chosen.public_url} is plain http: passwords and mail would cross the network in the clear, and "
            "Microsoft sends nobody back to it after sign-in.",
            "Put a proxy with TLS in front and set WORKESTRA_PUBLIC_URL to its https address.",
        )


def _push(chosen: Environment) -> Iterator[Finding]:
    possible = push_possible(
        public_url=chosen.public_url,
        public_loopback=is_loopback(url=chosen.public_url),
        graph_loopback=is_loopback(url=chosen.graph_url),
    )
    if possible:
        yield ok("push", "Microsoft can be told to call this server when mail arrives.")
    else:
        yield warn(
            "push",
            f"Microsoft cannot reach {chosen.public_url}: mail arrives every "
            f"{chosen.light_sync_minutes:g} minutes and by Sync now.",
            "Open the server to the internet under an https address and set WORKESTRA_PUBLIC_URL, "
            "or shorten WORKESTRA_LIGHT_SYNC_MINUTES.",
        )


def _disk(chosen: Environment) -> Iterator[Finding]:
    home = chosen.home.absolute()
    there = next(one for one in (home, *home.parents) if one.exists())
    free = shutil.disk_usage(there).free / GIGABYTE
    if free < 2:
        yield warn("disk", f"{free:.1f} GB free in {home}.", "Make room: PostgreSQL stops when the disk is full.")
    else:
        yield ok("disk", f"{free:.0f} GB free in {home}")
