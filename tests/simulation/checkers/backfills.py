"""I9: after a pause no page is stored, resume goes on, cancel is final, and progress never goes backwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workestra.mail.models import Backfill, Connection, Slice
from workestra.rules.replication import FINAL, OPEN, second_after
from workestra.tenancy.rows import scope


@dataclass(slots=True)
class _Seen:
    state: str
    pulled: int
    pages: int
    stopped_at: int | None  # pages at the first look at which it was not to run


@dataclass(slots=True)
class _Place:
    backfill: int
    until: datetime
    reached: datetime | None
    pages: int
    done: bool


class Witness:
    """Looks at backfills again and again, and remembers."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._places: dict[int, _Place] = {}

    def look(self, *, connection: Connection) -> list[str]:
        """What cannot be, compared with the last look."""
        found: list[str] = []
        with scope(workspace=connection.workspace_id):
            rows = list(Backfill.objects.filter(connection_id=connection.pk).order_by("id"))
            slices = {one.pk: one for one in Slice.objects.filter(backfill__in=rows)}
        found += self._walked(slices, {row.pk for row in rows if row.state in OPEN})
        for row in rows:
            idle = row.state in ("paused", "cancelled")
            before = self._seen.get(row.pk)
            stopped = None
            if idle:
                same = before is not None and before.state == row.state
                stopped = before.stopped_at if same and before is not None else row.pages
            if before is not None:
                if before.state in FINAL and before.state != "failed" and row.state != before.state:
                    found.append(f"I9 backfill {row.pk} went from {before.state} to {row.state}")
                if row.pulled < before.pulled and row.state != "done":
                    found.append(f"I9 backfill {row.pk} fell from {before.pulled} to {row.pulled} messages")
                if row.pages < before.pages:
                    found.append(f"I9 backfill {row.pk} fell from {before.pages} to {row.pages} pages")
                if stopped is not None and row.pages > stopped:
                    found.append(f"I9 {row.state} backfill {row.pk} pulled {row.pages - stopped} more pages")
            self._seen[row.pk] = _Seen(row.state, row.pulled, row.pages, stopped)
        return found

    def _walked(self, slices: Mapping[int, Slice], going: set[int]) -> list[str]:
        """Places that went back: what was walked would be walked anew, or not at all."""
        found = []
        for pk, before in self._places.items():
            if before.backfill in going and pk not in slices:
                found.append(f"I9 backfill {before.backfill} forgot its slice {pk}")
        for pk, now in slices.items():
            place = _Place(now.backfill_id, now.until, now.reached, now.pages, now.done)
            lost = now.pages > 0 and not now.link and not now.done
            if lost and now.reached is not None and now.until > second_after(moment=now.reached):
                found.append(f"I9 slice {pk} reached {now.reached:%d %H:%M:%S} and begins again at its top")
            if pk in self._places and _back(self._places[pk], place):
                found.append(f"I9 slice {pk} went back: {self._places[pk]}, {place}")
            self._places[pk] = place
        return found


def _back(before: _Place, now: _Place) -> bool:
    climbed = before.reached is not None and (now.reached is None or now.reached > before.reached)
    return climbed or now.until > before.until or now.pages < before.pages or (before.done and not now.done)
