"""I9: after a pause no page is stored, resume goes on, cancel is final, and progress never goes backwards."""

from __future__ import annotations

from dataclasses import dataclass

from workestra.mail.models import Backfill, Connection
from workestra.rules.replication import FINAL
from workestra.tenancy.rows import scope


@dataclass(slots=True)
class _Seen:
    state: str
    pulled: int
    pages: int
    stopped_at: int | None  # pages at the first look at which it was not to run


class Witness:
    """Looks at backfills again and again, and remembers."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def look(self, *, connection: Connection) -> list[str]:
        """What cannot be, compared with the last look."""
        found: list[str] = []
        with scope(workspace=connection.workspace_id):
            rows = list(Backfill.objects.filter(connection_id=connection.pk).order_by("id"))
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
