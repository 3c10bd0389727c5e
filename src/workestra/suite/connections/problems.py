"""The panel of a sign-in that did not work, at the top of the page it returned to (CON 10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workestra.activity.words import Words, words

SESSION_KEY = "connect_problem"
GRANTED = "admin_consent_granted"  # no problem, and said only to the session that was told so
CODE = re.compile(r"[a-z0-9_]{1,64}")
REFERENCE = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Problem:
    """`reference` is Microsoft's request id and `microsoft_code` its own word, to show to support.

    `connection` is the one that was to be renewed.
    """

    words: Words
    reference: str
    microsoft_code: str
    connection: int | None
    granted: bool


def read_problem(*, query: Mapping[str, str], kept: object) -> Problem | None:
    """The problem that the address names.

    Args:
        kept: what the session holds under SESSION_KEY, `{"code": ..., "detail": {...}, "connection": ...}`: names
            and addresses travel there and not in the address, where anybody could have written them.
    """
    code = query.get("problem", "")
    if not CODE.fullmatch(code):
        return None
    reference = query.get("ref", "")
    mine = kept if isinstance(kept, dict) and kept.get("code") == code else {}
    if code == GRANTED and not mine:
        return None
    detail = mine.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    return Problem(
        words=words(code=code, detail=detail),
        reference=reference if REFERENCE.fullmatch(reference) else "",
        microsoft_code=str(detail.get("microsoft_code") or "")[:80],
        connection=mine.get("connection"),
        granted=code == GRANTED,
    )


def revoke_page() -> str:
    """Microsoft's own page of apps that a person has allowed."""
    return "https://myapps.microsoft.com"
