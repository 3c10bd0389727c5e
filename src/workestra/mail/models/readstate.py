"""What people marked as read or unread: changes on their way to Outlook, and marks that stay private."""

from __future__ import annotations

from django.db import models

from workestra.mail.models.connection import Connection
from workestra.mail.models.message import Message, Thread
from workestra.tenancy.models import Member, Workspace


class ReadChange(models.Model):
    """A change of one stored message's read state; its life is drawn in `rules.readstate`. One row a copy."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="read_change")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE)  # who pressed last
    wanted = models.BooleanField()
    was = models.BooleanField()
    number = models.PositiveIntegerField()
    sent = models.PositiveIntegerField(default=0)
    pressed_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    refused = models.CharField(max_length=64, default="", blank=True)  # the code of the refusal
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["connection", "due_at"],
                name="readchange_due",
                condition=models.Q(accepted_at=None, refused=""),
            ),
            models.Index(fields=["connection", "accepted_at"], name="readchange_accepted"),
        ]


class SeenMark(models.Model):
    """How far a member has seen a mailbox's copy of a thread whose read state in Outlook is not theirs to change.

    Received up to `upto` counts as read for them alone. Where there is no mark, Outlook's own state shows.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    upto = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "member", "thread", "connection"], name="one_seen_mark")
        ]
