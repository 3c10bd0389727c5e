"""What letters of a conversation say: text, and the HTML that Outlook and other programs make of it.

Nothing is stored: each body is made again from its turn's number whenever somebody asks.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from html import escape

from ..letters import Address
from . import words
from .words import Language

PREVIEW = 255


@dataclass(slots=True)
class Turn:
    """One letter of a conversation. `style` is the program it was written in: outlook, web or text."""

    sender: Address
    to: tuple[Address, ...]
    sent_at: datetime
    number: int
    style: str
    picture: str = ""  # content id of an inline image


@dataclass(slots=True)
class Conversation:
    """What all turns share. `target` is the size in bytes that an HTML body aims at."""

    language: Language
    subject: str
    target: int
    turns: list[Turn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Voice:
    """One turn's body and preview, as a letter wants them."""

    conversation: Conversation
    index: int

    def body(self) -> tuple[str, str]:
        """("html" | "text", content)."""
        turn = self.conversation.turns[self.index]
        if turn.style == "text":
            return "text", self._text()
        return "html", _html(self.conversation, self.index)

    def preview(self) -> str:
        """The first 255 characters of the text."""
        return self._text()[:PREVIEW]

    def _text(self) -> str:
        turns = self.conversation.turns
        lines = list(_paragraphs(self.conversation, turns[self.index]))
        if self.index:
            before = turns[self.index - 1]
            lines.append(_wrote(self.conversation.language, before))
            lines.extend(f"> {line}" for line in _paragraphs(self.conversation, before))
        return "\r\n\r\n".join(lines)


def _paragraphs(conversation: Conversation, turn: Turn) -> Iterator[str]:
    rng = random.Random(turn.number)
    language = conversation.language
    slots = {
        "product": rng.choice(words.PRODUCTS),
        "number": str(rng.choice((2, 4, 6, 12, 25, 40, 112, 230, 1450, 20817))),
        "date": f"{rng.randint(1, 28):02}.{rng.randint(1, 12):02}.",
        "place": rng.choice(words.PLACES),
        "name": rng.choice(words.NAMES),
        "first": turn.to[0].name.split()[0] if turn.to and turn.to[0].name else "",
    }
    yield rng.choice(language.hello).format_map(slots)
    for _ in range(rng.randint(1, 3)):
        chosen = rng.sample(language.sentences, rng.randint(1, 4))
        joint = "" if language.code == "ja" else " "
        yield joint.join(sentence.format_map(slots) for sentence in chosen)
    yield f"{rng.choice(language.close).format_map(slots)}\r\n{turn.sender.name}"


