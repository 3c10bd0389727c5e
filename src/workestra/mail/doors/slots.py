"""The four requests at once that Graph allows a mailbox, shared by all processes of all machines.

A slot is a row taken by a conditional update and given back. It expires within seconds unless the process
that holds it says that it lives: a thread of its own does so every few seconds for all that it holds, so that
a killed process blocks a mailbox for no longer than that, and a slow answer costs no slot.
What a person has just clicked goes first, then the live lane, then history: who goes before others leaves a mark
while they wait; as long as it is fresh the others take nothing, and history gives its slots back between pages.
While Graph's pause holds nobody gets a slot.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, connections, transaction

from workestra.kit import clock

LIFE = timedelta(seconds=12)
RENEW_EVERY = 3.0  # seconds
MARK = timedelta(seconds=5)
SLOTS = 4
LONGEST_PAUSE = timedelta(hours=1)  # that is granted to Graph

log = structlog.get_logger("workestra.slots")
_held: set[str] = set()  # the holders of this process
_guard = threading.Lock()
_keeper: threading.Thread | None = None

TAKE = """
with free as (
    select s.id from mail_slot s join mail_mailbox m on m.id = s.mailbox_id
    where s.mailbox_id = %(mailbox)s and (s.holder = '' or s.expires_at not between %(now)s and %(life)s)
      and m.throttled_until between %(now)s and %(pause)s is not true
      and (%(click)s or m.clicked_at between %(mark)s and %(soon)s is not true)
      and (%(first)s or m.wanted_at between %(mark)s and %(soon)s is not true)
    order by s.number limit %(count)s for update of s skip locked
), enough as (
    select id from free where (select count(*) from free) >= %(count)s
)
update mail_slot s set holder = %(holder)s, expires_at = %(until)s from enough where s.id = enough.id returning s.id
"""


def take(*, mailbox: int, holder: str, count: int, first: bool, now: datetime, click: bool = False) -> bool:
    """Take `count` slots at once, or none. `first`: goes before history, `click`: before everything (and says so
    while it waits).
    """
    first = first or click
    with transaction.atomic(), connection.cursor() as cursor:
        asked: dict[str, Any] = {"mailbox": mailbox, "count": count, "holder": holder, "until": now + LIFE}
        cursor.execute(TAKE, {**asked, **_bounds(now), "first": first, "click": click})
        taken = bool(len(cursor.fetchall()) == count)
        if first:
            mark = "clicked_at" if click else "wanted_at"
            cursor.execute(
                f"update mail_mailbox set {mark} = %s where id = %s and (%s or {mark} is not null)",  # noqa: S608
                [None if taken else now, mailbox, not taken],
            )
    if taken:
        _remember(holder)
    return taken


def _bounds(now: datetime) -> dict[str, datetime]:
    """Between which moments each thing holds: what lies beyond was written before a clock was put back."""
    soon = now + clock.SKEW
    return {"now": now, "life": soon + LIFE, "pause": soon + LONGEST_PAUSE, "mark": now - MARK, "soon": soon}


def _remember(holder: str) -> None:
    global _keeper
    with _guard:
        _held.add(holder)
        if _keeper is None:
            _keeper = threading.Thread(target=_keep_alive, name="slot-keeper", daemon=True)
            _keeper.start()


def _keep_alive() -> None:
    """Say every few seconds that this process lives, for as long as it holds anything."""
    global _keeper
    while True:
        time.sleep(RENEW_EVERY)
        with _guard:
            mine = sorted(_held)
            if not mine:
                _keeper = None
                return
        try:
            renew(holders=mine, now=clock.now())
        except Exception as problem:
            log.warning("slots.not_renewed", problem=type(problem).__name__)
        finally:
            connections.close_all()


def renew(*, holders: list[str], now: datetime) -> None:
    """Let these holders' slots live on."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("update mail_slot set expires_at = %s where holder = any(%s)", [now + LIFE, holders])


def keep(*, mailbox: int, holder: str, now: datetime) -> bool:
    """Keep history's slot for another page. False: somebody who goes first waits, or it was lost."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "update mail_slot s set expires_at = %(until)s from mail_mailbox m where m.id = s.mailbox_id"
            " and s.mailbox_id = %(mailbox)s and s.holder = %(holder)s"
            " and m.wanted_at between %(mark)s and %(soon)s is not true"
            " and m.clicked_at between %(mark)s and %(soon)s is not true"
            " and m.throttled_until between %(now)s and %(pause)s is not true",
            {"until": now + LIFE, "mailbox": mailbox, "holder": holder, **_bounds(now)},
        )
        return bool(cursor.rowcount > 0)


def give_back(*, mailbox: int, holder: str) -> None:
    """Free every slot of this holder."""
    with _guard:
        _held.discard(holder)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "update mail_slot set holder = '', expires_at = null where mailbox_id = %s and holder = %s",
            [mailbox, holder],
        )


def throttled_until(*, mailbox: int, now: datetime) -> datetime | None:
    """Until when Graph asked us to leave this mailbox alone, if that is still to come."""
    with connection.cursor() as cursor:
        cursor.execute("select throttled_until from mail_mailbox where id = %s", [mailbox])
        row = cursor.fetchone()
    until: datetime | None = row[0] if row else None
    return until if until and not clock.due(until, now=now, longest=LONGEST_PAUSE) else None


def throttle(*, mailbox: int, until: datetime) -> None:
    """Write down that Graph asked for a pause; every lane waits it out."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "update mail_mailbox set throttled_until = greatest(throttled_until, %s) where id = %s",
            [until, mailbox],
        )
