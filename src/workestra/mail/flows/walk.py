"""One page of a folder's delta: read light, ask for the content that is missing, absorb with the cursor.

`@removed` only says "left this folder": each is asked for by its immutable id; readable means moved, not
found means gone.
"""

from __future__ import annotations

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import CursorExpired, KeptBack, Refused, TooLarge
from workestra.graph.wire import MessagePage
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import folders, store
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.runs import Tally
from workestra.mail.doors.steps import FolderStep
from workestra.mail.flows import fetch, tree
from workestra.mail.flows.lane import lane
from workestra.mail.intake import Mark, told
from workestra.rules.retrying import RETRIES

PAGE = 200
FIRST_PAGE = 500
LEAST = 10


async def page(*, graph: Graph, ref: Ref, folder: FolderRef, tally: Tally) -> bool:
    """Walk one page. True: the round ended with it.

    A cursor that is worn out, or refused in whatever words, starts a new round, after which all ids are compared.
    Where the pages of a new round wear out as well, that is raised: whoever goes on does so after a while.
    """
    link = folder.link or folder.cursor or None
    asked_at = clock.now()
    try:
        answer = await _asked(graph, ref, folder, link)
    except (CursorExpired, Refused):
        if link is None:
            raise
        await hop(
            lambda: folders.restart_round(ref=ref, folder=folder.id, was_cursor=folder.cursor, was_link=folder.link)
        )
        if folder.prove and not folder.cursor:
            raise
        return False
    left = [one.id for one in answer.value if one.removed is not None]
    here = fetch.marks(messages=[one for one in answer.value if one.removed is None], folder=folder.graph_id)
    where = await _whereabouts(graph, ref, folder, left, {one.immutable_id for one in here})
    moved, gone = fetch.marks(messages=where.messages), where.gone
    ref = await tree.knowing(graph=graph, ref_=ref, folders=(one.folder for one in moved))
    marks = here + moved
    plan = await hop(lambda: store.compare(ref=ref, marks=marks, gone=gone, asked_at=asked_at, now=clock.now()))
    by_id = {one.immutable_id: one for one in marks}
    wanted = [one for one in plan.fetch if _wanted(ref, by_id[one])]
    read = await fetch.by_id(graph=graph, ref=ref, ids=wanted, light=False)
    # The cursor passes them only once, so what cannot be read by id yet cannot be left for later.
    late = await fetch.listed(
        graph=graph,
        ref=ref,
        folder=folder.graph_id,
        received={one: by_id[one].received_at for one in [*read.gone, *read.kept_back]},
    )
    named = {message.id for message in late}
    messages, vanished = read.messages, [one for one in read.gone if one not in named]
    kept_back = where.kept_back | {one: what for one, what in read.kept_back.items() if one not in named}
    if kept_back and ref.failures < RETRIES:
        said = next(iter(kept_back.values()))  # it may pass; if it does not, the rest goes on without them
        raise KeptBack(code=said.code, message=said.message, status=said.status, request_id=said.request_id)
    letters = await fetch.letters(ref=ref, messages=messages + late, asked_at=asked_at, folder=folder.graph_id)
    # A light item may leave out what did not change, so that only the message itself tells whether it has a date. One
    # without any belongs to every range: no list with a range of time names it, and a wider range would not bring it.
    undated = {one.id for one in messages + late if told(one.received_date_time) is None}
    letters = [one for one in letters if one.received_at >= ref.scope_start or one.immutable_id in undated]
    step = FolderStep(
        folder=folder.id,
        was_cursor=folder.cursor,
        was_link=folder.link,
        link=answer.next_link or "",
        cursor=answer.delta_link or "",
        skipped=bool(kept_back) or any(_in_range(ref, by_id[one]) for one in plan.fetch if one not in wanted),
    )
    outcome = await hop(
        lambda: store.absorb(
            ref=ref,
            asked_at=asked_at,
            now=clock.now(),
            letters=letters,
            marks=marks,
            gone=[*gone, *vanished],
            steps=[step],
        )
    )
    tally.added += len(outcome.added)
    if folder.ready and outcome.added:
        tally.found.add(folder.id)
    tally.changed += outcome.changed
    tally.removed += outcome.removed
    return bool(answer.delta_link)


async def _asked(graph: Graph, ref: Ref, folder: FolderRef, link: str | None) -> MessagePage:
    """The page, or a smaller one where it is too much for Microsoft."""
    size = PAGE if folder.cursor else FIRST_PAGE
    while True:
        try:
            async with lane(ref=ref):
                return await mail.messages_delta(graph, folder=folder.graph_id, root=ref.root, link=link, size=size)
        except TooLarge:
            if size <= LEAST:
                raise
            size = max(LEAST, size // 4)


def _in_range(ref: Ref, mark: Mark) -> bool:
    return mark.received_at is None or mark.received_at >= ref.scope_start


def _wanted(ref: Ref, mark: Mark) -> bool:
    """Whether content that is missing is asked for here: in range, and not left to a backfill under way."""
    return mark.received_at is None or mark.received_at >= ref.floor


async def _whereabouts(graph: Graph, ref: Ref, folder: FolderRef, left: list[str], here: set[str]) -> fetch.Answers:
    """Where the messages that left this folder are now.

    Only those that the store holds here are asked about: unknown ones are legal and mean nothing, and what was met
    elsewhere meanwhile has left long ago; only the delta of its new folder tells of its end.
    """
    some = [one for one in left if one not in here]
    known = await hop(lambda: store.known(ref=ref, ids=some, folder=folder.graph_id))
    return await fetch.by_id(graph=graph, ref=ref, ids=known, light=True)