def _html(conversation: Conversation, index: int) -> str:
    turn, language = conversation.turns[index], conversation.language
    direction = ' dir="rtl"' if language.rtl else ""
    own = "".join(_paragraph(text, turn.style) for text in _paragraphs(conversation, turn))
    if turn.picture:
        own += f'<p class="MsoNormal"><img width="96" src="cid:{turn.picture}" alt="Logo"></p>'
    history = "".join(_quoted(conversation, number) for number in range(index - 1, max(-1, index - 6), -1))
    if turn.style == "web":
        quoted = f'<br><div class="gmail_quote">{history}</div>' if history else ""
        inner = f'<div dir="{"rtl" if language.rtl else "ltr"}">{own}{_signature(turn)}</div>{quoted}'
        lack = conversation.target - len(inner.encode())
        table = _table(min(400, lack // 170)) if lack > 600 else ""
        return f'<html><head><meta charset="utf-8"></head><body>{inner}{table}</body></html>'
    inner = f"{own}{_signature(turn)}{history}"
    lack = conversation.target - len(inner.encode()) - 600
    style = _word_style(max(1, min(30, lack // 300)))
    lack -= len(style)
    table = _table(min(400, lack // 170)) if lack > 600 else ""
    return (
        '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
        'xmlns:w="urn:schemas-microsoft-com:office:word" xmlns="http://www.w3.org/TR/REC-html40">'
        f'<head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">{style}</head>'
        f'<body lang="{language.code}" link="#0563C1" vlink="#954F72" style="word-wrap:break-word">'
        f'<div class="WordSection1"{direction}>{own}{table}{_signature(turn)}{history}</div></body></html>'
    )


def _paragraph(text: str, style: str) -> str:
    inner = escape(text, quote=False).replace("\r\n", "<br>")
    if style == "web":
        return f"<div>{inner}</div><div><br></div>"
    return (
        f'<p class="MsoNormal"><span style="font-size:11.0pt;font-family:&quot;Aptos&quot;,sans-serif">{inner}'
        "<o:p></o:p></span></p>"
    )


def _quoted(conversation: Conversation, index: int) -> str:
    turn, language = conversation.turns[index], conversation.language
    inner = "".join(_paragraph(text, turn.style) for text in _paragraphs(conversation, turn))
    if turn.style != "outlook":
        line = escape(_wrote(language, turn))
        return (
            f'<div class="gmail_attr">{line}</div><blockquote class="gmail_quote" '
            f'style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">{inner}</blockquote>'
        )
    origin, sent, to, subject = language.quote
    people = "; ".join(f"{one.name} &lt;{one.address}&gt;" for one in turn.to)
    return (
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal">'
        f"<b>{origin}:</b> {escape(turn.sender.name)} &lt;{turn.sender.address}&gt; <br>"
        f"<b>{sent}:</b> {turn.sent_at:%A, %d %B %Y %H:%M}<br><b>{to}:</b> {people}<br>"
        f"<b>{subject}:</b> {escape(conversation.subject)}<o:p></o:p></p></div>{inner}"
    )


def _signature(turn: Turn) -> str:
    host = turn.sender.address.partition("@")[2]
    title = words.TITLES[turn.number % len(words.TITLES)]
    return (
        '<table border="0" cellspacing="0" cellpadding="0" style="border-collapse:collapse"><tr>'
        f'<td style="padding:4pt 8pt 0 0;border-right:solid #7F7F7F 1pt"><b>{escape(turn.sender.name)}</b><br>{title}'
        f'</td><td style="padding:4pt 0 0 8pt">+00 555 01{turn.number % 90 + 10}<br>'
        f'<a href="https://www.{host}/">www.{host}</a></td></tr></table>'
    )


def _wrote(language: Language, turn: Turn) -> str:
    who = f"{turn.sender.name} <{turn.sender.address}>"
    return language.wrote.format(when=f"{turn.sent_at:%d.%m.%Y %H:%M}", who=who)


@lru_cache(maxsize=64)
def _word_style(levels: int) -> str:
    lists = "".join(
        f"@list l{n // 9}:level{n % 9 + 1} {{mso-level-number-format:bullet; mso-level-text:\\F0B7; "
        "mso-level-tab-stop:none; mso-level-number-position:left; text-indent:-.25in; font-family:Symbol; "
        f"margin-left:{n * 0.25:.2f}in}}\n"
        for n in range(levels)
    )
    return (
        '<style><!--\n@font-face {font-family:"Cambria Math"; panose-1:2 4 5 3 5 4 6 3 2 4;}\n'
        "@font-face {font-family:Aptos;}\np.MsoNormal, li.MsoNormal, div.MsoNormal {margin:0in; font-size:11.0pt; "
        'font-family:"Aptos",sans-serif;}\na:link, span.MsoHyperlink {mso-style-priority:99; color:#0563C1; '
        "text-decoration:underline;}\n.MsoChpDefault {mso-style-type:export-only; font-size:10.0pt;}\n"
        f"@page WordSection1 {{size:8.5in 11.0in; margin:1.0in;}}\n{lists}--></style>"
    )


@lru_cache(maxsize=256)
def _table(rows: int) -> str:
    if rows < 1:
        return ""
    cell = '<td style="border:solid #BFBFBF 1.0pt;padding:0 5.4pt">'
    lines = "".join(
        f"<tr>{cell}{n}</td>{cell}{(n * 37) % 100}.{n % 10} °C</td>{cell}{(n * 91) % 1000} hPa</td></tr>"
        for n in range(1, rows + 1)
    )
    return f'<table class="MsoTableGrid" style="border-collapse:collapse">{lines}</table>'
