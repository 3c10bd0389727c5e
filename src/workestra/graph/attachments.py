"""Attachments and raw messages: lists, and bytes on their way. Nothing is held in memory whole.

Graph: "attachment resource type", "Get attachment", "Get MIME content of a message".
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from .client import Graph
from .errors import Refused
from .exchange import Download, segment
from .mail import message_path
from .wire import Attachment, AttachmentPage

FIELDS = "id,name,contentType,size,isInline,lastModifiedDateTime"
WITH_CONTENT_ID = f"{FIELDS},microsoft.graph.fileAttachment/contentId"


async def attachments(graph: Graph, *, message_id: str, root: str = "me") -> list[Attachment]:
    """What is attached, inline pictures with their `content_id`, without any bytes.

    The content id belongs to a derived type; a server that refuses the cast is asked once more without it.
    """
    try:
        return await _all(graph, message_id=message_id, root=root, fields=WITH_CONTENT_ID)
    except Refused as error:
        if error.status != 400:
            raise
        return await _all(graph, message_id=message_id, root=root, fields=FIELDS)


async def _all(graph: Graph, *, message_id: str, root: str, fields: str) -> list[Attachment]:
    path = f"{message_path(root, message_id)}/attachments"
    page = await graph.get(path=path, kind=AttachmentPage, query={"$select": fields})
    found = list(page.value)
    while page.next_link is not None:
        page = await graph.follow(link=page.next_link, kind=AttachmentPage)
        found += page.value
    return found


def attachment_bytes(
    graph: Graph, *, message_id: str, attachment_id: str, root: str = "me"
) -> AbstractAsyncContextManager[Download]:
    """The file as it was attached: `async with attachment_bytes(…) as download`, then read its `chunks`.

    An item attachment comes as MIME; a reference attachment has no bytes and is `Refused`.
    """
    return graph.stream(path=f"{message_path(root, message_id)}/attachments/{segment(attachment_id)}/$value")


def mime(graph: Graph, *, message_id: str, root: str = "me") -> AbstractAsyncContextManager[Download]:
    """The whole message as MIME, on its way."""
    return graph.stream(path=f"{message_path(root, message_id)}/$value")
