"""The folder tree: names, places and roles, asked for anew (SYN 7)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from workestra.graph import folders as graph_folders
from workestra.graph.client import Graph
from workestra.graph.errors import Gone
from workestra.graph.wire import Folder
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import folders, ref
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.slots import SLOTS
from workestra.mail.flows.lane import lane


async def refresh(*, graph: Graph, ref_: Ref) -> Ref:
    """Read the tree and make ours equal. Returns the connection as it is afterwards."""
    async with lane(ref=ref_):
        tree = await graph_folders.folder_tree(graph, root=ref_.root)
    tree += await _unlisted(graph, ref_, {one.id for one in tree})
    async with lane(ref=ref_, count=SLOTS):
        roles = await graph_folders.well_known(graph, root=ref_.root)
    seen = folders.seen(folders=tree, roles=roles)
    await hop(lambda: folders.replace(ref=ref_, folders=seen, now=clock.now()))
    after = await reread(ref_=ref_)
    return after or ref_


async def _unlisted(graph: Graph, ref_: Ref, listed: set[str]) -> list[Folder]:
    """Folders that the list leaves out and Outlook has all the same: no list alone hides a folder's mail."""
    found = []
    for one in ref_.folders:
        if one.graph_id not in listed:
            async with lane(ref=ref_):
                with contextlib.suppress(Gone):
                    found.append(await graph_folders.folder(graph, folder=one.graph_id, root=ref_.root))
    return found


async def knowing(*, graph: Graph, ref_: Ref, folders: Iterable[str]) -> Ref:
    """The connection, with its tree read anew where one of these folders was made since it was read last."""
    known = {folder.graph_id for folder in ref_.folders}
    return ref_ if set(folders) <= known else await refresh(graph=graph, ref_=ref_)


async def reread(*, ref_: Ref) -> Ref | None:
    """The connection as it is now."""
    from workestra.tenancy.rows import scope

    def read() -> Ref | None:
        with scope(workspace=ref_.workspace):
            return ref.read(connection=ref_.connection)

    return await hop(read)
