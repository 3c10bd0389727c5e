"""Who marked which message last, and as what: what I6 is judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """`sure` is False where nobody can tell what has to come of it."""

    at: float
    where: str  # here | Outlook
    is_read: bool
    sure: bool = True


class Ledger:
    """The last mark of each message, by immutable id."""

    def __init__(self) -> None:
        self.last: dict[str, Mark] = {}

    def here(self, *, ids: Iterable[str], is_read: bool, at: float, sure: bool = True) -> None:
        """Somebody pressed here. Not `sure`: they were shown an error page, and the press may count or not."""
        for one in ids:
            self.last[one] = Mark(at, "here", is_read, sure)

    def outlook(self, *, one: str, is_read: bool, at: float, on_its_way: bool) -> None:
        """Somebody marked it in Outlook. `on_its_way`: while a change that was made here was not accepted yet, which
        Outlook may take after this one.
        """
        self.last[one] = Mark(at, "Outlook", is_read, sure=not on_its_way)
