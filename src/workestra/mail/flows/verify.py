"""A check that somebody asked for: the mailbox against the store, folder by folder, id by id (OPS 2).

    folder tree read anew -> each tracked folder compared -> differences of a repair compared once more -> verdict

It goes beside the live lane, and gives way to it. Where a worker dies, another goes on with the next folder. A folder
that cannot be read costs the others nothing, but equal is only what was compared as a whole.
Nothing is ever changed at Microsoft.
"""

from __future__ import annotations

from dataclasses import replace

from workestra.graph.client import Graph
from workestra.graph.errors import GraphError
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import runs
from workestra.mail.doors.ref import FolderRef, Ref
from workestra.mail.doors.runs import Check
from workestra.mail.flows import prove, refusal, tree
from workestra.mail.flows.logged import Account, Meter, logged
from workestra.mail.flows.microsoft import Counted, graph_for
from workestra.mail.flows.prove import Look


async def verify(*, ref: Ref, only: int | None = None) -> None:
    """Do every check of the connection that is asked for, or `only` that one. Raises GraphError."""
    while check := await hop(lambda: runs.next_check(ref=ref, only=only, now=clock.now())):
        meter = Meter(counted=Counted())
        graph = graph_for(workspace=ref.workspace, connection=ref.connection, counted=meter.counted)
        kind = "repair" if check.repair else "verify"
        async with logged(ref=ref, kind=kind, why="person", meter=meter, run=check.id) as tally:
            refused = await _compare(graph, ref, check, Account(ref, check.id, meter, tally))
        await hop(
            lambda check=check, refused=refused: runs.checked(  # type: ignore[misc]
                ref=ref, run=check.id, refused=refused, now=clock.now()
            )
        )
        if only is not None:
            return


async def _compare(graph: Graph, ref: Ref, check: Check, account: Account) -> list[int]:
    """Compare each folder. Returns those that could not be."""

    async def seen(messages: int) -> None:
        await hop(lambda: runs.compared(ref=ref, run=check.id, messages=messages))
        await account.tell()

    ref = await tree.refresh(graph=graph, ref_=ref)
    done = await hop(lambda: runs.proven(ref=ref, run=check.id))
    look = Look(run=check.id, repair=check.repair, bodies=check.bodies, seen=seen)
    refused: list[int] = []
    for folder in ref.tracked:
        if folder.id in done:
            continue
        try:
            await _folder(graph, ref, folder, look, account)
        except GraphError as problem:
            if await refusal.judge(graph=graph, ref=ref, folder=folder, problem=problem):
                refused.append(folder.id)
    return refused


async def _folder(graph: Graph, ref: Ref, folder: FolderRef, look: Look, account: Account) -> None:
    found = await prove.folder(graph=graph, ref=ref, folder=folder, look=look, tally=account.tally)
    if look.repair and found.differences:
        again = replace(look, repair=False, kept=False)
        left = await prove.folder(graph=graph, ref=ref, folder=folder, look=again, tally=account.tally)
        await hop(lambda: runs.left(ref=ref, run=look.run, folder=folder.id, differences=left.differences))
