"""The sync log: what ran, why, how long, what it brought and cost (HLT 3); and how folders compared (BKF 8)."""

from __future__ import annotations

from django.db import models

from workestra.mail.models.connection import Connection, Folder
from workestra.mail.models.history import Backfill
from workestra.tenancy.models import Member, Workspace


class SyncRun(models.Model):
    """One piece of work for one connection. The kinds and their changes of state are in `doors.runs`."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=8)
    why = models.CharField(max_length=12, default="schedule")
    state = models.CharField(max_length=8, default="queued")  # queued | running | done | failed | ended
    requested_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)  # at work, without the waiting
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)  # sent to Graph, refused ones included
    batched = models.PositiveIntegerField(default=0)  # carried inside of those
    throttled_at = models.DateTimeField(null=True)  # waits since then, because Graph asked for it
    throttled_seconds = models.FloatField(default=0)
    error_code = models.CharField(max_length=64, default="", blank=True)
    error_detail = models.JSONField(default=dict)
    joined = models.ForeignKey("self", on_delete=models.SET_NULL, null=True)  # that one's work was its work, too
    backfill = models.ForeignKey(Backfill, on_delete=models.CASCADE, null=True, related_name="runs")
    bodies = models.BooleanField(default=False)  # a check that compares every body
    compared = models.PositiveIntegerField(default=0)  # messages that a check has seen so far
    equal = models.BooleanField(null=True)  # what a check found; where it repaired: what it left

    class Meta:
        indexes = [
            models.Index(fields=["connection", "-id"], name="run_newest"),
            models.Index(fields=["connection", "kind", "-id"], name="run_of_kind"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                name="one_manual_run",
                condition=models.Q(kind="manual", state="queued"),
            )
        ]


class Proof(models.Model):
    """How one folder compared with Outlook's, id by id, over [since, until); no `until`: to the present."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="proofs")
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="proofs")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    at = models.DateTimeField()
    outlook = models.PositiveIntegerField()  # messages that Outlook has there
    held = models.PositiveIntegerField()  # messages that we held there
    missing = models.PositiveIntegerField()
    surplus = models.PositiveIntegerField()
    different = models.PositiveIntegerField()
    left = models.PositiveIntegerField()  # of these differences: what a repair did not end

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "folder"], name="one_proof_a_folder")]
        indexes = [models.Index(fields=["folder", "-id"], name="proof_newest")]
