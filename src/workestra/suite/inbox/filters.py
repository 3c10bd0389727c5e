"""What the address of the Inbox says about which threads are shown (INB 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from workestra.mail.doors.queries import MailboxChoice

FILTERS = ("all", "unread", "emails")
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """`which` is one of FILTERS; `account` narrows `emails` to one connection."""

    which: str = "all"
    account: int | None = None

    @property
    def unread(self) -> bool:
        """Only threads with unread mail."""
        return self.which == "unread"

    @property
    def query(self) -> str:
        """The query of an address, `?f=emails&account=3` or an empty text."""
        parts: dict[str, str] = {}
        if self.which != "all":
            parts["f"] = self.which
        if self.account is not None:
            parts["account"] = str(self.account)
        return f"?{urlencode(parts)}" if parts else ""

    @property
    def url(self) -> str:
        """The list under this filter."""
        return reverse("inbox:list") + self.query


def read_filter(*, query: Mapping[str, str], mailboxes: Sequence[MailboxChoice]) -> InboxFilter:
    """The filter that an address asks for; what it does not know, it ignores."""
    which = query.get("f", "all")
    which = which if which in FILTERS else "all"
    wanted = query.get("account", "")
    account = int(wanted) if wanted.isascii() and wanted.isdigit() and int(wanted) <= MAX_ID else None
    if which != "emails" or account not in {choice.id for choice in mailboxes}:
        account = None
    return InboxFilter(which=which, account=account)
