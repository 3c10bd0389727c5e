"""Messages as stored, the threads that gather them, and what a list shows of a thread.

Only the nearest key of a row is enforced by the database: a message by its folder and its thread, a key and a copy
by their thread. Folder and thread lead on to connection and workspace, so nothing can hang in the air, and four
requests at once do not queue to lock one workspace row for every message they store.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from workestra.mail.models.connection import Connection, Folder
from workestra.tenancy.models import Workspace


class Thread(models.Model):
    """One conversation inside one workspace. What people see of it is computed from the copies they may see.

    `root`: the thread whose family it belongs to, where people split or merged (None: its own). `parted`: of a root,
    that its family was touched by people, so that what comes for it is arranged by `rules.arranging`.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    created_at = models.DateTimeField()
    root = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="family")
    parted = models.BooleanField(db_default=False)


class ThreadKey(models.Model):
    """A name under which a family's root is found: a message id, or a mailbox's conversation (16-byte digests)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    key = models.BinaryField()
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="keys")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_thread_a_key")]


class Message(models.Model):
    """One stored copy of a message: (connection, immutable id) is its identity.

    `asked_at` is when the question was put whose answer this row holds: a later question wins, so that a slow
    page of history never overwrites what a notice brought meanwhile. `removed_at` set: removed in Outlook, or
    out of the tracked folders. `doubted`: a light page told of a later version than the content is of.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="messages", db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.PROTECT, db_index=False)
    immutable_id = models.CharField(max_length=512)
    change_key = models.CharField(max_length=128, blank=True)
    internet_message_id = models.TextField(blank=True)
    conversation_id = models.CharField(max_length=512, blank=True)
    subject = models.TextField(blank=True)
    preview = models.TextField(blank=True)
    from_name = models.TextField(blank=True)
    from_address = models.TextField(blank=True)
    people = models.JSONField(default=dict)  # {"sender": [name, address], "to": [[name, address], ...], ...}
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    importance = models.CharField(max_length=8, default="normal")
    categories = ArrayField(models.TextField(), default=list)
    is_read = models.BooleanField()
    flag = models.CharField(max_length=12, default="notFlagged")
    is_draft = models.BooleanField(default=False)
    has_attachments = models.BooleanField(default=False)
    attachments = models.JSONField(default=list)  # metadata; the bytes are fetched on demand
    headers = models.JSONField(default=list)  # those needed for threading
    web_link = models.TextField(blank=True)
    body = models.BinaryField(default=b"")  # zstd
    body_type = models.CharField(max_length=4, default="html")
    body_size = models.IntegerField(default=0)  # bytes of UTF-8 before compression
    body_hash = models.BinaryField(default=b"")  # SHA-256 of the same
    search = SearchVectorField(null=True)  # subject and people
    asked_at = models.DateTimeField()
    stored_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    doubted = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "connection", "immutable_id"], name="one_message")
        ]
        indexes = [
            models.Index(fields=["thread", "connection", "received_at"], name="message_in_thread"),
            models.Index(fields=["folder", "received_at"], name="message_in_folder"),
            models.Index(
                fields=["connection", "folder", "-received_at"],
                name="message_doubted",
                condition=models.Q(doubted=True),
            ),
            GinIndex(fields=["search"], name="message_search"),
        ]


class ThreadCopy(models.Model):
    """What a list shows of a thread, as one mailbox has it: visibility is per copy, never per thread."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="copies")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    last_at = models.DateTimeField()
    subject = models.TextField(blank=True)
    preview = models.TextField(blank=True)
    people = ArrayField(models.TextField(), default=list)
    messages = models.IntegerField(default=0)
    unread = models.IntegerField(default=0)
    fresh = models.IntegerField(default=0)  # unread and arrived since connecting: what is counted and announced
    has_attachments = models.BooleanField(default=False)
    flagged = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "thread", "connection"], name="one_copy_a_mailbox")
        ]
        indexes = [
            models.Index(fields=["connection", "-last_at", "-thread"], name="copy_newest"),
            models.Index(
                fields=["connection", "-last_at", "-thread"],
                name="copy_unread",
                condition=models.Q(unread__gt=0),
            ),
            models.Index(fields=["connection"], name="copy_fresh", condition=models.Q(fresh__gt=0)),
        ]
