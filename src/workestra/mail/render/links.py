"""Where a link in a mail may lead, and links found in plain text."""

from __future__ import annotations

import html
import re
from itertools import islice

from workestra.mail.render.scan import spelled

LONGEST = 8000
MOST_LINKS = 3000
_SAFE = re.compile(r"https?://[^\s/?#\\]|mailto:[^\s]|tel:[+0-9(]", re.IGNORECASE)
_IN_TEXT = re.compile(
    r"\bhttps?://[^\s<>\"]{1,4000}|\bwww\.[^\s<>\"]{3,4000}"
    r"|(?<![\w.+@-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'\"*_"
_PAIRS = {")": "(", "]": "[", "}": "{"}


def safe_href(*, value: str) -> str | None:
    """The address as a browser would read it, or None where it is not http, https, mailto or tel."""
    address = re.sub(r"[\t\r\n]", "", value).strip("".join(map(chr, range(33))))
    if len(address) > LONGEST or not _SAFE.match(address) or "\x00" in address:
        return None
    return address


def anchored(*, text: str) -> str:
    """Plain text as HTML, with its web and mail addresses (the first few thousand of them) as links."""
    parts: list[str] = []
    at = 0
    for found in islice(_IN_TEXT.finditer(text), MOST_LINKS):
        shown = _trimmed(found[0])
        if "@" in shown and "/" not in shown and not shown.lower().startswith("www."):
            target = f"mailto:{shown}"
        else:
            target = shown if shown.lower().startswith("http") else f"http://{shown}"
        if safe_href(value=target) is None:
            continue
        parts.append(spelled(text=text[at : found.start()])[0])
        parts.append(f'<a href="{html.escape(target)}">{html.escape(shown, quote=False)}</a>')
        at = found.start() + len(shown)
    parts.append(spelled(text=text[at:])[0])
    return "".join(parts)


def _trimmed(address: str) -> str:
    """Without the punctuation of the sentence around it."""
    while address:
        last = address[-1]
        opening = _PAIRS.get(last)
        if last in _TRAILING or (opening and address.count(last) > address.count(opening)):
            address = address[:-1]
        else:
            break
    return address
