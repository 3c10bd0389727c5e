"""Marking as read and unread, and the changes on their way to Outlook (SYN 11).

A press writes in one transaction: the state that is shown, the change that Outlook is to be told, the summaries,
the job and the notice to browsers. What becomes of a change is decided by `rules.readstate`; each step here is
a conditional update, so that two workers, or a press while a request is under way, do no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workestra.kit import clock
from workestra.kit.live import announce
from workestra.mail import dispatch
from workestra.mail.doors import copies, heard, schedule, seen, viewer
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import Cursor
from workestra.mail.doors.store import cursor
from workestra.rules import readstate
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)  # due by the clock of whichever worker looks
KEPT = timedelta(hours=1)  # far longer than any page is under way

# Read: everything. Unread: what arrived last, in every copy of it.
TARGETS = """
select m.id, m.connection_id from mail_message m
where m.thread_id = %(thread)s and m.connection_id = any(%(connections)s) and m.removed_at is null
  and not m.is_draft and m.is_read <> %(wanted)s
  and (%(wanted)s or coalesce(nullif(m.internet_message_id, ''), m.id::text) = (
    select coalesce(nullif(l.internet_message_id, ''), l.id::text)
    from mail_message l join mail_folder f on f.id = l.folder_id
    where l.thread_id = %(thread)s and l.connection_id = any(%(connections)s) and l.removed_at is null
      and not l.is_draft
    order by f.role = 'sentitems', l.received_at desc, l.id desc limit 1))
order by m.connection_id, m.immutable_id for no key update of m
"""
KNOWN = f"select p.message_id, {heard.COLUMNS} from mail_readchange p where p.message_id = any(%s) for update"  # noqa: S608
PUT = """
insert into mail_readchange (message_id, workspace_id, connection_id, member_id, wanted, was, number, sent,
    pressed_at, accepted_at, refused, attempts, due_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, null, '', 0, %s)
on conflict (message_id) do update set member_id = excluded.member_id, wanted = excluded.wanted, was = excluded.was,
    number = excluded.number, sent = excluded.sent, pressed_at = excluded.pressed_at, accepted_at = null,
    refused = '', attempts = 0, due_at = excluded.due_at
"""
DUE = "connection_id = %s and accepted_at is null and refused = '' and (due_at <= %s or due_at > %s)"
CLAIM = f"""
with next as (
    select message_id from mail_readchange where {DUE} and wanted = (
        select wanted from mail_readchange where {DUE} order by pressed_at, message_id limit 1)
    order by pressed_at, message_id limit %s for update skip locked
)
update mail_readchange p set sent = p.number from next, mail_message m
where p.message_id = next.message_id and m.id = p.message_id
returning p.message_id, m.immutable_id, p.number, p.wanted, p.attempts
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Claimed:
    """A change that is put to Outlook now."""

    message: int
    immutable_id: str
    number: int
    wanted: bool
    attempts: int


def mark(*, member: Member, thread_id: int, is_read: bool, now: datetime) -> int | None:
    """The member marks a thread: all of it as read, or what arrived last as unread. Inside the workspace's scope.

    Returns how many stored messages that changed; None where the member sees no such thread.
    """
    some = cursor()
    mine = list(viewer.changeable(member=member).order_by("id").values_list("pk", flat=True))
    private = viewer.private_ids(member=member)
    some.execute(
        "select 1 from mail_message where thread_id = %s and connection_id = any(%s) and not is_draft limit 1",
        (thread_id, [*mine, *private]),
    )
    if some.fetchone() is None:
        return None
    some.execute(TARGETS, {"thread": thread_id, "connections": mine, "wanted": is_read})
    changed = dict(some.fetchall())
    if changed:
        _press(some, member, changed, is_read=is_read, now=now)
        touched = sorted(set(changed.values()))
        copies.refresh(cursor=some, workspace=member.workspace_id, copies=[(thread_id, one) for one in touched])
        for one in touched:
            dispatch.read_state(workspace=member.workspace_id, connection=one)
    marked = seen.mark(cursor=some, member=member, thread_id=thread_id, connections=private, is_read=is_read)
    if changed or marked:
        _tell(workspace=member.workspace_id, threads={thread_id})
    return len(changed) + marked


def _press(some: Cursor, member: Member, messages: Mapping[int, int], *, is_read: bool, now: datetime) -> None:
    """Show the new state of these messages (id -> connection), and write down that Outlook is to be told."""
    some.execute(KNOWN, (list(messages),))
    known = {row[0]: heard.change(*row[1:]) for row in some.fetchall()}
    puts = []
    for message, connection in messages.items():
        change = readstate.press(shown=not is_read, change=known.get(message), wanted=is_read, now=now)
        if change is not None:
            who = (message, member.workspace_id, connection, member.pk)
            puts.append((*who, change.wanted, change.was, change.number, change.sent, now, AT_ONCE))
    some.execute("update mail_message set is_read = %s where id = any(%s)", (is_read, list(messages)))
    some.executemany(PUT, puts)


