"""Complete is proven, not assumed: per folder, Outlook's messages in the range are compared with ours.

Outlook's list is read newest first, a thousand ids a page, and compared stretch by stretch, so that a folder
of any size takes the memory of a few pages; several walkers share it, cut where what is held says. What is
missing here is fetched; what we hold and Outlook does not is asked for by id, and moves, or leaves at the end (most
of a folder only once a person agreed); what differs although its version is the same is read again. The bound of a
stretch lies between two seconds: messages of the oldest second of a page are compared with the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, TooLarge
from workestra.graph.wire import Message, MessagePage
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import held, store
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.runs import Tally
from workestra.mail.doors.steps import ProvenStep, Step
from workestra.mail.flows import fetch
from workestra.mail.flows.places import Places
from workestra.mail.flows.sweep import Sweep
from workestra.mail.flows.together import together
from workestra.mail.intake import digest
from workestra.rules.comparing import Difference, State, compare

PAGE = 1000
BODIES = 50  # messages a page where bodies are compared, too
SPARE = 50  # messages that Outlook may have more in a part and still answer in one page
WALKERS = 4
MOST_KEPT_BACK = 20  # broken messages in one stretch of which nothing comes
MOMENT = timedelta(microseconds=1)


async def _unseen(messages: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Look:
    """How to compare, and for which run. No bounds: the whole range. `seen` is told how many messages came by.

    `kept`: what is found is written down. `steps` are taken with each stretch that is repaired.
    """

    run: int
    since: datetime | None = None
    until: datetime | None = None
    repair: bool = True
    bodies: bool = False
    kept: bool = True
    seen: Callable[[int], Awaitable[None]] = _unseen
    steps: tuple[Step, ...] = ()
    floor: datetime | None = None  # what was received before, and is not held, is not missing


@dataclass(slots=True)
class Found:
    """How a folder compared, in messages."""

    outlook: int = 0
    held: int = 0
    missing: int = 0
    surplus: int = 0
    different: int = 0
    kept_back: int = 0  # those of them that Outlook does not give out

    @property
    def differences(self) -> int:
        """All of them."""
        return self.missing + self.surplus + self.different


@dataclass(frozen=True, slots=True)
class _Part:
    """[since, until) of the folder; no `until`: to the present. `first`: it begins where the range does."""

    number: int
    since: datetime
    until: datetime | None
    first: bool


@dataclass(frozen=True, slots=True)
class _Work:
    graph: Graph
    ref: Ref
    folder: FolderRef
    look: Look
    places: Places
    tally: Tally
    found: Found
    sweep: Sweep


async def folder(*, graph: Graph, ref: Ref, folder: FolderRef, look: Look, tally: Tally) -> Found:
    """Compare one folder, and write down what was found. Raises Stopped: from a step, and GraphError.

    What is held from before the range, of a backfill that was cancelled or is paused, is compared as well; what is
    not held from there is not missing.
    """
    floor = look.since or ref.floor
    oldest = None if look.since else await hop(lambda: held.oldest(ref=ref, folder=folder.id))
    since = min(floor, oldest or floor)
    look = replace(look, since=since, floor=floor)
    edges = await hop(
        lambda: held.edges(ref=ref, folder=folder.id, since=since, until=look.until, every=PAGE - SPARE)
    )
    parts = deque(enumerate(pairwise([look.until, *edges, None])))
    agreed = await hop(lambda: held.agreed(ref=ref, folder=folder.id))
    work = _Work(graph, ref, folder, look, Places(ref=ref), tally, Found(), Sweep(agreed=agreed))

    async def walk() -> None:
        while parts:
            number, (until, edge) = parts.popleft()
            await _walk(work, _Part(number, edge or since, until, first=edge is None))

    try:
        await together(walk() for _ in range(WALKERS))
    finally:
        await asyncio.shield(work.places.close())
    found = work.found
    asks: int | None = None
    if look.repair:
        removed, asks = await work.sweep.end(ref=ref, held=found.held, steps=look.steps)
        tally.removed += removed
    if not look.kept:
        return found
    step = ProvenStep(
        workspace=ref.workspace,
        run=look.run,
        folder=folder.id,
        since=floor,
        until=look.until,
        outlook=found.outlook,
        held=found.held,
        missing=found.missing,
        surplus=found.surplus,
        different=found.different,
        left=found.differences if asks is None else asks + found.kept_back,
        asks=asks,
    )
    await hop(lambda: store.absorb(ref=ref, asked_at=clock.now(), now=clock.now(), steps=[step]))
    return found


async def _page(work: _Work, part: _Part, until: datetime | None, size: int, link: str | None) -> MessagePage:
    ask = mail.messages if work.look.bodies else mail.ids
    return await ask(
        work.graph,
        root=work.ref.root,
        folder=work.folder.graph_id,
        since=part.since,
        until=until,
        size=size,
        link=link,
    )


async def _walk(work: _Work, part: _Part) -> None:
    """Compare a part, page by page."""
    upper = part.until - MOMENT if part.until else None
    size = BODIES if work.look.bodies else PAGE
    link: str | None = None
    carried: list[Message] = []
    while True:
        try:
            async with work.places.take(number=part.number):
                asked_at = clock.now()
                answer = await _page(work, part, upper + MOMENT if upper else None, size, link)
        except (TooLarge, CursorExpired) as problem:
            too_large = isinstance(problem, TooLarge)
            if size == 1 or (link is None and not too_large):
                raise
            size = max(1, size // 4) if too_large else size
            link, carried = None, []  # go on below what was compared
            continue
        link = answer.next_link
        some = carried + answer.value
        edge = min((one.received_date_time for one in some if one.received_date_time), default=None)
        lower = edge if link is not None else None
        carried = [one for one in some if lower is not None and one.received_date_time == lower]
        stretch = [one for one in some if lower is None or one.received_date_time != lower]
        if link is not None and not stretch:
            continue  # a whole page of one second: look at it with the next
        above = lower if lower is not None or part.first else part.since - MOMENT
        await _stretch(work, stretch, above=above, upto=upper, asked_at=asked_at)
        await work.look.seen(len(stretch))
        upper = lower
        if link is None:
            return


async def _stretch(
    work: _Work, outlook: list[Message], *, above: datetime | None, upto: datetime | None, asked_at: datetime
) -> None:
    ref, look = work.ref, work.look
    marks = fetch.marks(messages=outlook, folder=work.folder.graph_id)
    bodies = await hop(lambda: [digest(message=one) for one in outlook]) if look.bodies else [None] * len(outlook)
    theirs = {
        one.immutable_id: State(
            one.change_key, one.is_read, one.flag, None if one.categories is None else tuple(one.categories), body
        )
        for one, body in zip(marks, bodies, strict=True)
    }
    ours = await hop(
        lambda: held.between(
            ref=ref,
            folder=work.folder.id,
            since=look.since or ref.scope_start,
            above=above,
            upto=upto,
            bodies=look.bodies,
        )
    )
    if look.floor is not None:
        skip = {
            one.immutable_id
            for one in marks
            if one.immutable_id not in ours and one.received_at is not None and one.received_at < look.floor
        }
        theirs = {one: state for one, state in theirs.items() if one not in skip}
        outlook = [one for one in outlook if one.id not in skip]
    apart = compare(outlook=theirs, held=ours)
    read = await fetch.by_id(graph=work.graph, ref=ref, ids=apart.surplus, light=True)
    moved = read.messages
    # No list with a range of time names a message without a date. What can be read by id, and does not say that it
    # lies elsewhere, has not left.
    unlisted = sum(one.parent_folder_id in (work.folder.graph_id, "", None) for one in moved)
    elsewhere = await hop(lambda: held.live(ref=ref, ids=apart.missing))
    found = work.found
    found.outlook += len(theirs) + unlisted
    found.held += len(ours)
    found.missing += len(apart.missing) - len(elsewhere)
    found.surplus += len(apart.surplus) - unlisted
    found.different += len(apart.different) + len(elsewhere)
    if look.repair:
        await _repair(work, outlook, apart, asked_at, moved, read.gone)


async def _repair(
    work: _Work, outlook: list[Message], apart: Difference, asked_at: datetime, moved: list[Message], gone: list[str]
) -> None:
    """Make ours equal, through the one way into the store. `moved`, `gone`: what became of the surplus."""
    graph, ref, home = work.graph, work.ref, work.folder.graph_id
    gone = work.sweep.keep(ids=gone, asked_at=asked_at)
    marks = fetch.marks(messages=outlook, folder=home) + [one for one in fetch.marks(messages=moved) if one.folder]
    if apart.silent:
        await hop(lambda: held.doubt(ref=ref, ids=apart.silent))
    plan = await hop(lambda: store.compare(ref=ref, marks=marks, gone=gone, asked_at=asked_at, now=clock.now()))
    wanted = list(dict.fromkeys([*plan.fetch, *apart.silent]))
    whole = {one.id: one for one in outlook} if work.look.bodies else {}
    read = await fetch.by_id(graph=graph, ref=ref, ids=[one for one in wanted if one not in whole], light=False)
    messages = read.messages + [whole[one] for one in wanted if one in whole]
    received = {one.immutable_id: one.received_at for one in marks}
    late = {one: received.get(one) for one in [*read.gone, *read.kept_back]}
    messages += await fetch.listed(graph=graph, ref=ref, folder=home, received=late)
    named = {one.id for one in messages}
    if not messages and len(read.kept_back) > MOST_KEPT_BACK:
        raise next(iter(read.kept_back.values()))  # not these messages: Outlook gives out none just now
    vanished = [one for one in read.gone if one not in named]
    work.found.kept_back += sum(one not in named for one in read.kept_back)
    letters = await fetch.letters(ref=ref, messages=messages, asked_at=asked_at, folder=home)
    outcome = await hop(
        lambda: store.absorb(
            ref=ref,
            asked_at=asked_at,
            now=clock.now(),
            letters=[one for one in letters if one.received_at >= ref.scope_start],
            marks=marks,
            gone=[*gone, *vanished],
            steps=work.look.steps,
            history=True,
        )
    )
    work.tally.added += len(outcome.added)
    work.tally.changed += outcome.changed
    work.tally.removed += outcome.removed
