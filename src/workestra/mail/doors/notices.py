"""What Graph told us, from the endpoint to the flow that works it off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from workestra.kit import clock
from workestra.mail.doors.ref import Ref
from workestra.mail.models import Notice

PATIENCE = timedelta(minutes=3)
PAUSES = (2, 5, 15, 60)


@dataclass(frozen=True, slots=True)
class Unread:
    """A notice that waits for this connection."""

    id: int
    change: str
    item: str
    received_at: datetime
    resource: str


def unread(*, ref: Ref, now: datetime, most: int = 1000) -> list[Unread]:
    """The notices of this connection that may be worked off now, oldest first."""
    rows = Notice.objects.filter(connection_id=ref.connection).exclude(
        retry_at__gt=now, retry_at__lte=now + timedelta(seconds=PAUSES[-1]) + clock.SKEW
    )
    some = rows.select_related("subscription").order_by("id")[:most]
    return [Unread(row.pk, row.change, row.item, row.received_at, row.subscription.resource) for row in some]


def later(*, notices: Sequence[Unread], now: datetime) -> list[int]:
    """Not readable yet (T6): look again soon. Returns those whose patience is over: delta decides on them."""
    spent = [one.id for one in notices if now - one.received_at > PATIENCE]
    waiting = [one for one in notices if one.id not in set(spent)]
    with transaction.atomic():
        for one in waiting:
            age = (now - one.received_at).total_seconds()
            pause = next((step for step in PAUSES if step > age / 2), PAUSES[-1])
            Notice.objects.filter(pk=one.id).update(queued=False, retry_at=now + timedelta(seconds=pause))
    return spent


def forget(*, ids: Sequence[int]) -> None:
    """These are worked off."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("delete from mail_notice where id = any(%s)", [list(ids)])