def due(*, ref: Ref, most: int, now: datetime) -> int:
    """How many changes wait to be put to Outlook, counted up to `most`. Clears away what has long been accepted."""
    with scope(workspace=ref.workspace):
        some = cursor()
        some.execute(
            "delete from mail_readchange where connection_id = %s and accepted_at < %s", (ref.connection, now - KEPT)
        )
        some.execute(
            f"select count(*) from (select 1 from mail_readchange where {DUE} limit %s) as next",  # noqa: S608
            (*_due_now(ref, now), most),
        )
        row = some.fetchone()
    return row[0] if row else 0


def _due_now(ref: Ref, now: datetime) -> tuple[int, datetime, datetime]:
    """For DUE. What lies further ahead than any pause was written before a clock was put back."""
    return ref.connection, now, now + readstate.LONGEST_PAUSE + clock.SKEW


def claim(*, ref: Ref, most: int, now: datetime) -> list[Claimed]:
    """The changes to be put to Outlook next, all to the same state; each remembers that it is on its way."""
    with scope(workspace=ref.workspace):
        some = cursor()
        some.execute(CLAIM, (*_due_now(ref, now), *_due_now(ref, now), most))
        return [Claimed(*row) for row in some.fetchall()]


def accepted(*, ref: Ref, changes: Sequence[Claimed], now: datetime) -> None:
    """Outlook took these."""
    with scope(workspace=ref.workspace):
        some = cursor()
        for one, change in _locked(some, changes):
            after = readstate.accept(change=change, number=one.number, value=one.wanted, now=now)
            some.execute(
                "update mail_readchange set was = %s, accepted_at = %s, attempts = 0"
                " where message_id = %s and number = %s",
                (after.was, after.accepted_at, one.message, change.number),
            )


def later(*, ref: Ref, changes: Sequence[Claimed], now: datetime) -> datetime | None:
    """No usable answer came for these: they are put again, after a pause that grows. Returns when the first is."""
    times = [now + readstate.pause(attempts=one.attempts + 1) for one in changes]
    with scope(workspace=ref.workspace):
        cursor().executemany(
            "update mail_readchange set attempts = %s, due_at = %s where message_id = %s and number = %s",
            [(one.attempts + 1, at, one.message, one.number) for one, at in zip(changes, times, strict=True)],
        )
        if times:
            schedule.wake(connection_id=ref.connection, at=min(times))
    return min(times, default=None)


def refused(*, ref: Ref, changes: Mapping[int, str], claimed: Sequence[Claimed], now: datetime) -> None:
    """Outlook will never take these (message -> code): what it has is shown again, and who pressed is told."""
    with scope(workspace=ref.workspace):
        some = cursor()
        threads: set[int] = set()
        for one, change in _locked(some, [one for one in claimed if one.message in changes]):
            after, shown = readstate.refuse(change=change, number=one.number)
            if not after.refused:
                continue
            some.execute(
                "update mail_readchange set refused = %s where message_id = %s", (changes[one.message], one.message)
            )
            some.execute(
                "update mail_message set is_read = %s where id = %s returning thread_id", (shown, one.message)
            )
            row = some.fetchone()
            threads |= {row[0]} if row else set()
        copies.refresh(cursor=some, workspace=ref.workspace, copies=[(one, ref.connection) for one in threads])
        _tell(workspace=ref.workspace, threads=threads)
        for thread in sorted(threads):
            announce(workspace=ref.workspace, topic=f"refused:{thread}")


def refusal(*, member: Member, thread_id: int) -> str:
    """The code with which Outlook refused the member's last mark in this thread; "" where it did not."""
    some = cursor()
    some.execute(
        "select p.refused from mail_readchange p join mail_message m on m.id = p.message_id"
        " where m.thread_id = %s and p.member_id = %s and p.refused <> '' and m.removed_at is null"
        " order by p.pressed_at desc limit 1",
        (thread_id, member.pk),
    )
    row = some.fetchone()
    return row[0] if row else ""


def _locked(some: Cursor, changes: Sequence[Claimed]) -> list[tuple[Claimed, readstate.Change]]:
    """The changes as they are now, their messages and themselves locked in the order in which a page locks them."""
    by_id = {one.message: one for one in changes}
    some.execute(
        f"select m.id, {heard.COLUMNS} from mail_message m join mail_readchange p on p.message_id = m.id"  # noqa: S608
        " where m.id = any(%s) order by m.connection_id, m.immutable_id for update of m, p",
        (list(by_id),),
    )
    return [(by_id[row[0]], heard.change(*row[1:])) for row in some.fetchall()]


def _tell(*, workspace: int, threads: set[int]) -> None:
    if threads:
        announce(workspace=workspace, topic="inbox")
    for thread in sorted(threads):
        announce(workspace=workspace, topic=f"thread:{thread}")
