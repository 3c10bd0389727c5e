"""Every read that a person can reach. Inside the workspace's scope; what comes back is plain data.

Who sees what: a mailbox's mail is seen by its owner alone (REC 6); visibility belongs to each stored copy, so
subjects, people, counts and unread come from the copies that this viewer may see, never from the thread.
"""

from __future__ import annotations

from workestra.mail.doors.cards import (
    BackfillCard,
    ConnectionCard,
    MailboxChoice,
    attention,
    connection_card,
    connection_cards,
    mailboxes,
    worst_health,
)
from workestra.mail.doors.lists import InboxPage, ThreadRow, inbox_page, thread_row, unread_count
from workestra.mail.doors.logbook import (
    CheckView,
    FolderProof,
    LogRow,
    SweepAsked,
    last_check,
    log,
    proofs,
    sweeps_asked,
)
from workestra.mail.doors.threadview import AttachmentView, MessageView, Person, ThreadView, thread

__all__ = [
    "AttachmentView",
    "BackfillCard",
    "CheckView",
    "ConnectionCard",
    "FolderProof",
    "InboxPage",
    "LogRow",
    "MailboxChoice",
    "MessageView",
    "Person",
    "SweepAsked",
    "ThreadRow",
    "ThreadView",
    "attention",
    "connection_card",
    "connection_cards",
    "inbox_page",
    "last_check",
    "log",
    "mailboxes",
    "proofs",
    "sweeps_asked",
    "thread",
    "thread_row",
    "unread_count",
    "worst_health",
]
