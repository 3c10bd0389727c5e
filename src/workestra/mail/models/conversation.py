"""What people did to conversations: where each mail stands since, and who did what when."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from workestra.mail.models.message import Thread
from workestra.tenancy.models import Member, Workspace


class ThreadPin(models.Model):
    """The thread that a mail stands in because people split or merged; `key` is the mail's own name."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    key = models.BinaryField()
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="pins")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_pin_a_mail")]


class ThreadAct(models.Model):
    """A split or a merge. Rows are only ever added. Ids alone: threads may be joined and messages may leave."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True)
    kind = models.CharField(max_length=8)  # split | merge
    source = models.BigIntegerField()
    target = models.BigIntegerField()
    messages = ArrayField(models.BigIntegerField(), default=list)  # the stored copies that went over
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "source"], name="act_by_source")]
