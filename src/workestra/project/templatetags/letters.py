"""How people, files and importance of a message are written on the page."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Protocol

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workestra.mail.doors.queries import AttachmentView, MessageView

register = template.Library()
SHORT = 3
LONG = 200


class Named(Protocol):
    """Anybody with a name (it may be empty) and an address."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...


@register.simple_tag
def people(persons: Sequence[Named]) -> str:
    """A few names for a line, and how many more there are."""
    names = ", ".join(person.name or person.address for person in persons[:SHORT])
    more = len(persons) - SHORT
    if more <= 0:
        return names
    rest = ngettext("and %d other", "and %d others", more) % more
    return f"{names} {rest}"


@register.simple_tag
def people_full(persons: Sequence[Named]) -> SafeString:
    """Every name with its address; a list of hundreds is cut, and says so."""
    shown = format_html_join(
        ", ",
        '<span class="person">{}<span class="address">{}</span></span>',
        (_named(person) for person in persons[:LONG]),
    )
    more = len(persons) - LONG
    if more <= 0:
        return shown
    return format_html("{} {}", shown, ngettext("and %d other", "and %d others", more) % more)


def _named(person: Named) -> tuple[str, str]:
    """Name and address; a name that is the address again is none."""
    named = person.name and person.name.strip().casefold() != person.address.casefold()
    return (f"{person.name} " if named else "", person.address)


@register.simple_tag
def attached(message: MessageView) -> list[AttachmentView]:
    """The files of a message that are not pictures inside its text."""
    return [file for file in message.attachments if not file.is_inline]


@register.simple_tag
def message_version(message: MessageView) -> str:
    """Changes when anything changes that the page shows of a message."""
    return f"{zlib.crc32(repr(message).encode('utf-8', 'replace')):08x}"


@register.filter
def importance_word(importance: str) -> str:
    """Outlook's importance in words."""
    return {"high": _("High"), "low": _("Low")}.get(importance, importance)


ICONS = {
    "image": "file-image",
    "audio": "file-music",
    "video": "film",
    "text": "file-text",
    "application/pdf": "file-text",
    "application/zip": "file-archive",
    "application/x-zip-compressed": "file-archive",
    "message": "mail",
}


@register.filter
def file_icon(content_type: str) -> str:
    """The icon of a kind of file."""
    kind = (content_type or "").lower()
    return ICONS.get(kind) or ICONS.get(kind.split("/")[0], "file")
