"""I11: the state on the badge follows from stored facts and a clock, and an undisturbed connection is healthy."""

from __future__ import annotations

from datetime import datetime, timedelta

from workestra.mail.models import Connection
from workestra.rules.health import FRESH, Facts, Health, health
from workestra.tenancy.rows import scope

EDGE = timedelta(seconds=1)


def unwell(*, connection: Connection, now: datetime) -> list[str]:
    """What is wrong with the health of a connection that nothing disturbs."""
    with scope(workspace=connection.workspace_id):
        row = Connection.objects.get(pk=connection.pk)
    facts = Facts(
        error=bool(row.error_code) or row.state != Connection.State.ACTIVE,
        first_done=row.first_done_at is not None,
        last_success_at=row.last_success_at,
    )
    found = []
    if health(facts=facts, now=now) is not Health.HEALTHY:
        found.append(
            f"I11 {health(facts=facts, now=now)}: {row.error_code or row.last_success_at} {row.error_detail}"
        )
    if not facts.error and facts.first_done and row.last_success_at is not None:
        edge = row.last_success_at + FRESH
        states = [health(facts=facts, now=edge - EDGE), health(facts=facts, now=edge)]
        if states != [Health.HEALTHY, Health.STALE]:
            found.append(f"I11 at the edge of {FRESH}: {states}")
    return found
