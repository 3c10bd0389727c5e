"""What Outlook has of a stretch of a folder + what we hold of it -> how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class State(NamedTuple):
    """What is compared of a message. None: not told, or not asked for; it equals everything.

    `body` is a digest. `settled`: no change of ours is on its way to Outlook.
    """

    version: str
    is_read: bool | None
    flag: str | None
    categories: tuple[str, ...] | None
    body: bytes | None = None
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """Immutable ids, each in one list: Outlook's alone, ours alone, and those of which something differs.

    `silent` are those of the last whose version is the same all the same: no answer without content would mend them.
    """

    missing: list[str]
    surplus: list[str]
    different: list[str]
    silent: list[str]


def compare(*, outlook: Mapping[str, State], held: Mapping[str, State]) -> Difference:
    """Compare id by id, in the order of each side."""
    both = [one for one in outlook if one in held]
    different = [one for one in both if not _equal(outlook[one], held[one])]
    return Difference(
        missing=[one for one in outlook if one not in held],
        surplus=[one for one in held if one not in outlook],
        different=different,
        silent=[one for one in different if outlook[one].version == held[one].version != ""],
    )


def _equal(theirs: State, ours: State) -> bool:
    read = theirs.is_read is None or theirs.is_read == ours.is_read or not ours.settled
    flag = theirs.flag is None or theirs.flag == ours.flag
    categories = theirs.categories is None or sorted(theirs.categories) == sorted(ours.categories or ())
    body = None in (theirs.body, ours.body) or theirs.body == ours.body
    return read and flag and categories and body
