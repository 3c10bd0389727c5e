"""The panel of a sign-in that did not work, at the top of the page it returned to (CON 10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse

from workestra.activity.words import Words, words

SESSION_KEY = "connect_problem"
CODE = re.compile(r"[a-z0-9_]{1,64}")
REFERENCE = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Problem:
    """`reference` is Microsoft's request id and `microsoft_code` its own word, to show to support."""

    words: Words
    reference: str
    microsoft_code: str


def read_problem(*, query: Mapping[str, str], kept: object) -> Problem | None:
    """The problem that the address names.

    Args:
        kept: what the session holds under SESSION_KEY, `{"code": ..., "detail": {...}}`: names and addresses
            travel there and not in the address, where anybody could have written them.
    """
    code = query.get("problem", "")
    if not CODE.fullmatch(code):
        return None
    reference = query.get("ref", "")
    mine = kept if isinstance(kept, dict) and kept.get("code") == code else {}
    detail = mine.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    return Problem(
        words=words(code=code, detail=detail),
        reference=reference if REFERENCE.fullmatch(reference) else "",
        microsoft_code=str(detail.get("microsoft_code") or "")[:80],
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
