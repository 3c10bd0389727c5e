"""The bare table: one row a message, one unique key, no search, no threads, no row-level security."""

from __future__ import annotations

from django.db import models


class Letter(models.Model):
    """A message as its client library shows it."""

    message_id = models.CharField(max_length=255, unique=True)
    internet_message_id = models.TextField()
    conversation_id = models.TextField()
    folder_id = models.TextField()
    change_key = models.TextField()
    subject = models.TextField()
    sender = models.TextField()
    sender_name = models.TextField()
    recipients = models.JSONField()
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    is_read = models.BooleanField()
    importance = models.TextField()
    flag = models.TextField()
    categories = models.JSONField()
    has_attachments = models.BooleanField()
    attachments = models.JSONField()
    headers = models.JSONField()
    preview = models.TextField()
    body_type = models.TextField()
    body = models.TextField()

    class Meta:
        app_label = "table"


CHANGING = [field.name for field in Letter._meta.concrete_fields if field.name not in ("id", "message_id")]
