"""A folder that Microsoft does not let us read is put aside: the mail of the others goes on.

    refused > can another folder be read? no: the mailbox's failure, raised
                                          yes: put aside, shown on the connection, tried in a minute and each sync

What is aside is tried like any other, once in a job: the mark is for people, and to compare the folder once it heals.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.graph.errors import (
    AccessDenied,
    Gone,
    GraphError,
    KeptBack,
    NoMailbox,
    Refused,
    SignInNeeded,
    Throttled,
)
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import folders, schedule
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.flows import tree
from workestra.mail.flows.fetch import BROKEN
from workestra.mail.flows.lane import lane

log = structlog.get_logger("workestra.jobs")
OTHERS = 4  # folders that are asked before it is taken for the mailbox's; those that are aside go last
SOON = timedelta(minutes=1)
WHOLE = (SignInNeeded, Throttled, NoMailbox)  # what concerns the mailbox, and never a folder


def lasting(*, problem: GraphError) -> bool:
    """Whether this may be about one folder, and asking again at once will not help."""
    if isinstance(problem, KeptBack):
        return False
    return isinstance(problem, (AccessDenied, Gone, Refused)) or problem.status == BROKEN


async def judge(*, graph: Graph, ref: Ref, folder: FolderRef, problem: GraphError, prove: bool = True) -> bool:
    """Put the folder aside where the problem is about it alone; else raise the problem. `prove` as in `put_aside`.

    False: the folder is not there any more.
    """
    if not lasting(problem=problem) or not await mailbox_answers(
        graph=graph, ref=ref, folder=folder.id, problem=problem
    ):
        raise problem
    return await put_aside(graph=graph, ref=ref, folder=folder, problem=problem, prove=prove)


async def put_aside(*, graph: Graph, ref: Ref, folder: FolderRef, problem: GraphError, prove: bool = True) -> bool:
    """Remember that the folder cannot be read. `prove`: as soon as it can, its ids are compared; else with the next
    daily sync.

    False: it is not there any more.
    """
    if not folder.refused:
        if isinstance(problem, Gone):
            ref = await tree.refresh(graph=graph, ref_=ref)  # it may have been deleted a moment ago
            if all(one.id != folder.id for one in ref.tracked):
                return False
        log.warning("folder.refused", folder=folder.id, code=problem.code, request_id=problem.request_id or "")
    why = problem.code or str(problem.status or "")
    await hop(lambda: folders.refuse(ref=ref, folder=folder.id, why=why, prove=prove))
    if not folder.refused:
        at = clock.now() + SOON
        await hop(lambda: schedule.sooner(connection_id=ref.connection, at=at))  # most refusals pass
    return True


async def mailbox_answers(*, graph: Graph, ref: Ref, folder: int, problem: GraphError) -> bool:
    """Whether the mailbox can be read but for what failed in this folder.

    Another folder has to answer; where Outlook stumbled, a message has to come, as a whole, also out of this folder.
    """
    here = await tree.reread(ref_=ref) or ref
    stumbled = problem.status == BROKEN
    some = [one for one in here.tracked if stumbled or one.id != folder]
    answered = False
    for one in sorted(some, key=lambda one: (one.refused, -one.total))[:OTHERS]:
        try:
            async with lane(ref=ref):
                page = await mail.messages(graph, root=ref.root, folder=one.graph_id, size=1)
        except WHOLE:
            raise
        except GraphError:
            continue
        if page.value:
            return True
        answered = True
    return answered and not stumbled
