"""A folder that Microsoft does not let us read is put aside: the mail of the others goes on.

refused > is another folder readable? no: the mailbox's failure, raised
                                      yes: put aside, shown on the connection, tried in a minute and with each sync
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
from workestra.rules.retrying import RETRIES

log = structlog.get_logger("workestra.jobs")
OTHERS = 3  # folders that are asked before a refusal is taken for the mailbox's
A_WHILE = timedelta(days=1)
SOON = timedelta(minutes=1)


def lasting(*, problem: GraphError, failures: int, known: bool = False) -> bool:
    """Whether asking for this folder again at once will not help. `failures`: tries in a row that went wrong.
    `known`: it is put aside already.
    """
    if isinstance(problem, (AccessDenied, Gone, Refused)):
        return True
    return problem.status == BROKEN and (known or failures >= RETRIES)


async def put_aside(*, graph: Graph, ref: Ref, folder: FolderRef, problem: GraphError, prove: bool = True) -> None:
    """Remember that the folder cannot be read. `prove`: once it can, its ids are compared.

    Raises `problem` where nothing else of the mailbox can be read either.
    """
    if not folder.refused:
        if isinstance(problem, Gone):
            ref = await tree.refresh(graph=graph, ref_=ref)  # it may have been deleted a moment ago
            if all(one.id != folder.id for one in ref.tracked):
                return
        if not await _others(graph, ref, folder):
            raise problem
        log.warning("folder.refused", folder=folder.id, code=problem.code, request_id=problem.request_id or "")
    why = problem.code or str(problem.status or "")
    await hop(lambda: folders.refuse(ref=ref, folder=folder.id, why=why, prove=prove))
    if not folder.refused:
        at = clock.now() + SOON
        await hop(lambda: schedule.sooner(connection_id=ref.connection, at=at))  # most refusals pass


async def _others(graph: Graph, ref: Ref, folder: FolderRef) -> bool:
    """Whether another folder can be read."""
    others = sorted((one for one in ref.readable if one.id != folder.id), key=lambda one: -one.total)
    for one in others[:OTHERS]:
        try:
            async with lane(ref=ref):
                await mail.ids(graph, root=ref.root, folder=one.graph_id, since=clock.now() - A_WHILE, size=1)
            return True
        except (SignInNeeded, Throttled, NoMailbox):
            raise
        except GraphError:
            continue
    return False
