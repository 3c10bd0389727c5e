"""Messages: pages of history, light deltas, single ones, read state.

`root` is "me", or "users/{address or id}" for a shared mailbox. Times are aware; Graph keeps whole seconds,
so bounds are widened to them. Nothing here sends, moves or deletes. Graph: "List messages", "message: delta",
"Get message", "Update message".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from .batch import MOST, Ask, batch
from .client import Graph
from .errors import GraphError, Refused, Unreachable
from .exchange import Query, segment
from .wire import Me, Message, MessagePage

STORED = ",".join(
    (
        "id,changeKey,parentFolderId,conversationId,conversationIndex,internetMessageId,internetMessageHeaders",
        "createdDateTime,lastModifiedDateTime,receivedDateTime,sentDateTime,subject,bodyPreview,body",
        "from,sender,toRecipients,ccRecipients,bccRecipients,replyTo",
        "importance,categories,isRead,isDraft,flag,hasAttachments,webLink",
    )
)
"""What is stored of a message (SYN 10); the headers are not among Graph's default fields."""
ATTACHMENTS = "attachments($select=id,name,contentType,size,isInline)"
"""Metadata without bytes. `contentId` sits on a derived type and is asked for when a message is viewed."""
LIGHT = ",".join(
    (
        "id,changeKey,parentFolderId,receivedDateTime,lastModifiedDateTime",
        "isRead,isDraft,flag,categories",
    )
)
"""What a delta carries. Its links remember this choice: to change it, start new rounds."""
NEWEST_FIRST = "receivedDateTime desc"


def root_path(root: str) -> str:
    """The path of a mailbox: "/me", or "/users/ana%40example.com"."""
    kind, _, who = root.partition("/")
    return f"/{kind}/{segment(who)}" if who else f"/{kind}"


def moment(value: datetime, *, up: bool = False) -> str:
    """A moment in whole seconds, as filters want it: rounded down, or `up`."""
    whole = value.astimezone(UTC).replace(microsecond=0)
    if up and value.microsecond:
        whole += timedelta(seconds=1)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")


def between(*, since: datetime | None, until: datetime | None) -> str:
    """The filter for since <= received < until; either end may be open, but the property must be named."""
    bounds = [f"receivedDateTime ge {moment(since) if since else '1900-01-01T00:00:00Z'}"]
    if until is not None:
        bounds.append(f"receivedDateTime lt {moment(until, up=True)}")
    return " and ".join(bounds)


async def me(graph: Graph, *, root: str = "me") -> Me:
    """Whose token, or whose mailbox, this is."""
    query: Query = {"$select": "id,displayName,mail,userPrincipalName"}
    return await graph.get(path=root_path(root), kind=Me, query=query)


async def messages(
    graph: Graph,
    *,
    root: str = "me",
    folder: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    size: int = 100,
    link: str | None = None,
    arrived: Callable[[], None] | None = None,
) -> MessagePage:
    """One page of full messages, newest first, with since <= received < until; `link` continues a page.

    `folder` is an id or well-known name; None means the whole mailbox. `size` is 1 to 1000; on `TooLarge` ask
    again for fewer. `arrived` is called when the page is here, before it is decoded.
    """
    if link is not None:
        return await graph.follow(link=link, kind=MessagePage, arrived=arrived)
    query: Query = {
        "$filter": between(since=since, until=until),
        "$orderby": NEWEST_FIRST,
        "$select": STORED,
        "$expand": ATTACHMENTS,
        "$top": size,
    }
    return await graph.get(path=_messages(root, folder), kind=MessagePage, query=query, arrived=arrived)


async def ids(
    graph: Graph,
    *,
    folder: str,
    root: str = "me",
    since: datetime | None = None,
    until: datetime | None = None,
    size: int = 1000,
    link: str | None = None,
) -> MessagePage:
    """One page of the light fields of a folder's messages with since <= received < until, newest first."""
    if link is not None:
        return await graph.follow(link=link, kind=MessagePage)
    query: Query = {
        "$filter": between(since=since, until=until),
        "$orderby": NEWEST_FIRST,
        "$select": LIGHT,
        "$top": size,
    }
    return await graph.get(path=_messages(root, folder), kind=MessagePage, query=query)


async def received_since(
    graph: Graph,
    *,
    since: datetime,
    root: str = "me",
    folder: str | None = "inbox",
    size: int = 50,
    link: str | None = None,
) -> MessagePage:
    """One page of messages received at or after `since`, for mailboxes that cannot notify: overlap it."""
    return await messages(graph, root=root, folder=folder, since=since, size=size, link=link)


