"""A backfill and the slices of time that its streams work through."""

from __future__ import annotations

from django.db import models

from workestra.mail.models.connection import Connection, Folder
from workestra.tenancy.models import Member, Workspace

ACTIVE = ("queued", "running", "paused", "waiting", "held")


class Backfill(models.Model):
    """The one-off pull of history. The states and their changes are drawn in `rules.replication`."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="backfills")
    requested_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True)
    choice = models.CharField(max_length=8)
    since = models.DateTimeField()
    until = models.DateTimeField()
    state = models.CharField(max_length=12, default="queued")
    phase = models.CharField(max_length=12, default="plan")  # plan | pull | prove
    reason = models.CharField(max_length=64, default="", blank=True)
    detail = models.JSONField(default=dict)
    waiting_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # failed tries since its last progress
    estimate = models.PositiveIntegerField(null=True)
    pulled = models.PositiveIntegerField(default=0)  # messages of the range that are in the store now
    already = models.PositiveIntegerField(default=0)  # those of them that were here before, known at its end
    rate = models.FloatField(null=True)  # messages a second, smoothed
    pages = models.PositiveIntegerField(default=0)
    page_size = models.PositiveIntegerField(default=50)
    oldest_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    dismissed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], name="one_active_backfill", condition=models.Q(state__in=ACTIVE)
            )
        ]


class Slice(models.Model):
    """A stretch of one folder's time, [since, until), walked newest first by one stream."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    backfill = models.ForeignKey(Backfill, on_delete=models.CASCADE, related_name="slices")
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE)
    since = models.DateTimeField()
    until = models.DateTimeField()
    link = models.TextField(blank=True, default="")  # the next page; empty: the first
    reached = models.DateTimeField(null=True)  # the oldest message seen: where to start again without a link
    pages = models.PositiveIntegerField(default=0)
    done = models.BooleanField(default=False)
    pulled = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["backfill", "-until"], name="slice_newest", condition=models.Q(done=False))]
