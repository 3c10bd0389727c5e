"""The sync log: what ran, why, how long, and what it brought (HLT 3)."""

from __future__ import annotations

from django.db import models

from workestra.mail.models.connection import Connection
from workestra.tenancy.models import Member, Workspace


class SyncRun(models.Model):
    """One sync of one connection."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=8)  # manual | notice | light | full
    state = models.CharField(max_length=8, default="queued")  # queued | running | done | failed
    requested_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=64, default="", blank=True)
    error_detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["connection", "-id"], name="run_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                name="one_manual_run",
                condition=models.Q(kind="manual", state="queued"),
            )
        ]