async def count(
    graph: Graph,
    *,
    root: str = "me",
    folder: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int | None:
    """How many messages there are with since <= received < until. None: there are some, or may be, and the server
    does not say how many.
    """
    query: Query = {
        "$filter": between(since=since, until=until),
        "$count": "true",
        "$top": 1,
        "$select": "id",
    }
    try:
        page = await graph.get(path=_messages(root, folder), kind=MessagePage, query=query)
    except Refused as problem:
        if problem.status != 400:
            raise
        return None  # a server that does not count
    if page.count is not None and page.count > len(page.value):
        return page.count
    return len(page.value) if page.next_link is None else None


async def oldest(graph: Graph, *, folder: str, root: str = "me", since: datetime | None = None) -> datetime | None:
    """When the folder's oldest message at or after `since` was received; None where there is none."""
    query: Query = {
        "$filter": between(since=since, until=None),
        "$orderby": "receivedDateTime",
        "$top": 1,
        "$select": "id,receivedDateTime",
    }
    page = await graph.get(path=_messages(root, folder), kind=MessagePage, query=query)
    return page.value[0].received_date_time if page.value else None


async def messages_delta(
    graph: Graph, *, folder: str, root: str = "me", link: str | None = None, size: int = 200
) -> MessagePage:
    """One light page of what changed in `folder` since `link` (None: everything, newest first, a first round).

    `removed` is set on what left the folder, perhaps for another. A page may be empty and still go on; the
    last one of a round has `delta_link`. Raises `CursorExpired` when a new first round is due.
    """
    prefer = (f"odata.maxpagesize={size}",)
    if link is not None:
        page = await graph.follow(link=link, kind=MessagePage, prefer=prefer)
    else:
        path = f"{_messages(root, folder)}/delta"
        query = {"$select": LIGHT, "$orderby": NEWEST_FIRST}
        page = await graph.get(path=path, kind=MessagePage, query=query, prefer=prefer)
    if page.next_link is None and page.delta_link is None:
        raise Unreachable(code="malformedAnswer", message="a delta page without a link to go on from")
    return page


async def message(graph: Graph, *, message_id: str, root: str = "me") -> Message:
    """One full message by its immutable id. Raises `Gone` where it is not, or not yet, readable."""
    query: Query = {"$select": STORED, "$expand": ATTACHMENTS}
    return await graph.get(path=message_path(root, message_id), kind=Message, query=query)


async def unique_body(graph: Graph, *, message_id: str, root: str = "me") -> Message:
    """What this message adds to its conversation, as `unique_body`, and the whole body: for viewing."""
    query: Query = {"$select": "id,changeKey,body,uniqueBody"}
    return await graph.get(path=message_path(root, message_id), kind=Message, query=query)


async def messages_by_id(
    graph: Graph, *, message_ids: Iterable[str], root: str = "me", light: bool = False
) -> dict[str, Message | GraphError]:
    """Each message, or the error that it got: `Gone` and `Throttled` are per message.

    Twenty share one request, one request after the other. `light` asks for the fields of the delta only.
    """
    query: Query = {"$select": LIGHT} if light else {"$select": STORED, "$expand": ATTACHMENTS}
    wanted = list(dict.fromkeys(message_ids))
    found: dict[str, Message | GraphError] = {}
    for start in range(0, len(wanted), MOST):
        found |= await _each(graph, root=root, message_ids=wanted[start : start + MOST], query=query)
    return found


async def mark_read(graph: Graph, *, message_id: str, is_read: bool, root: str = "me") -> Message:
    """Sets the read state; the answer's `change_key` names the version that this made."""
    path = message_path(root, message_id)
    return await graph.send(method="PATCH", path=path, kind=Message, body={"isRead": is_read})


async def mark_many_read(
    graph: Graph, *, message_ids: Sequence[str], is_read: bool, root: str = "me"
) -> dict[str, Message | GraphError]:
    """Sets the read state of at most twenty messages in one request; each has its own outcome."""
    wanted = list(dict.fromkeys(message_ids))
    return await _each(graph, root=root, message_ids=wanted, method="PATCH", body={"isRead": is_read})


async def _each(
    graph: Graph,
    *,
    root: str,
    message_ids: Sequence[str],
    method: str = "GET",
    query: Query | None = None,
    body: object = None,
) -> dict[str, Message | GraphError]:
    """One batch, in the order of the ids; an id that can be none is refused alone."""
    outcomes: dict[str, Message | GraphError | Ask[Message]] = {}
    for one in message_ids:
        try:
            path = message_path(root, one)
            outcomes[one] = Ask(path=path, kind=Message, method=method, query=query, body=body)
        except Refused as error:
            outcomes[one] = error
    asks = {one: ask for one, ask in outcomes.items() if isinstance(ask, Ask)}
    answers = dict(zip(asks, await batch(graph, asks=list(asks.values())), strict=True))
    return {one: outcome if isinstance(outcome, GraphError) else answers[one] for one, outcome in outcomes.items()}


def message_path(root: str, message_id: str) -> str:
    """Where one message lies."""
    return f"{root_path(root)}/messages/{segment(message_id)}"


def _messages(root: str, folder: str | None) -> str:
    where = f"/mailFolders/{segment(folder)}" if folder is not None else ""
    return f"{root_path(root)}{where}/messages"
