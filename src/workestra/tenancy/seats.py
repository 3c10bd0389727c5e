"""Which seat a signed-in person is on: their workspace of this session."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from workestra.tenancy.models import Member, Role, User, Workspace

SESSION_KEY = "workspace"


def seat_of(*, request: HttpRequest) -> Member | None:
    """The seat that this request acts from: the session's workspace, else the person's first."""
    user = request.user
    if not user.is_authenticated:
        return None
    seats = Member.objects.select_related("workspace", "user").filter(user_id=user.pk).order_by("id")
    wanted = request.session.get(SESSION_KEY)
    chosen = seats.filter(workspace_id=wanted).first() if wanted else None
    return chosen or seats.first()


def create_seat(
    *, email: str, password: str | None, name: str, workspace: str, role: Role, time_zone: str = ""
) -> Member:
    """A person with a seat in the workspace of that name; both are made where they do not exist yet."""
    with transaction.atomic():
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            user = User.objects.create_user(email=email, password=password, name=name, time_zone=time_zone)
        elif password is not None and not user.check_password(password):  # a new hash would end their sessions
            user.set_password(password)
            user.save(update_fields=["password"])
        place = Workspace.objects.filter(name=workspace).order_by("id").first()
        place = place or Workspace.objects.create(name=workspace)
        member, _ = Member.objects.update_or_create(workspace=place, user=user, defaults={"role": role})
    return member
