"""Which process walks which slice of a backfill: several may pull one mailbox at the same time (PRF 8).

    free --take--> held --(last page stored)--> done
      ^              |
      +--release-----+   also when the claim runs out, because its process died

A claim only spares double work. What keeps a page from being stored twice is the conditional step that goes with it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from workestra.mail.doors.backfills import Work
from workestra.mail.doors.ref import Ref
from workestra.mail.models import Slice
from workestra.tenancy.rows import scope

LIFE = timedelta(seconds=15)
RENEW_EVERY = 4.0  # seconds

TAKE = """
update mail_slice set holder = %(holder)s, held_until = %(until)s where id = (
    select s.id from mail_slice s join mail_folder f on f.id = s.folder_id
    where s.backfill_id = %(backfill)s and not s.done and f.gone_at is null
      and (s.holder = '' or s.held_until < %(now)s)
    order by s.until desc, s.id limit 1 for update of s skip locked
) returning id
"""


def take(*, ref: Ref, work: Work, holder: str, now: datetime) -> Slice | None:
    """Claim the newest slice that is free; None where there is none."""
    with scope(workspace=ref.workspace):
        with connection.cursor() as cursor:
            cursor.execute(TAKE, {"holder": holder, "until": now + LIFE, "backfill": work.id, "now": now})
            row = cursor.fetchone()
        return Slice.objects.select_related("folder").get(pk=row[0]) if row else None


def keep(*, ref: Ref, holder: str, now: datetime) -> None:
    """Let this holder's claims live on."""
    with scope(workspace=ref.workspace):
        Slice.objects.filter(holder=holder, done=False).update(held_until=now + LIFE)


def release(*, ref: Ref, holder: str) -> None:
    """Free what this holder has not finished."""
    with scope(workspace=ref.workspace):
        Slice.objects.filter(holder=holder, done=False).update(holder="", held_until=None)


def free(*, ref: Ref, work: Work, now: datetime) -> int:
    """How many slices nobody walks yet."""
    return _left(ref, work, Q(holder="") | Q(held_until__lt=now))


def left(*, ref: Ref, work: Work) -> int:
    """How many slices are not done, whoever walks them."""
    return _left(ref, work, Q())


def _left(ref: Ref, work: Work, which: Q) -> int:
    with scope(workspace=ref.workspace):
        rows = Slice.objects.filter(which, backfill_id=work.id, done=False, folder__gone_at__isnull=True)
        return rows.count()
