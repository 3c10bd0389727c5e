"""Which CSS a mail may bring: some fifty properties with plain values.

A value is words, numbers, quoted names of fonts and colours; nothing that loads (`url()`, `image-set()`), runs
(`expression()`, `behavior`), hides its meaning (escapes, comments) or leaves its place (`position`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from workestra.mail.render.scan import names

_SIDES = ("", "-top", "-right", "-bottom", "-left")
PROPERTIES = frozenset(
    [
        *names("color background background-color background-repeat opacity"),
        *names("font font-family font-size font-style font-variant font-weight line-height letter-spacing"),
        *names("word-spacing text-align text-align-last text-decoration text-decoration-line text-indent"),
        *names("text-transform text-overflow vertical-align white-space word-break word-wrap overflow-wrap"),
        *names("direction unicode-bidi list-style list-style-type list-style-position"),
        *names("width height min-width max-width min-height max-height box-sizing"),
        *names("display visibility overflow overflow-x overflow-y float clear"),
        *names("border-collapse border-spacing border-radius border-color border-style border-width"),
        *names("table-layout caption-side empty-cells"),
        *(f"border{side}" for side in _SIDES),
        *(f"border{side}-{what}" for side in _SIDES[1:] for what in ("color", "style", "width")),
        *(f"margin{side}" for side in _SIDES),
        *(f"padding{side}" for side in _SIDES),
    ]
)
LONGEST_VALUE = 200

_FUNCTION = r"(?:rgb|rgba|hsl|hsla)\([0-9a-z.,%\s/+-]{1,60}\)"
_VALUE = re.compile(rf"""(?:[\w\s.,#%/+-]|'[\w\s.,+-]*'|"[\w\s.,+-]*"|{_FUNCTION})+""", re.IGNORECASE | re.ASCII)
_FONT = re.compile(r"""(?:[\w\s.,+-]|'[\w\s.,+-]*'|"[\w\s.,+-]*")+""")
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)
_LOADS = re.compile(r"url\s*\(|image-set\s*\(|image\s*\(", re.IGNORECASE)
_REMOTE = re.compile(r"""url\(\s*['"]?\s*(?:https?:)?//""", re.IGNORECASE)
_FAR = re.compile(r"-?[0-9]{5,}")

_INK = names("black #000 #000000 windowtext inherit initial currentcolor auto rgb(0,0,0) rgba(0,0,0,1)")
_PAPER = names(
    "white #fff #ffffff window transparent inherit initial none rgb(255,255,255) rgba(255,255,255,1)"
    " rgba(0,0,0,0) rgba(255,255,255,0)"
)
COLOURS = frozenset({"color", "background", "background-color"})


@lru_cache(maxsize=4096)
def _declarations(style: str) -> tuple[tuple[str, str], ...]:
    kept: dict[str, str] = {}
    for piece in style.split(";"):
        name, colon, value = piece.partition(":")
        name = name.strip().lower()
        value = _IMPORTANT.sub("", value.strip()[: LONGEST_VALUE + 20]).strip()
        if not colon or name not in PROPERTIES or not value or len(value) > LONGEST_VALUE:
            continue
        pattern = _FONT if name in ("font-family", "font") and not _VALUE.fullmatch(value) else _VALUE
        if not pattern.fullmatch(value) or _FAR.search(value) or (name.startswith("margin") and "-" in value):
            continue
        kept.pop(name, None)  # the last one wins, also in its place
        kept[name] = " ".join(value.split())
    return tuple(kept.items())


def declarations(*, style: str) -> dict[str, str]:
    """What may stay of a style attribute or a rule's block, in order."""
    return dict(_declarations(style[:20_000]))


def is_safe(*, style: str) -> bool:
    """Whether every declaration of `style` is one that may stay."""
    return len(declarations(style=style)) == sum(1 for piece in style.split(";") if piece.strip())


def text_of(*, style: dict[str, str]) -> str:
    """The declarations as a style attribute."""
    return ";".join(f"{name}:{value}" for name, value in style.items())


def remote_loads(*, style: str) -> int:
    """How many pictures from elsewhere this CSS would load."""
    return len(_REMOTE.findall(style)) if _LOADS.search(style) else 0


def is_colour_of_its_own(*, name: str, value: str) -> bool:
    """Whether a declaration or attribute colours more than black on white, which every page is without it."""
    if name not in COLOURS:
        return False
    plain = re.sub(r"\s+", "", value.lower())
    return plain not in (_INK if name == "color" else _PAPER)
