"""Telling Outlook what was marked as read or unread here (SYN 11).

A few changes go one by one, many by batches of twenty, of which Outlook runs four at once: a batch therefore holds
all four slots. It goes before history. What a dead worker left on its way is put once more, which does no harm.
A pause that Microsoft asks for is the whole mailbox's; where no usable answer came, only these changes wait.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from workestra.graph import mail
from workestra.graph.batch import MOST
from workestra.graph.client import Graph
from workestra.graph.errors import AccessDenied, Gone, GraphError, NoMailbox, SignInNeeded, Throttled, Unreachable
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail import dispatch
from workestra.mail.doors import readstate, schedule
from workestra.mail.doors.readstate import Claimed
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.slots import SLOTS
from workestra.mail.flows.fetch import FEW
from workestra.mail.flows.lane import lane
from workestra.mail.flows.microsoft import graph_for
from workestra.tenancy.rows import scope

CONFLICTS = (409, 412, 423)  # somebody else was writing
TRIES = 5

log = structlog.get_logger("workestra.read_state")


async def tell(*, ref: Ref) -> None:
    """Put every change that is due to Outlook. Raises Throttled, SignInNeeded and NoMailbox, once what was taken is
    written: what concerns the whole mailbox refuses no change.
    """
    graph = graph_for(workspace=ref.workspace, connection=ref.connection)
    while count := await hop(lambda: readstate.due(ref=ref, most=FEW + 1, now=clock.now())):
        slots, most = (SLOTS, MOST) if count > FEW else (1, 1)
        async with lane(ref=ref, count=slots, click=True):
            some = await hop(lambda most=most: readstate.claim(ref=ref, most=most, now=clock.now()))  # type: ignore[misc]
            answers = await _put(graph, ref, some)
        await _settle(ref, some, answers)


async def _put(graph: Graph, ref: Ref, some: Sequence[Claimed]) -> list[GraphError | None]:
    """What became of each: None where Outlook took it."""
    if not some:
        return []
    wanted = some[0].wanted
    ids = [one.immutable_id for one in some]
    try:
        if len(ids) == 1:
            await mail.mark_read(graph, message_id=ids[0], is_read=wanted, root=ref.root)
            return [None]
        found = await mail.mark_many_read(graph, message_ids=ids, is_read=wanted, root=ref.root)
    except GraphError as problem:
        return [problem] * len(some)
    outcomes = [found[one] for one in ids]
    return [one if isinstance(one, GraphError) else None for one in outcomes]


async def _settle(ref: Ref, some: Sequence[Claimed], answers: Sequence[GraphError | None]) -> None:
    """Write down what became of them. Raises what concerns the whole mailbox."""
    taken, again, pauses = [], [], []
    refused: dict[int, str] = {}
    for one, problem in zip(some, answers, strict=True):
        if problem is None:
            taken.append(one)
        elif isinstance(problem, (Throttled, SignInNeeded, NoMailbox)):
            pauses.append(problem)
        elif isinstance(problem, Unreachable) or (_passing(problem) and one.attempts < TRIES):
            again.append(one)
        else:
            log.warning("read_state.refused", code=problem.code, status=problem.status, request_id=problem.request_id)
            refused[one.message] = _code(problem)
    now = clock.now()
    if taken:
        await hop(lambda: readstate.accepted(ref=ref, changes=taken, now=now))
    if again:
        await hop(lambda: readstate.later(ref=ref, changes=again, now=now))
    if refused:
        await hop(lambda: readstate.refused(ref=ref, changes=refused, claimed=some, now=now))
    if any(isinstance(problem, Gone) for problem in answers):
        await hop(lambda: _look(ref))
    if pauses:
        raise next((one for one in pauses if isinstance(one, SignInNeeded)), pauses[0])


def _passing(problem: GraphError) -> bool:
    """Whether a refusal may pass: somebody else was writing, or the letter is too new to be found by its id (T6)."""
    return problem.status in CONFLICTS or isinstance(problem, Gone)


def _code(problem: GraphError) -> str:
    """The words for people."""
    if isinstance(problem, Gone):
        return "message_gone"
    return "read_state_denied" if isinstance(problem, AccessDenied) else "read_state_refused"


def _look(ref: Ref) -> None:
    """A message that is not where it was: see what became of it."""
    with scope(workspace=ref.workspace):
        schedule.want(workspace=ref.workspace, connection=ref.connection, kind="light", now=clock.now())
        dispatch.pull(workspace=ref.workspace, connection=ref.connection)
