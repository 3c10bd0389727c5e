"""Who: people, workspaces and the seats that people have in them.

People, workspaces and seats stand above row-level security: signing in must find them before a workspace is
known. They hold no business content (see `rows.UNSCOPED`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _


class People(BaseUserManager["User"]):
    """Creates people. Addresses are kept in lower case."""

    def create_user(self, *, email: str, password: str | None, name: str = "", **more: Any) -> User:
        """A person with this address; without a password nobody can sign in as them by password."""
        user = self.model(email=email.strip().lower(), name=name, **more)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who can sign in, whatever workspaces they sit in."""

    email = models.EmailField(_("email address"), unique=True, max_length=254)
    name = models.CharField(_("name"), max_length=200, blank=True)
    time_zone = models.CharField(max_length=64, default="", blank=True)  # empty: the browser's
    language = models.CharField(max_length=16, default="", blank=True)  # empty: the browser's
    theme = models.CharField(max_length=8, default="system")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[People] = People()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email


class Workspace(models.Model):
    """One company's data: the tenant. Every row of business data belongs to exactly one."""

    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a seat may do."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MEMBER = "member", _("Member")


class Member(models.Model):
    """A person's seat in a workspace."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="seats")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_seat_each")]

    def __str__(self) -> str:
        return str(self.user)


class SignInAttempt(models.Model):
    """A failed sign-in, kept for an hour to slow down guessing (SEC 7). Holds a digest, not the address."""

    digest = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(db_index=True)
