"""The four requests at once that Graph allows a mailbox, shared by all processes of all machines.

A slot is a row taken by a conditional update and given back. It expires within seconds unless the process
that holds it says that it lives: a thread of its own does so every few seconds for all that it holds, so that
a killed process blocks a mailbox for no longer than that, and a slow answer costs no slot.
Lanes that people wait for go before history: they leave a mark while they wait, and history gives its slots
back between pages as long as the mark is fresh.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import structlog
from django.db import connection, connections, transaction

from workestra.kit import clock

LIFE = timedelta(seconds=12)
RENEW_EVERY = 3.0  # seconds
MARK = timedelta(seconds=5)
SLOTS = 4

log = structlog.get_logger("workestra.slots")
_held: set[str] = set()  # the holders of this process
_guard = threading.Lock()
_keeper: threading.Thread | None = None

TAKE = """
with free as (
    select id from mail_slot where mailbox_id = %(mailbox)s and (holder = '' or expires_at < %(now)s)
    order by number limit %(count)s for update skip locked
), enough as (
    select id from free where (select count(*) from free) >= %(count)s
)
update mail_slot s set holder = %(holder)s, expires_at = %(until)s from enough where s.id = enough.id returning s.id
"""


def take(*, mailbox: int, holder: str, count: int, first: bool, now: datetime) -> bool:
    """Take `count` slots at once, or none. `first`: goes before history (and says so while it waits)."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not first:
            cursor.execute("select 1 from mail_mailbox where id = %s and wanted_at > %s", [mailbox, now - MARK])
            if cursor.fetchone():
                return False
        cursor.execute(TAKE, {"mailbox": mailbox, "now": now, "count": count, "holder": holder, "until": now + LIFE})
        taken = bool(len(cursor.fetchall()) == count)
        if first:
            cursor.execute(
                "update mail_mailbox set wanted_at = %s where id = %s and (%s or wanted_at is not null)",
                [None if taken else now, mailbox, not taken],
            )
    if taken:
        _remember(holder)
    return taken


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
            "update mail_slot s set expires_at = %s from mail_mailbox m where m.id = s.mailbox_id"
            " and s.mailbox_id = %s and s.holder = %s and (m.wanted_at is null or m.wanted_at <= %s)",
            [now + LIFE, mailbox, holder, now - MARK],
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
    return until if until and until > now else None


def throttle(*, mailbox: int, until: datetime) -> None:
    """Write down that Graph asked for a pause; every lane waits it out."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "update mail_mailbox set throttled_until = greatest(throttled_until, %s) where id = %s", [until, mailbox]
        )
