"""Bodies as Graph serves them: html and text turned into one another, and the part that is new in a reply."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_BLOCKS = {
    "p",
    "div",
    "br",
    "tr",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "ul",
    "ol",
    "blockquote",
    "hr",
}
_MUTE = {"style", "script", "head", "title"}
_QUOTES = re.compile(
    r"""<(?:div[^>]*id=["']?(?:x_)?(?:appendonsend|divRplyFwdMsg)|div[^>]*class=["']?(?:x_)?gmail_quote|blockquote|hr\b)""",
    re.IGNORECASE,
)
_QUOTED_TEXT = re.compile(r"^(?:>|-{2,} ?Original Message|_{10,}|On .{1,200} wrote:$)", re.MULTILINE)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._mute = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _MUTE:
            self._mute += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _MUTE:
            self._mute = max(0, self._mute - 1)
        elif tag in _BLOCKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._mute:
            self.parts.append(re.sub(r"\s+", " ", data))


def to_text(markup: str) -> str:
    """The text of an HTML body, lines ended by CR LF."""
    reader = _Text()
    reader.feed(markup)
    reader.close()
    lines = [line.strip() for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip().replace("\n", "\r\n")


def to_html(text: str) -> str:
    """A text body as Exchange writes it when HTML is preferred."""
    lines = html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return (
        '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><meta name="Generator" '
        'content="Microsoft Exchange Server">\r\n<!-- converted from text --></head>\r\n<body>\r\n'
        f'<font size="2"><span style="font-size:11pt;"><div class="PlainText">{lines}</div></span></font>\r\n'
        "</body>\r\n</html>\r\n"
    )


def served(body: tuple[str, str], preference: str | None) -> dict[str, str]:
    """body as itemBody, turned into the preferred type when there is one."""
    kind, content = body
    if preference == "text" and kind == "html":
        return {"contentType": "text", "content": to_text(content)}
    if preference == "html" and kind == "text":
        return {"contentType": "html", "content": to_html(content)}
    return {"contentType": kind, "content": content}


def unique(body: tuple[str, str]) -> tuple[str, str]:
    """The part of a body above what it quotes."""
    kind, content = body
    quote = (_QUOTES if kind == "html" else _QUOTED_TEXT).search(content)
    if quote is None or not content[: quote.start()].strip():
        return body
    head = content[: quote.start()]
    return kind, f"{head}</body></html>" if kind == "html" and "<body" in head else head
