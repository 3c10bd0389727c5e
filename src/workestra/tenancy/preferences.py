"""The language and the time zone in which a person reads: what they chose, else what their browser says.

The browser's zone comes in a cookie that a script on our pages writes; the language in `Accept-Language`.
"""

from __future__ import annotations

import zoneinfo
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone, translation

from workestra.tenancy.models import User

ZONE_COOKIE = "zone"


@cache
def zones() -> frozenset[str]:
    """The name of every zone that this machine knows."""
    return frozenset(zoneinfo.available_timezones())


def browser_zone(*, request: HttpRequest) -> str:
    """The zone that the browser is in, or an empty text: anybody can write a cookie."""
    named = request.COOKIES.get(ZONE_COOKIE, "")
    return named if named in zones() else ""


def activate(*, request: HttpRequest, user: User | None) -> None:
    """Speak this person's language, in their zone, for the rest of the request. Strangers have a browser's."""
    chosen = user.language if user else ""
    known = chosen in dict(settings.LANGUAGES)
    translation.activate(chosen if known else translation.get_language_from_request(request))
    zone = user.time_zone if user and user.time_zone in zones() else browser_zone(request=request)
    if zone:
        timezone.activate(zoneinfo.ZoneInfo(zone))
    else:
        timezone.deactivate()


def choose(*, user: User, name: str, language: str, time_zone: str) -> None:
    """Keep the person's name, language and zone; an empty language or zone is the browser's."""
    user.name, user.language, user.time_zone = name, language, time_zone
    user.save(update_fields=["name", "language", "time_zone"])
