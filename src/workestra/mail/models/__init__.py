"""Tables and constraints; nothing here writes. Every write is a verb in `workestra.mail.doors`."""

from workestra.mail.models.connection import Connection, Folder, Grant, SignIn
from workestra.mail.models.conversation import ThreadAct, ThreadPin
from workestra.mail.models.history import Backfill, Slice
from workestra.mail.models.identity import Mailbox, Notice, Schedule, Slot, Subscription
from workestra.mail.models.message import Message, Thread, ThreadCopy, ThreadKey
from workestra.mail.models.readstate import ReadChange, SeenMark
from workestra.mail.models.run import Proof, SyncRun

__all__ = [
    "Backfill",
    "Connection",
    "Folder",
    "Grant",
    "Mailbox",
    "Message",
    "Notice",
    "Proof",
    "ReadChange",
    "Schedule",
    "SeenMark",
    "SignIn",
    "Slice",
    "Slot",
    "Subscription",
    "SyncRun",
    "Thread",
    "ThreadAct",
    "ThreadCopy",
    "ThreadKey",
    "ThreadPin",
]
