"""HTML bodies as they lie in business mailboxes: Outlook letters, newsletters, and notices with tables.

Sizes follow a log-normal curve (many small, a few very large), scaled to the mean that is asked for.
"""

from __future__ import annotations

import math
from base64 import urlsafe_b64encode
from random import Random

from bench.feed import prose

_OUTLOOK_HEAD = (
    '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
    '<meta name="Generator" content="Microsoft Word 15 (filtered medium)"><style>\r\n<!--\r\n'
    "@font-face\r\n\t{font-family:Calibri}\r\n@font-face\r\n\t{font-family:Aptos}\r\n"
    "p.MsoNormal, li.MsoNormal, div.MsoNormal\r\n\t{margin:0cm; font-size:11.0pt; "
    'font-family:"Aptos",sans-serif}\r\na:link, span.MsoHyperlink\r\n\t{color:#0563C1; '
    "text-decoration:underline}\r\n.MsoChpDefault\r\n\t{font-size:10.0pt}"
    "\r\n@page WordSection1\r\n\t{margin:70.85pt 70.85pt 2.0cm 70.85pt}"
    '\r\n-->\r\n</style></head><body lang="EN-GB" link="#0563C1" style="word-wrap:break-word">'
    '<div class="WordSection1">\r\n'
)
_PARAGRAPH = '<p class="MsoNormal"><span lang="EN-GB" style="font-size:11.0pt">{}</span></p>\r\n'
_CELL = 'style="padding:8px 12px;border-bottom:1px solid #e5e7eb;font-family:Arial,sans-serif;font-size:14px;{}"'


def sizes(*, rng: Random, count: int, mean: int) -> list[int]:
    """`count` body lengths in characters: log-normal with sigma 0.9, at least 700, scaled to the mean."""
    raw = [min(math.exp(rng.gauss(0.0, 0.9)), 12.0) for _ in range(count)]
    scale = mean * count / sum(raw)
    return [max(700, round(one * scale)) for one in raw]


def body(*, rng: Random, pool: list[str], size: int) -> str:
    """One HTML document of about `size` characters: a letter (60 %), a newsletter (25 %) or a notice (15 %)."""
    draw = rng.random()
    if draw < 0.60:
        return _letter(rng=rng, pool=pool, size=size)
    if draw < 0.85:
        return _newsletter(rng=rng, pool=pool, size=size)
    return _notice(rng=rng, pool=pool, size=size)


def _letter(*, rng: Random, pool: list[str], size: int) -> str:
    """An Outlook letter with a quoted conversation below it."""
    parts = [_OUTLOOK_HEAD]
    length = len(_OUTLOOK_HEAD)
    while length < size - 60:
        text = " ".join(rng.choices(pool, k=rng.randint(1, 5)))
        part = _PARAGRAPH.format(text)
        if rng.random() < 0.06:
            part = (
                '<div style="border:none; border-top:solid #E1E1E1 1.0pt; padding:3.0pt 0cm 0cm 0cm">'
                f'<p class="MsoNormal"><b>From:</b> {prose.person(rng=rng)}<br>'
                f"<b>Sent:</b> {rng.randint(1, 28)} June {rng.randint(8, 18)}:{rng.randint(10, 59)}<br>"
                f"<b>Subject:</b> RE: {rng.choice(pool)[:50]}</p></div>\r\n"
            )
        parts.append(part)
        length += len(part)
    parts.append("</div></body></html>")
    return "".join(parts)


def _newsletter(*, rng: Random, pool: list[str], size: int) -> str:
    """Nested tables with inline styles and tracking links that do not compress."""
    host = f"https://click.{rng.choice(prose.COMPANIES)}.example/ls/"
    parts = ['<!DOCTYPE html><html><head><meta charset="utf-8"></head><body style="margin:0;background:#f3f4f6">']
    length = len(parts[0])
    while length < size - 120:
        token = urlsafe_b64encode(rng.randbytes(rng.choice((48, 96, 144)))).decode()
        part = (
            '<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0" '
            'style="border-collapse:collapse;background-color:#ffffff"><tbody><tr>'
            f'<td align="left" {_CELL.format("line-height:22px;color:#111827")}><h2>{rng.choice(pool)[:60]}</h2>'
            f'<p style="margin:0 0 12px 0">{" ".join(rng.choices(pool, k=rng.randint(2, 6)))}</p>'
            f'<a href="{host}{token}" target="_blank" style="color:#2563eb">Read more</a>'
            f'<img src="{host}{token[:40]}.png" width="1" height="1" alt=""></td></tr></tbody></table>\r\n'
        )
        parts.append(part)
        length += len(part)
    parts.append("</body></html>")
    return "".join(parts)


def _notice(*, rng: Random, pool: list[str], size: int) -> str:
    """An order or a report: a long table of short cells, with a line of prose now and then."""
    parts = [f'<html><body><p>{rng.choice(pool)}</p><table style="width:100%;border-collapse:collapse"><tbody>']
    length = len(parts[0])
    while length < size - 160:
        part = (
            f"<tr><td {_CELL.format('')}>{rng.randrange(10**5, 10**7)}</td>"
            f"<td {_CELL.format('')}>{rng.choice(pool)}</td>"
            f"<td {_CELL.format('text-align:right')}>{rng.randrange(1, 400)}</td>"
            f"<td {_CELL.format('text-align:right')}>€ {rng.randrange(100, 99999) / 100:.2f}</td></tr>\r\n"
        )
        parts.append(part)
        length += len(part)
    parts.append("</tbody></table></body></html>")
    return "".join(parts)
