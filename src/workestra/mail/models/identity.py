"""What belongs to a mailbox of Microsoft's itself, above all workspaces that connected it.

Request slots, throttling, subscriptions and notices are the mailbox's: two workspaces that connect the same
mailbox share them. These tables hold ids, times and digests, no content, and stand outside the wall.
"""

from __future__ import annotations

from django.db import models


class Mailbox(models.Model):
    """The identity of a mailbox: tenant id and object id (a shared one: the id of its root folder)."""

    tenant_id = models.CharField(max_length=64)
    object_id = models.CharField(max_length=255)
    throttled_until = models.DateTimeField(null=True)
    wanted_at = models.DateTimeField(null=True)  # a lane that goes before history waits for a slot since then
    clicked_at = models.DateTimeField(null=True)  # what a person waits for does: it goes before all others

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant_id", "object_id"], name="one_mailbox")]


class Slot(models.Model):
    """One of the four requests that Graph allows at once. Taken by a conditional update, with an expiry."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="slots")
    number = models.PositiveSmallIntegerField()
    holder = models.CharField(max_length=64, default="", blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "number"], name="four_slots")]


class Subscription(models.Model):
    """Graph's registration for change notifications of one well-known folder of a mailbox.

    It rides on the access token of `via`. Its secret (clientState) is kept as a SHA-256 digest only.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="subscriptions")
    resource = models.CharField(max_length=32)  # inbox | sentitems
    graph_id = models.CharField(max_length=64, null=True, unique=True)
    secret_digest = models.BinaryField(default=b"")
    via_workspace_id = models.BigIntegerField(null=True)
    via_connection_id = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    reauthorize_at = models.DateTimeField(null=True)  # Graph asked for it
    last_notice_at = models.DateTimeField(null=True)
    untold_at = models.DateTimeField(null=True)  # a sync found mail that no notice had told of: the first time
    found_at = models.DateTimeField(null=True)  # the last time
    problem = models.CharField(max_length=64, default="", blank=True)
    problem_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "resource"], name="one_subscription_each")]


class Notice(models.Model):
    """What Graph told us, for one connection of the mailbox, stored before it is answered 202.

    Gone once worked off. `queued`: a job that will read it has been asked for.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="notices")
    workspace_id = models.BigIntegerField()
    connection_id = models.BigIntegerField()
    change = models.CharField(max_length=32)  # created | updated | deleted, or a lifecycle event
    item = models.CharField(max_length=512, blank=True)  # immutable id of the message
    received_at = models.DateTimeField()
    queued = models.BooleanField(default=False)
    retry_at = models.DateTimeField(null=True)  # not readable yet: look again then

    class Meta:
        indexes = [
            models.Index(fields=["connection_id", "id"], name="notice_by_connection"),
            models.Index(fields=["id"], name="notice_waiting", condition=models.Q(queued=False)),
        ]


class Schedule(models.Model):
    """When a connection is looked after next. One row a connection, so that one statement finds what is due."""

    connection_id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField(db_index=True)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="schedules")
    active = models.BooleanField(default=True)
    light_at = models.DateTimeField()
    full_at = models.DateTimeField()
    watch_at = models.DateTimeField()  # next look at the subscriptions
    wake_at = models.DateTimeField(null=True)  # a retry, or the end of a throttled time

    class Meta:
        indexes = [
            models.Index(fields=["light_at"], name="due_light", condition=models.Q(active=True)),
            models.Index(fields=["wake_at"], name="due_wake", condition=models.Q(active=True)),
            models.Index(fields=["mailbox"], name="schedule_by_mailbox"),
        ]
