"""Which folders are tracked unless a person chose otherwise (SYN 7)."""

from __future__ import annotations

from collections.abc import Iterable

UNTRACKED = frozenset(
    {
        "drafts",
        "outbox",
        "deleteditems",
        "junkemail",
        "recoverableitemsdeletions",
        "clutter",
        "conversationhistory",
        "scheduled",
        "searchfolders",
        "syncissues",
        "conflicts",
        "localfailures",
        "serverfailures",
    }
)
"""Graph's well-known names of folders that hold no mail that anybody works with."""


def tracked_by_default(*, roles: Iterable[str]) -> bool:
    """`roles`: the well-known names of a folder and of all folders that it lies in, "" where they have none."""
    return not any(role in UNTRACKED for role in roles)
