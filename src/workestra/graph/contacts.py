"""Outlook contacts, read only, for matching mail with people. Graph: "contact: delta", "List contacts"."""

from __future__ import annotations

from .client import Graph
from .errors import Unreachable
from .exchange import Query, segment
from .mail import root_path
from .wire import ContactPage, FolderPage

FIELDS = ",".join(
    (
        "id,changeKey,parentFolderId,lastModifiedDateTime,displayName,givenName,surname",
        "companyName,jobTitle,emailAddresses,businessPhones,mobilePhone",
    )
)


async def contacts(graph: Graph, *, root: str = "me", link: str | None = None, size: int = 100) -> ContactPage:
    """One page of the default contact folder."""
    if link is not None:
        return await graph.follow(link=link, kind=ContactPage)
    path = f"{root_path(root)}/contacts"
    return await graph.get(path=path, kind=ContactPage, query={"$select": FIELDS, "$top": size})


async def contact_folders(graph: Graph, *, root: str = "me", link: str | None = None) -> FolderPage:
    """One page of the other contact folders; the default one is reached by the name "contacts"."""
    if link is not None:
        return await graph.follow(link=link, kind=FolderPage)
    query: Query = {"$select": "id,displayName,parentFolderId", "$top": 100}
    return await graph.get(path=f"{root_path(root)}/contactFolders", kind=FolderPage, query=query)


async def contacts_delta(
    graph: Graph, *, folder: str = "contacts", root: str = "me", link: str | None = None, size: int = 100
) -> ContactPage:
    """One page of what changed in a contact folder since `link` (None: a first round)."""
    prefer = (f"odata.maxpagesize={size}",)
    if link is not None:
        page = await graph.follow(link=link, kind=ContactPage, prefer=prefer)
    else:
        path = f"{root_path(root)}/contactFolders/{segment(folder)}/contacts/delta"
        page = await graph.get(path=path, kind=ContactPage, query={"$select": FIELDS}, prefer=prefer)
    if page.next_link is None and page.delta_link is None:
        raise Unreachable(code="malformedAnswer", message="a delta page without a link to go on from")
    return page
