"""What one message says: the content of a letter, apart from where it lies and whether it was read.

A letter is immutable. Seeded letters derive their body only when somebody asks for it, so that a mailbox
of any size costs memory for its index alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """A name and an SMTP address, as in Graph's emailAddress."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One attachment. `content` is called only when its bytes are asked for."""

    name: str
    content_type: str
    size: int
    content: Callable[[], bytes]
    is_inline: bool = False
    content_id: str | None = None
    kind: str = "file"  # file | item | reference, as in Graph's attachment types


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail as its author wrote it. Times are aware datetimes in UTC, whole seconds."""

    subject: str
    sender: Address | None
    to: tuple[Address, ...]
    received_at: datetime
    sent_at: datetime
    internet_message_id: str
    body: Callable[[], tuple[str, str]]  # ("html" | "text", content)
    preview: Callable[[], str]  # up to 255 characters of text
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    from_: Address | None = None  # differs from sender when sent on behalf
    importance: str = "normal"
    conversation: str = ""  # any stable text: the mailbox derives its own conversationId from it
    headers: tuple[tuple[str, str], ...] = ()  # internet headers beyond those that follow from the fields
    enclosures: tuple[Enclosure, ...] = ()
    odata_type: str = "#microsoft.graph.message"  # or #microsoft.graph.eventMessage...
    in_reply_to: str | None = None
    references: tuple[str, ...] = field(default=())
