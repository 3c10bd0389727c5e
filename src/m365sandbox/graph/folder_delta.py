"""Changes of the folder tree since a token, over the whole hierarchy (Graph: mailFolder: delta)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ..delta import SyncStateLost
from ..folders import Folder
from ..mailbox import Mailbox
from . import access
from .folders import selected, show
from .message_delta import PAGE, lost, token_of
from .query import Options
from .wire import Reply, Request


def _changes(box: Mailbox, since: int) -> list[tuple[int, Folder]]:
    """Each folder once, at its last change after `since`."""
    latest: dict[int, tuple[int, Folder]] = {}
    for seq, folder in box.folder_log:
        if seq > since:
            latest[folder.number] = (seq, folder)
    return sorted(latest.values(), key=lambda pair: pair[0])


def delta(request: Request) -> Reply:
    """GET .../mailFolders/delta."""
    access.read(request)
    box, world = request.mailbox, request.world
    options = Options(request.query)
    options.only("$select", "$skiptoken", "$deltatoken", "includeHiddenFolders")
    link = f"{request.base}/{request.root}/mailFolders/delta"
    token = token_of(options)
    if token is None:
        pairs = [pair for pair in request.query if not pair[0].endswith("token")]
        cursor = world.cursors.start(kind="folders", owner=box.owner_id, folder=0, since=0, options=pairs)
    else:
        try:
            cursor = world.cursors.read(token, kind="folders", owner=box.owner_id, folder=0)
        except SyncStateLost as problem:
            raise lost(problem, f"{link}?$deltatoken=") from problem
    asked = Options(cursor.options)
    names = selected(asked)
    hidden = (asked.text("includeHiddenFolders") or "false").casefold() == "true"
    size = request.prefer.page_size or PAGE
    if request.prefer.page_size is not None:
        request.prefer.applied(f"odata.maxpagesize={size}")
    request.prefer.applied("odata.track-changes")
    changed = [
        (seq, folder)
        for seq, folder in _changes(box, cursor.since)
        if (hidden or not folder.hidden) and folder is not box.root and (folder.alive or token is not None)
    ]
    page, rest = changed[:size], changed[size:]
    since = page[-1][0] if rest else box.change
    done = not rest
    value: list[dict[str, Any]] = [
        show(box, folder, names, typed=True) if folder.alive else _removed(folder) for _, folder in page
    ]
    after = replace(cursor, since=since, first=cursor.first and not done)
    key, name = ("@odata.deltaLink", "deltatoken") if done else ("@odata.nextLink", "skiptoken")
    body = {
        "@odata.context": f"{request.base}/$metadata#Collection(mailFolder)",
        key: f"{link}?${name}={world.cursors.issue(after)}",
        "value": value,
    }
    return Reply(200, body)


def _removed(folder: Folder) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.mailFolder", "id": folder.id, "@removed": {"reason": "deleted"}}
