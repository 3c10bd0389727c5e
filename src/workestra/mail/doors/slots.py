"""The four requests at once that Graph allows a mailbox, shared by all processes of all machines.

A slot is a row taken by a conditional update and given back; a holder that died loses it when it expires.
Lanes that people wait for go before history: they leave a mark while they wait, and history gives its slots
back between pages as long as the mark is fresh.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

LIFE = timedelta(seconds=150)
MARK = timedelta(seconds=5)
SLOTS = 4

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
    return taken


def keep(*, mailbox: int, holder: str, now: datetime) -> bool:
    """Keep history's slot for another page. False: somebody who goes first waits, or it was lost."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "update mail_slot s set expires_at = %s from mail_mailbox m where m.id = s.mailbox_id"
            " and s.mailbox_id = %s and s.holder = %s and (m.wanted_at is null or m.wanted_at <= %s)",
            [now + LIFE, mailbox, holder, now - MARK],
        )
        return cursor.rowcount > 0


def give_back(*, mailbox: int, holder: str) -> None:
    """Free every slot of this holder."""
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
