"""Which connections a member may see the mail of."""

from __future__ import annotations

from django.db.models import QuerySet

from workestra.mail.models import Connection
from workestra.tenancy.models import Member


def visible(*, member: Member) -> QuerySet[Connection]:
    """The connections whose mail this member sees: their own, also those that are disconnected."""
    return Connection.objects.filter(workspace_id=member.workspace_id, owner=member)


def visible_ids(*, member: Member) -> list[int]:
    """Their ids, in order."""
    return list(visible(member=member).order_by("id").values_list("pk", flat=True))
