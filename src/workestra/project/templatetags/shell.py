"""Small pieces of every page: times, names, sizes and health in the words of the reader's language."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from workestra.kit import clock

register = template.Library()
HUES = 8
MINUTE, HOUR, DAY, WEEK, MONTH, YEAR = 60, 3600, 86400, 604800, 2592000, 31536000
STEPS: tuple[tuple[int, Callable[[int], str], Callable[[int], str]], ...] = (
    (
        YEAR,
        lambda n: ngettext("%d year ago", "%d years ago", n),
        lambda n: ngettext("in %d year", "in %d years", n),
    ),
    (
        MONTH,
        lambda n: ngettext("%d month ago", "%d months ago", n),
        lambda n: ngettext("in %d month", "in %d months", n),
    ),
    (
        WEEK,
        lambda n: ngettext("%d week ago", "%d weeks ago", n),
        lambda n: ngettext("in %d week", "in %d weeks", n),
    ),
    (DAY, lambda n: ngettext("%d day ago", "%d days ago", n), lambda n: ngettext("in %d day", "in %d days", n)),
    (
        HOUR,
        lambda n: ngettext("%d hour ago", "%d hours ago", n),
        lambda n: ngettext("in %d hour", "in %d hours", n),
    ),
    (
        MINUTE,
        lambda n: ngettext("%d minute ago", "%d minutes ago", n),
        lambda n: ngettext("in %d minute", "in %d minutes", n),
    ),
)


def exact_text(moment: datetime) -> str:
    """Day and time to the minute in the reader's zone, with the zone's name: `22 Nov 2026, 14:05 CET`."""
    local = timezone.localtime(moment)
    return formats.date_format(local, pgettext("exact date and time", "j M Y, H:i T"))


def stamp_text(moment: datetime, now: datetime) -> str:
    """The short time of a list row: the time today, the day this year, else day and year."""
    local, today = timezone.localtime(moment), timezone.localtime(now)
    if local.date() == today.date():
        return formats.date_format(local, pgettext("time of today", "H:i"))
    if local.year == today.year:
        return formats.date_format(local, pgettext("day of this year", "j M"))
    return formats.date_format(local, pgettext("day of another year", "j M Y"))


def relative_text(moment: datetime, now: datetime) -> str:
    """`just now`, `5 minutes ago`, `in 3 hours`."""
    seconds = (moment - now).total_seconds()
    if abs(seconds) < MINUTE:
        return _("just now") if seconds <= 0 else _("in a moment")
    for size, past, future in STEPS:
        n = int(abs(seconds) // size)
        if n:
            return (past(n) if seconds < 0 else future(n)) % n
    raise AssertionError  # a minute is the smallest step


def day_text(moment: datetime, now: datetime) -> str:
    """The heading of a day in a list: `Today`, `Yesterday`, a weekday, or a date."""
    local, today = timezone.localtime(moment), timezone.localtime(now)
    days = (today.date() - local.date()).days
    if days == 0:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    if 1 < days < 7:
        return formats.date_format(local, "l")
    if local.year == today.year:
        return formats.date_format(local, pgettext("day heading", "l, j F"))
    return formats.date_format(local, pgettext("day heading of another year", "j F Y"))


def _time(moment: datetime, text: str, title: str, extra: str = "") -> SafeString:
    iso = timezone.localtime(moment).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}"{}>{}</time>', iso, title, SafeString(extra), text)


@register.simple_tag
def ago(moment: datetime | None) -> str:
    """A time relative to now that keeps itself current in the browser, exact in its tooltip."""
    if moment is None:
        return ""
    return _time(moment, relative_text(moment, clock.now()), exact_text(moment), " data-relative")


@register.simple_tag
def stamp(moment: datetime | None) -> str:
    """The short time of a list row, exact in its tooltip."""
    if moment is None:
        return ""
    return _time(moment, stamp_text(moment, clock.now()), exact_text(moment))


@register.simple_tag
def exact(moment: datetime | None) -> str:
    """Day and time to the minute."""
    if moment is None:
        return ""
    return _time(moment, exact_text(moment), exact_text(moment))


@register.filter
def initials(name: str) -> str:
    """One or two letters for an avatar: `Ana Berg` gives AB, `sales@adatum.example` gives S."""
    words = [word for word in str(name).split("@")[0].replace(".", " ").split() if word[:1].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] if len(words) == 1 else words[0][0] + words[-1][0]
    return letters.upper()


@register.filter
def hue(name: str) -> str:
    """The colour class of a name: the same name always has the same one."""
    return f"hue-{zlib.crc32(str(name).casefold().encode()) % HUES}"


@register.filter(name="is")
def is_(left: object, right: object) -> str:
    """`true` or `false`, for ARIA attributes."""
    return "true" if left == right else "false"


@register.filter
def health_word(state: str) -> str:
    """The word of a health state."""
    return {
        "healthy": _("Healthy"),
        "never": _("Never synced"),
        "stale": _("Stale"),
        "error": _("Error"),
    }[state]


@register.filter
def number(value: int | None) -> str:
    """A whole number with the reader's thousands separator."""
    return "" if value is None else formats.number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def duration(seconds: int | None) -> str:
    """A rough length of time: `less than a minute`, `about 4 minutes`, `about 2 hours`."""
    if seconds is None:
        return ""
    if seconds < 45:
        return _("less than a minute")
    minutes = round(seconds / 60)
    if minutes < 60:
        return ngettext("about %d minute", "about %d minutes", max(minutes, 1)) % max(minutes, 1)
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("about %d hour", "about %d hours", hours) % hours
    days = round(hours / 24)
    return ngettext("about %d day", "about %d days", days) % days


@register.filter
def web_address(url: str) -> str:
    """The address if a browser may follow it (http or https with a host), else an empty text."""
    try:
        parts = urlsplit(str(url))
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


@register.simple_tag
def day_title(moment: datetime) -> str:
    """The heading of a day in a list."""
    return day_text(moment, clock.now())
