"""The panel of a sign-in that did not work, at the top of the page it returned to (CON 10)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse

from workestra.activity.words import Words, words

CODE = re.compile(r"[a-z0-9_]{1,64}")
REFERENCE = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Problem:
    """`reference` is Microsoft's request id, to show to support."""

    words: Words
    reference: str


def read_problem(*, query: Mapping[str, str], names: Collection[str], addresses: Collection[str]) -> Problem | None:
    """The problem that the address names.

    Anybody can write an address, so a name or a mailbox in it is shown only where it is one of the workspace.

    Args:
        names: of the workspace's members.
        addresses: of the connections that the reader may see.
    """
    code = query.get("problem", "")
    if not CODE.fullmatch(code):
        return None
    reference = query.get("ref", "")
    known = {"name": names, "address": addresses}
    detail = {key: query[key] for key, allowed in known.items() if query.get(key) in allowed}
    return Problem(
        words=words(code=code, detail=detail), reference=reference if REFERENCE.fullmatch(reference) else ""
    )


def admin_consent_link(*, tenant: str = "") -> str:
    """Where an administrator approves the permissions for the whole organisation.

    Microsoft identity platform: "Admin consent on the Microsoft identity platform".
    """
    environment = settings.WORKESTRA
    authority, graph = urlsplit(environment.microsoft_authority), urlsplit(environment.graph_url)
    mine = authority.path.strip("/").split("/")[0]
    where = tenant or (mine if mine not in ("", "common", "consumers") else "organizations")
    query = urlencode(
        {
            "client_id": environment.microsoft_client_id,
            "scope": f"{graph.scheme}://{graph.netloc}/.default",
            "redirect_uri": environment.public_url + reverse("connections:callback"),
            "state": "admin",
        }
    )
    return f"{authority.scheme}://{authority.netloc}/{where}/v2.0/adminconsent?{query}"


def revoke_page() -> str:
    """Microsoft's own page of apps that a person has allowed."""
    return "https://myapps.microsoft.com"
