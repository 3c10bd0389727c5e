"""Which connections a member may see the mail of, and in which of them they may change what Outlook has."""

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


def changeable(*, member: Member) -> QuerySet[Connection]:
    """Those in which the member's marks go to Outlook: the mailbox is theirs, and connected (SYN 11)."""
    return visible(member=member).filter(owner=member).exclude(state=Connection.State.DISCONNECTED)


def private_ids(*, member: Member) -> list[int]:
    """Those that the member only sees, in order: their marks there are their own and stay here."""
    return list(
        visible(member=member).exclude(pk__in=changeable(member=member)).order_by("id").values_list("pk", flat=True)
    )
