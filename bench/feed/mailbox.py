"""One seeded mailbox held ready to serve: folders, pages of the inbox by date and offset, single messages."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from typing import Any

import msgspec

from bench.feed.messages import light, messages
from bench.feed.ribbon import Ribbon

_WELL_KNOWN = ("inbox", "sentitems", "drafts", "archive", "deleteditems", "junkemail", "outbox")
_SHOWN = ("Inbox", "Sent Items", "Drafts", "Archive", "Deleted Items", "Junk Email", "Outbox")
ROOT = "AQMkAGI2TgAAAQ-root"
IDS = {name: f"AQMkAGI2TgAAAQ-{name}" for name in _WELL_KNOWN}
ALIASES = {**IDS, "msgfolderroot": ROOT}


class Mailbox:
    """All mail lies in the inbox, newest first; the other well-known folders are empty."""

    def __init__(self, *, count: int, mean: int, days: int, newest: datetime, seed: int) -> None:
        full: list[bytes] = []
        small: list[bytes] = []
        self._negated: list[int] = []  # minus the received second, ascending, so that bisect works newest first
        self.places: dict[str, int] = {}
        self.html_bytes = 0
        encode = msgspec.json.encode
        for place, one in enumerate(
            messages(count=count, mean=mean, days=days, newest=newest, folder=IDS["inbox"], seed=seed)
        ):
            full.append(encode(one))
            small.append(encode(light(message=one)))
            self._negated.append(-second(one["receivedDateTime"]))
            self.places[one["id"]] = place
            self.html_bytes += len(one["body"]["content"].encode())
        self.unread = sum(b'"isRead":false' in one for one in small)
        self.full = Ribbon(objects=full)
        self.light = Ribbon(objects=small)

    def __len__(self) -> int:
        return len(self.full)

    def span(self, *, since: int | None, before: int | None) -> tuple[int, int]:
        """Index range [start, stop) of messages with since <= received second < before."""
        start = 0 if before is None else bisect_left(self._negated, -before + 1)
        stop = len(self._negated) if since is None else bisect_left(self._negated, -since + 1)
        return start, max(start, stop)

    def folders(self) -> list[dict[str, Any]]:
        """The top-level folders as Graph's mailFolder objects."""
        return [
            {
                "id": IDS[name],
                "displayName": shown,
                "parentFolderId": ROOT,
                "childFolderCount": 0,
                "unreadItemCount": self.unread if name == "inbox" else 0,
                "totalItemCount": len(self) if name == "inbox" else 0,
                "sizeInBytes": self.html_bytes if name == "inbox" else 0,
                "isHidden": False,
            }
            for name, shown in zip(_WELL_KNOWN, _SHOWN, strict=True)
        ]

    def folder(self, *, name: str) -> dict[str, Any] | None:
        """One folder by id or well-known name; None when there is none."""
        wanted = ALIASES.get(name.lower(), name)
        if wanted == ROOT:
            return {
                "id": ROOT,
                "displayName": "Top of Information Store",
                "parentFolderId": "AQMkAGI2TgAAAQ-store",
                "childFolderCount": len(_WELL_KNOWN),
                "unreadItemCount": 0,
                "totalItemCount": 0,
                "isHidden": False,
            }
        return next((one for one in self.folders() if one["id"] == wanted), None)


def second(stamp: str) -> int:
    """Unix second of an ISO 8601 time; fractions are cut. ValueError when it is none, or has no zone."""
    when = datetime.fromisoformat(stamp)
    if when.tzinfo is None:
        raise ValueError(f"{stamp}: no zone")
    return int(when.timestamp())
