"""Pictures: those attached to the mail are shown, those from elsewhere are not loaded.

Loading a picture tells its sender who reads the mail, when and where. A box takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.utils.translation import gettext as _

from workestra.mail.render.scan import END, START, TEXT, Token
from workestra.mail.render.style import declarations, remote_loads, text_of

RASTER = frozenset({"image/png", "image/jpeg", "image/jpg", "image/pjpeg", "image/gif", "image/webp", "image/x-png"})
RASTER_NAMES = (".png", ".jpg", ".jpeg", ".jpe", ".gif", ".webp")
TALLEST_BOX = 160
WIDEST_BOX = 1200
PIXEL = 3

_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_REMOTE = re.compile(r"[\x00-\x20]*(?:(?:https?|ftp):)?[/\\]{2}|[\x00-\x20]*https?:", re.IGNORECASE)
_LENGTH = re.compile(r"\s*([0-9]{1,5})(?:\.[0-9]*)?\s*(?:px)?\s*")
_LOADING = {
    "input": ("src",),
    "video": ("poster", "src"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "image": ("href", "xlink:href"),
    "feimage": ("href", "xlink:href"),
    "iframe": ("src",),
    "frame": ("src",),
    "bgsound": ("src",),
}


def is_remote(*, address: str) -> bool:
    """Whether an address leads out to the internet."""
    return _REMOTE.match(address) is not None


def is_data(*, address: str) -> bool:
    """Whether the address holds a raster picture itself."""
    return _DATA.fullmatch(address) is not None


def hidden_loads(*, name: str, attributes: Mapping[str, str]) -> int:
    """What this element would load from elsewhere besides being an <img>."""
    wanted = [attributes[key] for key in (*_LOADING.get(name, ()), "background") if key in attributes]
    return sum(is_remote(address=one) for one in wanted) + remote_loads(style=attributes.get("style", ""))


@dataclass(frozen=True, slots=True)
class Pictures:
    """Attached pictures of one message. `attachment_url` takes an index, `inline_url` a content id."""

    attachments: Sequence[Mapping[str, Any]]
    attachment_url: Callable[[int], str]
    inline_url: Callable[[str], str]

    def address(self, *, content_id: str) -> str | None:
        """Where the picture with this content id is served, or None for one that no browser should show.

        A content id that the store does not know is asked for at Microsoft when the picture is shown.
        """
        wanted = content_id.strip("<> ").lower()
        if not wanted or len(wanted) > 500:
            return None
        found = [i for i, one in enumerate(self.attachments) if _text(one, "cid").strip("<> ").lower() == wanted]
        if not found:
            name = wanted.partition("@")[0]
            found = [i for i, one in enumerate(self.attachments) if _text(one, "name").lower() == name]
            if len(found) != 1 or not _text(self.attachments[found[0]], "name"):
                return self.inline_url(content_id.strip("<> "))
        return self.attachment_url(found[0]) if is_picture(attachment=self.attachments[found[0]]) else None


def _text(attachment: Mapping[str, Any], key: str) -> str:
    value = attachment.get(key)
    return value if isinstance(value, str) else ""


def is_picture(*, attachment: Mapping[str, Any]) -> bool:
    """Whether an attachment says that it is a raster picture, by type, or by name where the type says nothing."""
    kind = _text(attachment, "type").partition(";")[0].strip().lower()
    if kind in ("", "application/octet-stream"):
        return _text(attachment, "name").lower().endswith(RASTER_NAMES)
    return kind in RASTER


def shown(*, attributes: Mapping[str, str], pictures: Pictures) -> tuple[list[Token], int]:
    """The tokens that stand for an <img>, and whether (1) or not (0) something was blocked."""
    source = attributes.get("src", "").strip()
    style = declarations(style=attributes.get("style", ""))
    width = _length(style.get("width")) or _length(attributes.get("width"))
    height = _length(style.get("height")) or _length(attributes.get("height"))
    alt = attributes.get("alt", "")[:500]
    address: str | None = None
    if source[:4].lower() == "cid:":
        address = pictures.address(content_id=unquote(source[4:]))
    elif is_data(address=source):
        address = source
    if address is not None:
        kept = {key: attributes[key] for key in ("width", "height", "align", "border", "title") if key in attributes}
        if style:
            kept["style"] = text_of(style=style)
        return [Token(START, "img", {"src": address, "alt": alt, **kept})], 0
    blocked = int(is_remote(address=source) or (not source and is_remote(address=attributes.get("srcset", ""))))
    invisible = style.get("display") == "none" or style.get("visibility") == "hidden"
    if invisible or _is_pixel(width) or _is_pixel(height):
        return [], blocked
    return _box(alt, width, height, blocked), blocked


def _box(alt: str, width: int | None, height: int | None, blocked: int) -> list[Token]:
    style = {"display": "inline-block", "max-width": "100%", "overflow": "hidden"}
    if width and height:
        style |= {"width": f"{min(width, WIDEST_BOX)}px", "height": f"{min(height, TALLEST_BOX)}px"}
    title = _("Image from the internet, blocked") if blocked else _("Image that cannot be shown")
    attributes = {"class": "blocked-image", "title": title, "style": text_of(style=style)}
    return [Token(START, "span", attributes), Token(TEXT, text=alt), Token(END, "span")]


def _length(value: str | None) -> int | None:
    found = _LENGTH.fullmatch(value or "")
    return int(found[1]) if found else None


def _is_pixel(length: int | None) -> bool:
    return length is not None and length <= PIXEL
