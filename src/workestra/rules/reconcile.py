"""What we hold + one page of answers -> what to write.

Promise: absorbing answers in any order, twice, or after a crash ends in the rows that the latest question
saw. Each answer carries `asked_at`, the moment before its question was put; a row remembers the `asked_at` of
the answer it came from, and only a later question may change it.

    held?   answer                                     -> action
    no      full letter, in a tracked folder           -> Add
    no      light mark                                 -> Fetch (its content is not here yet)
    no      gone, or in a folder that is not tracked   -> nothing
    yes     asked no later than the row                -> nothing (stale)
    yes     gone, or in a folder that is not tracked   -> Remove
    yes     same change key, same folder, not removed  -> nothing (same), but a full letter ends a doubt
    yes     full letter                                -> Change
    yes     light mark                                 -> Mark (read, flag, categories, folder), and doubt

A change key says that something changed and not what (Graph: outlookItem): once it moved on, nothing in a light
page proves that the content is still the same. So a mark leaves a doubt, which the content itself has to end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Held(NamedTuple):
    """What the store knows of a message."""

    immutable_id: str
    change_key: str
    folder: str  # Graph id
    asked_at: datetime
    removed: bool
    doubted: bool = False  # a mark told of another version since its content was read


class Answer(NamedTuple):
    """What Graph said of a message. `full`: with its content. `folder` empty: gone from the mailbox."""

    immutable_id: str
    change_key: str
    folder: str
    full: bool


@dataclass(slots=True)
class Plan:
    """Immutable ids by what is to be done with them. An id stands in one list at most."""

    add: list[str] = field(default_factory=list)
    change: list[str] = field(default_factory=list)
    mark: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    fetch: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)


def reconcile(
    *, held: Mapping[str, Held], answers: Iterable[Answer], asked_at: datetime, tracked: frozenset[str]
) -> Plan:
    """Decide for each answer. The same id twice in one page: the later one counts, as in delta queries."""
    plan = Plan()
    latest = {answer.immutable_id: answer for answer in answers}
    for answer in latest.values():
        row = held.get(answer.immutable_id)
        _choose(plan, row, answer, asked_at=asked_at, wanted=answer.folder in tracked).append(answer.immutable_id)
    return plan


def _choose(plan: Plan, row: Held | None, answer: Answer, *, asked_at: datetime, wanted: bool) -> list[str]:
    if row is None:
        if not wanted:
            return plan.stale
        return plan.add if answer.full else plan.fetch
    if asked_at <= row.asked_at:
        return plan.stale
    if not wanted:
        return plan.same if row.removed else plan.remove
    unchanged = answer.change_key != "" and answer.change_key == row.change_key
    settled = unchanged and answer.folder == row.folder and not row.removed
    if settled and not (answer.full and row.doubted):
        return plan.same
    return plan.change if answer.full else plan.mark
