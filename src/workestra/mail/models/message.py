"""Messages as stored, the threads that gather them, and what a list shows of a thread."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from workestra.mail.models.connection import Connection, Folder
from workestra.tenancy.models import Workspace


class Thread(models.Model):
    """One conversation inside one workspace. What people see of it is computed from the copies they may see."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    created_at = models.DateTimeField()


class ThreadKey(models.Model):
    """A name under which a thread is found: a message id, or a conversation of one mailbox (16-byte digests)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    key = models.BinaryField()
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="keys")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_thread_a_key")]


class Message(models.Model):
    """One stored copy of a message: (connection, immutable id) is its identity.

    `asked_at` is when the question was put whose answer this row holds: a later question wins, so that a slow
    page of history never overwrites what a notice brought meanwhile. `removed_at` set: removed in Outlook, or
    out of the tracked folders.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, db_index=False)
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
    search = SearchVectorField(null=True)  # subject, people and preview
    asked_at = models.DateTimeField()
    stored_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "connection", "immutable_id"], name="one_message")
        ]
        indexes = [
            models.Index(fields=["thread", "connection", "received_at"], name="message_in_thread"),
            models.Index(fields=["folder", "received_at"], name="message_in_folder"),
            GinIndex(fields=["search"], name="message_search"),
        ]


class ThreadCopy(models.Model):
    """What a list shows of a thread, as one mailbox has it: visibility is per copy, never per thread."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="copies")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, db_index=False)
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
