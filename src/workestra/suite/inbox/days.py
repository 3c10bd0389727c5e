"""Rows of a list under the headings of their days, in the reader's time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from django.utils import timezone

from workestra.mail.doors.queries import ThreadRow


@dataclass(frozen=True, slots=True)
class Day:
    """One day's rows, newest first. `continued`: the page before ended within this day."""

    key: str
    moment: datetime
    continued: bool
    rows: list[ThreadRow] = field(default_factory=list)


def by_day(*, rows: Sequence[ThreadRow], before: str = "") -> list[Day]:
    """Group rows, which come newest first, by day.

    Args:
        before: the key (`2026-11-22`) of the last day of the page before.
    """

    def day_of(row: ThreadRow) -> date:
        return timezone.localtime(row.last_at).date()

    days = []
    for day, group in groupby(rows, key=day_of):
        members = list(group)
        key = day.isoformat()
        days.append(Day(key=key, moment=members[0].last_at, continued=key == before, rows=members))
    return days
