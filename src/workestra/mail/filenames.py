"""Names and types under which files of mail leave: as downloads, never as pages (SEC 8, RFC 6266)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from workestra.mail.render.pictures import is_picture

LONGEST = 180
ANYTHING = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,100}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_PASSIVE = ("image/", "audio/", "video/", "font/", "text/", "application/")
_ACTIVE = re.compile(r"html|xml|svg|script|ecma|flash|hta|java|wasm|xul|mathml|multipart|event-stream|css|x-mixed")
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)")
_BY_BYTES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
HEAD = 16
"""Bytes that `picture_type` wants to see."""


def safe_name(*, name: str, fallback: str) -> str:
    """A file name without path, control or direction characters, of a length that every system takes."""
    kept = "".join("_" if char in '/\\:*?"<>|' else char for char in name if unicodedata.category(char)[0] != "C")
    kept = " ".join(kept.split()).strip(". ")
    if len(kept.encode()) > LONGEST:
        stem, dot, ending = kept.rpartition(".")
        ending = f".{ending}" if dot and len(ending.encode()) <= 20 else ""
        room = LONGEST - len(ending.encode())
        kept = (stem if ending else kept).encode()[:room].decode("utf-8", "ignore").rstrip(". ") + ending
    if not kept or _RESERVED.match(kept):
        kept = f"{fallback}{kept and '_'}{kept}"
    return kept


def disposition(*, name: str, inline: bool) -> str:
    """The Content-Disposition of an already safe name: an ASCII fallback and, where it differs, the true name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()+,=@~-]", "_", plain).strip(". ") or "file"
    kind = "inline" if inline else "attachment"
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"


def safe_type(*, declared: str) -> str:
    """The declared media type, or octet-stream where a browser might run it or the type is none."""
    kind = declared.partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(kind) or not kind.startswith(_PASSIVE) or _ACTIVE.search(kind):
        return ANYTHING
    return kind


def picture_type(*, attachment: Mapping[str, Any], head: bytes) -> str | None:
    """The raster type that the first bytes show, or None for what may not be shown inside a page."""
    if not is_picture(attachment=attachment):
        return None
    for magic, kind in _BY_BYTES:
        if head.startswith(magic):
            return kind
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def saved_as(*, attachment: Mapping[str, Any], subject: str, index: int) -> str:
    """The name under which an attachment is saved; an attached message is an .eml file."""
    given = attachment.get("name")
    name = given if isinstance(given, str) else ""
    if attachment.get("kind") == "item":
        name = f"{(name or subject).removesuffix('.eml') or 'message'}.eml"
    return safe_name(name=name, fallback=f"file-{index + 1}")
