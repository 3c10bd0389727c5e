"""What these notices name: read by immutable id, absorbed, forgotten.

A message that is not readable yet is asked for again for some minutes and then left to delta. `deleted` only says
that it left a folder, and one that is not found by its id may have come, or come back, a moment ago: it is not taken
for gone, delta decides. Lifecycle notices that mean "changes were missed" ask for a delta sync, too.
"""

from __future__ import annotations

from workestra.graph.client import Graph
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import notices, schedule, store
from workestra.mail.doors.notices import Unread
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.runs import Tally
from workestra.mail.doors.schedule import LIFECYCLE
from workestra.mail.doors.steps import NoticesStep
from workestra.mail.flows import fetch, tree
from workestra.mail.intake import Letter
from workestra.tenancy.rows import scope


async def work_off(*, graph: Graph, ref: Ref, unread: list[Unread], tally: Tally) -> None:
    """Work off these notices of the connection."""
    told = [one for one in unread if one.item and fetch.askable(message_id=one.item)]
    if any(one.change in LIFECYCLE or one not in told for one in unread):
        await hop(lambda: _want_delta(ref))
    told = [one for one in told if one.change not in LIFECYCLE]
    new = {one.item for one in told if one.change == "created"}
    ids = list(dict.fromkeys(one.item for one in told))
    asked_at = clock.now()
    read = await fetch.by_id(graph=graph, ref=ref, ids=ids, light=False)
    messages, missing = read.messages, [*read.gone, *read.kept_back]
    letters = await fetch.letters(ref=ref, messages=messages, asked_at=asked_at)
    _placed(ref, letters, told)
    ref = await tree.knowing(graph=graph, ref_=ref, folders=(one.folder for one in letters))
    wanted = [one for one in letters if one.received_at >= ref.scope_start]
    held = set(await hop(lambda: store.known(ref=ref, ids=missing)))
    if held:
        await hop(lambda: _want_delta(ref))
    patient = [one for one in told if one.item in missing and one.item in new and one.item not in held]
    spent = await hop(lambda: notices.later(notices=patient, now=clock.now()))
    waiting = {one.id for one in patient} - set(spent)
    outcome = await hop(
        lambda: store.absorb(
            ref=ref,
            asked_at=asked_at,
            now=clock.now(),
            letters=wanted,
            steps=[NoticesStep(notices=tuple(one.id for one in unread if one.id not in waiting))],
        )
    )
    tally.added += len(outcome.added)
    tally.changed += outcome.changed
    tally.removed += outcome.removed


def _placed(ref: Ref, letters: list[Letter], told: list[Unread]) -> None:
    """Letters that do not name their folder lie in the one that the notice is about."""
    roles = {folder.role: folder.graph_id for folder in ref.folders}
    places = {one.item: roles.get(one.resource, "") for one in told}
    for one in letters:
        one.folder = one.folder or places.get(one.immutable_id, "")


def _want_delta(ref: Ref) -> None:
    with scope(workspace=ref.workspace):
        schedule.want(workspace=ref.workspace, connection=ref.connection, kind="light", now=clock.now(), why="missed")
