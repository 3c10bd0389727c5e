"""Folders of a mailbox: the tree, its changes, and which folder plays which role.

A folder's role is asked for by its well-known name, never guessed from its display name, which follows the
language and the person's taste. Graph: "mailFolder resource type", "mailFolder: delta".
"""

from __future__ import annotations

from collections import deque

from .batch import Ask, batch
from .client import Graph
from .errors import AccessDenied, Gone, GraphError, NoMailbox, Refused, Unreachable
from .exchange import segment
from .mail import root_path
from .wire import Folder, FolderPage

WELL_KNOWN = (
    "inbox",
    "sentitems",
    "archive",
    "drafts",
    "outbox",
    "deleteditems",
    "junkemail",
    "msgfolderroot",
    "clutter",
    "conversationhistory",
    "searchfolders",
    "scheduled",
    "recoverableitemsdeletions",
    "syncissues",
    "conflicts",
    "localfailures",
    "serverfailures",
)
FIELDS = "id,displayName,parentFolderId,childFolderCount,totalItemCount,unreadItemCount,isHidden"
PAGE = 250


async def folder(graph: Graph, *, folder: str, root: str = "me") -> Folder:
    """One folder by its id or well-known name; `msgfolderroot` is the root, whose id names the mailbox
    itself.
    """
    path = f"{root_path(root)}/mailFolders/{segment(folder)}"
    return await graph.get(path=path, kind=Folder, query={"$select": FIELDS})


async def folder_tree(graph: Graph, *, root: str = "me", hidden: bool = False) -> list[Folder]:
    """Every folder, parents before their children; search folders left out. Hidden ones only if asked for."""
    query: dict[str, str | int] = {"$select": FIELDS, "$top": PAGE}
    if hidden:
        query["includeHiddenFolders"] = "true"
    found: dict[str, Folder] = {}
    paths = deque([f"{root_path(root)}/mailFolders"])
    while paths:
        page = await graph.get(path=paths.popleft(), kind=FolderPage, query=query)
        while True:
            for one in page.value:
                if one.id in found or (one.odata_type or "").endswith("mailSearchFolder"):
                    continue
                found[one.id] = one
                if one.child_folder_count:
                    paths.append(f"{root_path(root)}/mailFolders/{segment(one.id)}/childFolders")
            if page.next_link is None:
                break
            page = await graph.follow(link=page.next_link, kind=FolderPage)
    return list(found.values())


async def folders_delta(graph: Graph, *, root: str = "me", link: str | None = None, size: int = PAGE) -> FolderPage:
    """One page of what changed among the folders since `link` (None: all of them, a first round)."""
    prefer = (f"odata.maxpagesize={size}",)
    if link is not None:
        page = await graph.follow(link=link, kind=FolderPage, prefer=prefer)
    else:
        path = f"{root_path(root)}/mailFolders/delta"
        page = await graph.get(path=path, kind=FolderPage, query={"$select": FIELDS}, prefer=prefer)
    if page.next_link is None and page.delta_link is None:
        raise Unreachable(code="malformedAnswer", message="a delta page without a link to go on from")
    return page


async def well_known(graph: Graph, *, root: str = "me", names: tuple[str, ...] = WELL_KNOWN) -> dict[str, str]:
    """The folder id of each well-known name that this mailbox has; one request, at most twenty names.

    A mailbox need not have them all (an archive is made on first use). Raises what any name got but "not
    found".
    """
    asks = [
        Ask(path=f"{root_path(root)}/mailFolders/{segment(name)}", kind=Folder, query={"$select": "id"})
        for name in names
    ]
    roles: dict[str, str] = {}
    refused: list[GraphError] = []
    for name, outcome in zip(names, await batch(graph, asks=asks), strict=True):
        if isinstance(outcome, Folder):
            roles[name] = outcome.id
        elif isinstance(outcome, GraphError) and not isinstance(outcome, Gone):
            refused.append(outcome)
    for one in refused:
        # "No mailbox" for one name, where another name was found, only says that this folder is not there.
        if not ("inbox" in roles and isinstance(one, (NoMailbox, AccessDenied, Refused))):
            raise one
    return roles
