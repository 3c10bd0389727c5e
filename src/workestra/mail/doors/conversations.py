"""A person takes messages out of a thread, or makes one of two (SYN 12).

What they decide is pinned for every mail of the families concerned, so that neither later sync, nor a full resync,
nor new replies undo it. Only messages that the member sees can be named; all stored copies of a mail go together.
Each act leaves a row that is never changed. Inside the workspace's scope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from workestra.kit.live import announce
from workestra.mail.doors import arranged, copies, seen, viewer
from workestra.mail.doors.arranged import Family
from workestra.mail.doors.steps import Cursor
from workestra.mail.doors.store import cursor
from workestra.mail.models import Message, ThreadAct
from workestra.tenancy.models import Member

LOOKED_AT = 2000  # conversations of a mailbox, newest first, that a search for one to merge into looks through
CHOICES = f"""
select k.thread_id, k.subject, k.people, k.last_at from unnest(%(connections)s::bigint[]) as c (id)
cross join lateral (
    select thread_id, subject, people, last_at from mail_threadcopy where connection_id = c.id
    order by last_at desc, thread_id desc limit {LOOKED_AT}
) k
where k.thread_id <> %(thread)s
  and (k.subject ilike %(like)s or array_to_string(k.people, ' ') ilike %(like)s)
order by k.last_at desc limit %(limit)s
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Choice:
    """A conversation that another can be merged into."""

    thread_id: int
    subject: str
    people: list[str]
    last_at: datetime


class NothingToSplit(Exception):
    """Nothing was chosen that is in this thread, or all of it was."""


def split(*, member: Member, thread_id: int, message_ids: Collection[int], now: datetime) -> int | None:
    """Take these messages out into a thread of their own. Returns it; None: the member sees no such thread.

    Raises NothingToSplit.
    """
    visible = _visible(member, thread_id)
    if not visible:
        return None
    some = cursor()
    root = arranged.root_of(cursor=some, thread=thread_id)
    if root is None:
        return None
    family = arranged.read(cursor=some, root=root)
    mine = {family.mails[one].name for one in visible if family.threads.get(one) == thread_id}
    chosen = {family.mails[one].name for one in message_ids if one in visible and one in family.mails} & mine
    if not chosen or chosen == mine:
        raise NothingToSplit
    some.execute(
        "insert into mail_thread (workspace_id, created_at, root_id) values (%s, %s, %s) returning id",
        (member.workspace_id, now, root),
    )
    row = some.fetchone()
    assert row is not None
    new = int(row[0])
    places = family.shown | dict.fromkeys(chosen, new)
    moved = _settle(some, member, [family], places)
    some.execute(
        "insert into mail_seenmark (workspace_id, member_id, thread_id, connection_id, upto)"
        " select workspace_id, member_id, %s, connection_id, upto from mail_seenmark where thread_id = %s",
        (new, thread_id),
    )
    some.execute("update mail_thread set parted = true where id = %s", (root,))
    _finish(some, member, "split", source=thread_id, target=new, moved=moved, now=now)
    return new


def merge(*, member: Member, thread_id: int, into: int, now: datetime) -> int | None:
    """Make this thread part of another. Returns the other; None where the member does not see both of two."""
    if thread_id == into or not _visible(member, thread_id) or not _visible(member, into):
        return None
    some = cursor()
    roots = _roots(some, thread_id, into)
    if roots is None:
        return None
    families = [arranged.read(cursor=some, root=root) for root in roots]
    places: dict[bytes, int] = {}
    for family in families:
        places |= {name: into if at == thread_id else at for name, at in family.shown.items()}
    seen.joined(cursor=some, workspace=member.workspace_id, keeper=into, others=[thread_id])
    moved = _settle(some, member, families, places)
    keeper = roots[0]
    others = [root for root in roots if root != keeper]
    some.execute("update mail_threadkey set thread_id = %s where thread_id = any(%s)", (keeper, others))
    some.execute(
        "update mail_thread set root_id = %s, parted = false where id = any(%s) or root_id = any(%s)",
        (keeper, others, others),
    )
    some.execute("update mail_thread set parted = true where id = %s", (keeper,))
    _finish(some, member, "merge", source=thread_id, target=into, moved=moved, now=now)
    return into


def choices(*, member: Member, thread_id: int, text: str, limit: int = 20) -> list[Choice]:
    """Conversations that this one can be merged into, newest first, whose subject or people hold this text."""
    like = "%" + text.strip()[:200].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    connections = viewer.visible_ids(member=member)
    some = cursor()
    values = {"connections": connections, "thread": thread_id, "like": like.replace("\x00", ""), "limit": 4 * limit}
    some.execute(CHOICES, values)
    found: dict[int, Choice] = {}
    for row in some.fetchall():
        found.setdefault(row[0], Choice(*row))
    return list(found.values())[:limit]


def merged_into(*, thread_id: int) -> int | None:
    """Where a thread went that was merged into another, for whoever comes with its old address."""
    for _ in range(20):
        act = ThreadAct.objects.filter(source=thread_id, kind="merge").order_by("-id").first()
        if act is None:
            return None
        thread_id = act.target
        if Message.objects.filter(thread_id=thread_id).exists():
            return thread_id
    return None


def _visible(member: Member, thread_id: int) -> set[int]:
    rows = Message.objects.filter(
        thread_id=thread_id, connection_id__in=viewer.visible_ids(member=member), is_draft=False
    )
    return set(rows.values_list("pk", flat=True))


def _roots(some: Cursor, *threads: int) -> list[int] | None:
    """The roots of these threads, each once, held in one order: two who merge do not wait for each other."""
    some.execute("select coalesce(root_id, id) from mail_thread where id = any(%s) order by 1", (list(threads),))
    wanted = sorted({row[0] for row in some.fetchall()})
    some.execute("select id from mail_thread where id = any(%s) order by id for update", (wanted,))
    if [row[0] for row in some.fetchall()] != wanted:
        return None
    found = {arranged.root_of(cursor=some, thread=one) for one in threads}
    return sorted(one for one in found if one is not None) if None not in found else None


def _settle(some: Cursor, member: Member, families: Iterable[Family], places: dict[bytes, int]) -> list[int]:
    """Pin every mail of the families where it is to stand, and show it there."""
    arranged.pin(cursor=some, workspace=member.workspace_id, places=places)
    return [one for family in families for one in arranged.move(cursor=some, family=family, places=places)]


def _finish(
    some: Cursor, member: Member, kind: str, *, source: int, target: int, moved: list[int], now: datetime
) -> None:
    # A copy that has left the source has no messages there to be found by.
    some.execute(
        "select thread_id, connection_id from mail_threadcopy where thread_id = any(%s)", ([source, target],)
    )
    pairs = [(row[0], row[1]) for row in some.fetchall()]
    copies.refresh(cursor=some, workspace=member.workspace_id, copies=pairs)
    copies.refresh_threads(cursor=some, workspace=member.workspace_id, threads=[source, target])
    ThreadAct.objects.create(
        workspace_id=member.workspace_id,
        member=member,
        kind=kind,
        source=source,
        target=target,
        messages=sorted(moved),
        at=now,
    )
    announce(workspace=member.workspace_id, topic="inbox")
    # What was merged is no thread any more: whoever has it open is led on.
    announce(workspace=member.workspace_id, topic=f"{'merged' if kind == 'merge' else 'thread'}:{source}")
    announce(workspace=member.workspace_id, topic=f"thread:{target}")
