"""What every measured runner promises, peers and product alike, so that run.py can set them side by side.

A runner is a module with

    def run(*, feeder_url: str, database_url: str, page_size: int, messages: int) -> Result

started in a process of its own by `python -m bench.child MODULE`. `feeder_url` is the origin, without
/v1.0. `database_url` is an empty PostgreSQL database that nobody else uses. Imports, connecting for the
first time and making tables happen outside the clock; everything from the first request for mail to the
last commit inside it. The newest `messages` of the mailbox are wanted: all of it for the fast runners, a
part for the slow ones. The product's runner is `bench.product`, of this same shape.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import msgspec

TOKEN = "bench.token"  # what stands before the dot is the mailbox whose slots are used

SELECT = (
    "id,changeKey,conversationId,conversationIndex,internetMessageId,subject,bodyPreview,body,from,sender,"
    "toRecipients,ccRecipients,bccRecipients,replyTo,receivedDateTime,sentDateTime,createdDateTime,"
    "lastModifiedDateTime,hasAttachments,importance,isRead,isDraft,flag,categories,parentFolderId,webLink,"
    "inferenceClassification,internetMessageHeaders"
)
EXPAND = "attachments($select=id,name,contentType,size,isInline)"


@dataclass(frozen=True, slots=True)
class Result:
    """Wall time in seconds. The last two are counts of the client's own, where it keeps them."""

    seconds: float
    messages: int
    max_in_flight: int = 0
    throttled: int = 0

    def as_json(self) -> str:
        """One line."""
        return msgspec.json.encode(asdict(self)).decode()
