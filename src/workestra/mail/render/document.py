"""The whole page of a mail: for a frame without scripts, under a policy of its own."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from workestra.mail.render import plain
from workestra.mail.render.pictures import Pictures
from workestra.mail.render.polish import Polished, polish
from workestra.mail.render.quotes import fold
from workestra.mail.render.scan import scan, written
from workestra.mail.render.shape import Shaped, shape
from workestra.mail.render.sheets import inlined
from workestra.mail.render.wall import walled

CLIP = 1_000_000
FULL = 24_000_000
FULL_TEXT = 6_000_000
MOST_TAGS = 20_000
MOST_TAGS_FULL = 120_000

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """`html` is a complete document. `has_quotes`: quoted text, folded or shown. `clipped`: it is not whole."""

    html: str
    blocked_images: int
    has_quotes: bool
    clipped: bool


def safe_document(
    *,
    content: str,
    body_type: Literal["html", "text"] | str,
    attachments: Sequence[Mapping[str, Any]],
    quotes: bool,
    attachment_url: Callable[[int], str],
    inline_url: Callable[[str], str],
    stylesheet: str,
    full: bool = False,
) -> Rendered:
    """A mail's body as a document that runs nothing and loads nothing from elsewhere. Takes any input.

    Args:
        content: HTML or text as stored.
        attachments: dicts with name, type and cid, in the order of their indexes.
        quotes: show quoted text; otherwise it is folded away.
        attachment_url, inline_url: where a picture is served, by index and by content id.
        full: do not clip a long mail (above `FULL` characters it is clipped all the same).
    """
    content = _UNWRITABLE.sub("\ufffd", content[: FULL + 1])
    limit = CLIP if not full else FULL if body_type == "html" else FULL_TEXT
    clipped = len(content) > limit
    content = content[:limit]
    if body_type == "html":
        pictures = Pictures(attachments, attachment_url, inline_url)
        body, found, has_quotes, cut = _html_body(content, pictures, quotes, full)
        clipped = clipped or cut
    else:
        body, has_quotes = _text_body(content, quotes)
        found = Polished()
    words = _Words(quotes=quotes, has_quotes=has_quotes, clipped=clipped, full=full)
    page = _page(body, found, words, is_html=body_type == "html", stylesheet=stylesheet)
    return Rendered(html=page, blocked_images=found.blocked, has_quotes=has_quotes, clipped=clipped)


def _html_body(content: str, pictures: Pictures, quotes: bool, full: bool) -> tuple[str, Polished, bool, bool]:
    most = MOST_TAGS_FULL if full else MOST_TAGS
    made = shape(tokens=scan(source=content), most_tags=most)
    loads = made.loads
    if made.css:
        made, more = _with_styles(made, most)
        loads += more
    rest = fold(tokens=made.tokens)
    found = polish(tokens=made.tokens if quotes or rest is None else rest, pictures=pictures)
    found.blocked += loads
    body = walled(html=written(tokens=found.tokens), sources=found.sources)
    return body, found, rest is not None, made.cut


def _with_styles(made: Shaped, most: int) -> tuple[Shaped, int]:
    before = written(tokens=made.tokens)
    after, loads = inlined(html=before, css=made.css, tags=made.tags)
    if after is before:
        return made, loads
    again = shape(tokens=scan(source=after), most_tags=most * 2)
    again.cut = made.cut
    return again, loads


def _text_body(content: str, quotes: bool) -> tuple[str, bool]:
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    rest = plain.folded(text=content)
    body = plain.markup(text=content if quotes or rest is None else rest)
    return walled(html=body, sources=frozenset()), rest is not None


@dataclass(frozen=True, slots=True)
class _Words:
    quotes: bool
    has_quotes: bool
    clipped: bool
    full: bool

    def note(self) -> str:
        """What stands under a mail that is not shown whole."""
        if not self.clipped:
            return ""
        if self.full:
            said = _("This message is too long to be shown here. Open it in Outlook to read the rest.")
            return format_html('<p class="clip-note">{}</p>', said)
        return format_html(
            '<p class="clip-note">{} <a href="?full=1{}">{}</a></p>',
            _("This message is long; only its beginning is shown."),
            "&quotes=1" if self.quotes else "",
            _("Show all of it"),
        )


def _page(body: str, found: Polished, words: _Words, *, is_html: bool, stylesheet: str) -> str:
    marks = ["data-mail"]
    if words.has_quotes:
        marks.append(f'data-quotes="{"shown" if words.quotes else "folded"}"')
    if found.blocked:
        marks.append('data-images="blocked"')
    if found.coloured:
        marks.append("data-paper")
    kind = "plain" if not is_html else "coloured" if found.coloured else "bare"
    language = html.escape(get_language() or "en")
    return (
        f'<!doctype html><html lang="{language}" {" ".join(marks)}><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f'<title>{html.escape(_("Message"))}</title><link rel="stylesheet" href="{html.escape(stylesheet)}"></head>'
        f'<body class="{kind}"><div class="mail-text" dir="auto">{body}</div>{words.note()}</body></html>'
    )
