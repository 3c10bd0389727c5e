"""What the frame around every page shows: theme, density, who is signed in, and the two live marks."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import HttpRequest

from workestra.kit import clock
from workestra.mail.doors import queries

THEMES = ("system", "light", "dark")
DENSITIES = ("comfortable", "compact")
DENSITY_COOKIE = "density"


class Shell:
    """Read lazily: a page without the sidebar, such as an error page, asks the database for nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def name(self) -> str:
        """The person's name, or the address where there is none."""
        user = self._request.user
        return str(user)

    @property
    def workspace_name(self) -> str:
        """The workspace that the page shows."""
        workspace = getattr(self._request, "workspace", None)
        return str(workspace.name) if workspace is not None else "Workestra"

    @cached_property
    def unread(self) -> int:
        """Unread threads that the member may see."""
        member = getattr(self._request, "member", None)
        return queries.unread_count(member=member) if member is not None else 0

    @cached_property
    def worst(self) -> str:
        """The worst health of the member's mailboxes, an empty text without any."""
        member = getattr(self._request, "member", None)
        return (queries.worst_health(member=member, now=clock.now()) or "") if member is not None else ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor for all templates."""
    theme = getattr(getattr(request, "user", None), "theme", "system")
    density = request.COOKIES.get(DENSITY_COOKIE, "")
    return {
        "theme": theme if theme in THEMES else "system",
        "density": density if density in DENSITIES else DENSITIES[0],
        "shell": Shell(request),
    }
