"""What is asked of Microsoft, and why, in the words of the dialog (CON 3)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = Promise | str


@dataclass(frozen=True, slots=True)
class Permission:
    """Scopes that share a purpose."""

    scopes: tuple[str, ...]
    why: Text
    unused: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Permissions of one kind under a heading with an icon."""

    title: Text
    icon: str
    permissions: tuple[Permission, ...]


GROUPS = (
    Group(
        _("Read"),
        "eye",
        (
            Permission(("Mail.Read",), _("Read the mail of your inbox and folders")),
            Permission(
                ("Mail.Read.Shared",), _("The same for shared mailboxes, only those that Exchange has granted you")
            ),
            Permission(("User.Read",), _("Your name and address")),
            Permission(("Contacts.Read",), _("Match mail with people you know")),
            Permission(("Calendars.Read",), _("Not used yet (future feature)"), unused=True),
        ),
    ),
    Group(
        _("Keep in step"),
        "mail-check",
        (Permission(("Mail.ReadWrite", "Mail.ReadWrite.Shared"), _("Keep read/unread state and folders in step")),),
    ),
    Group(
        _("Send"),
        "send",
        (
            Permission(("Mail.Send",), _("Send mail as you, when you send it")),
            Permission(("Mail.Send.Shared",), _("Send from shared mailboxes that Exchange has granted you")),
        ),
    ),
    Group(
        _("Stay connected"),
        "key-round",
        (Permission(("offline_access",), _("Stay in sync without asking you to sign in again")),),
    ),
)

ASKED = ", ".join(scope for group in GROUPS for permission in group.permissions for scope in permission.scopes)
"""Every scope by its name, for a text that is passed on to an administrator."""
