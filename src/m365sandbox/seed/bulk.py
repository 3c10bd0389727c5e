"""Mail that nobody answers: newsletters, machine notices, invitations, bounces, junk, and the odd ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from . import words

_HEADLINES = (
    "Five small habits of well-kept laboratories", "Why your reference buffer ages faster than you think",
    "Neu: Normen kompakt, Ausgabe März", "Interview : mesurer l’eau de pluie à Nantes", "今月の製品レビュー",
    "Reader’s corner: your best label printer", "Ten years of open metrology data 🎂", "مقال الشهر: دقة القياس",
    "A field trip through three breweries", "What changes in the calibration act next year",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bulk:
    """One letter of this kind; `number` chooses its content, `target` is its size in bytes."""

    kind: str
    number: int
    target: int

    def body(self) -> tuple[str, str]:
        """("html" | "text", content)."""
        return _MAKERS[self.kind](self.number, self.target)

    def preview(self) -> str:
        """Up to 255 characters of text."""
        rng = random.Random(self.number)
        if self.kind == "newsletter":
            return f"View in your browser\r\n\r\n{rng.choice(_HEADLINES)} {_prose(rng, 3)}"[:255]
        kind, content = self.body()
        return (content if kind == "text" else _PLAIN.get(self.kind, "")).strip()[:255]


def _prose(rng: random.Random, count: int) -> str:
    slots = {
        "product": rng.choice(words.PRODUCTS), "number": str(rng.randint(2, 900)), "date": "12.05.",
        "place": rng.choice(words.PLACES), "name": rng.choice(words.NAMES),
    }  # fmt: skip
    return " ".join(rng.choice(words.ENGLISH.sentences).format_map(slots) for _ in range(count))


def _newsletter(number: int, target: int) -> tuple[str, str]:
    rng = random.Random(number)
    first = rng.choice(_HEADLINES)
    head = (
        '<!DOCTYPE html><html><head><meta name="viewport" content="width=device-width"><style>@media only screen and '
        "(max-width:600px){.card{width:100%!important}} body{margin:0;background:#f2f2f0} "
        ".card{font-family:Georgia,serif}</style></head><body>"
        f'<div style="display:none;max-height:0;overflow:hidden">{escape(first)}</div>'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">'
        '<p style="font-size:12px"><a href="https://news.example/view">View in your browser</a></p>'
    )
    cards, size, place = [], len(head), 0
    while size < target - 900 or place == 0:
        place += 1
        card = (
            '<table role="presentation" class="card" width="600" cellpadding="0" cellspacing="0" '
            'style="background:#ffffff;border-radius:6px;margin:0 0 18px 0"><tr><td style="padding:24px 32px">'
            f'<img src="https://img.news.example/{number % 1000}/{place}.jpg" width="536" height="240" alt="" '
            f'style="display:block;border:0"><h2 style="font-size:22px;line-height:28px;margin:18px 0 6px">'
            f"{escape(first if place == 1 else rng.choice(_HEADLINES))}</h2>"
            f'<p style="font-size:16px;line-height:24px;color:#333333">{escape(_prose(rng, 3))}</p>'
            f'<a href="https://click.news.example/?u={number:x}&amp;l={place}" style="background:#22543d;'
            'color:#ffffff;padding:10px 18px;text-decoration:none;border-radius:4px">Read on</a></td></tr></table>'
        )
        cards.append(card)
        size += len(card.encode())
    foot = (
        '<p style="font-size:11px;color:#777777">You receive this because you subscribed. '
        f'<a href="https://news.example/unsubscribe?u={number:x}">Unsubscribe</a></p>'
        f'<img src="https://open.news.example/p.gif?u={number:x}" width="1" height="1" alt=""></td></tr></table>'
        "</body></html>"
    )
    return "html", head + "".join(cards) + foot


def _notice(number: int, target: int) -> tuple[str, str]:
    rng = random.Random(number)
    if number % 4 == 0:
        code = f"{rng.randint(0, 999999):06}"
        return "text", f"Your one-time code is {code}.\r\n\r\nIt is valid for ten minutes. Do not share it.\r\n"
    rows = "".join(
        f'<tr><td style="padding:6px 12px">{rng.choice(words.PRODUCTS)}</td>'
        f'<td align="right">{rng.randint(1, 40)}</td>'
        f'<td align="right">{rng.randint(20, 9000)},{rng.randint(0, 99):02} €</td></tr>'
        for _ in range(max(3, target // 130))
    )
    return "html", (
        '<html><body style="font-family:Arial,sans-serif"><h1 style="font-size:18px">Your statement '
        f"{number % 100000}</h1><table>{rows}</table><p>This is an automated message, please do not reply.</p>"
        "</body></html>"
    )


def _invitation(number: int, target: int) -> tuple[str, str]:
    return "html", (
        "<html><body><div>Let us look at the open orders together.</div><div>________________________________</div>"
        f'<div style="font-family:Segoe UI">Microsoft Teams meeting<br>Meeting ID: 3{number % 10**8:08}<br>'
        '<a href="https://meet.example/join">Join the meeting now</a></div></body></html>'
    )


def _bounce(number: int, target: int) -> tuple[str, str]:
    return "html", (
        "<html><body><p><b>Delivery has failed to these recipients or groups:</b></p><p>"
        f"nobody.{number % 97}@brightwater.example<br>The email address you entered couldn't be found.</p>"
        "<p>Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address "
        "lookup'</p></body></html>"
    )


def _junk(number: int, target: int) -> tuple[str, str]:
    return "html", (
        '<html><body bgcolor="#fff000"><center><font size=7 color=red>You have been selected!!!</font><br>'
        f'<a href="http://192.0.2.{number % 250}/claim" onclick="steal()">CLAIM {number % 9999} NOW</a>'
        "<script>document.location='http://192.0.2.1/'</script><form action='http://192.0.2.1/'><input name=password>"
        "</form></center>"
    )


def _odd(number: int, target: int) -> tuple[str, str]:
    choices = (
        ("html", ""),
        ("text", ""),
        ("html", "<p>unclosed <b>bold <i>both</p><table><tr><td>cell<div></span></table><!-- <p>hidden"),
        (
            "html",
            '<style>body{display:none}</style><div style="position:fixed;inset:0;z-index:9999">cover</div>'
            '<img src=x onerror="alert(1)"><svg onload="alert(2)"></svg><a href="javascript:alert(3)">link</a>',
        ),
        ("text", "\u202eevil\u202c \u200b\u200d zero width \ufeff and \u0001 control \r\n" + "long" * 400),
        ("html", "<div>" * 300 + "deep" + "</div>" * 300),
        ("html", '<meta http-equiv="refresh" content="0;url=http://192.0.2.1/"><base href="http://192.0.2.1/">text'),
        ("html", "<p>" + "Unbroken" * 900 + "</p>"),
        ("text", "-- \r\n"),
        ("html", "<html><body>👩🏽‍🔬👨‍👩‍👧‍👦 ﷽ Ｆｕｌｌｗｉｄｔｈ Z̸͍̈́a̷̤͝l̶̟̽g̷̣̈́o̵͚͝</body></html>"),
    )
    return choices[number % len(choices)]


_MAKERS: dict[str, Callable[[int, int], tuple[str, str]]] = {
    "newsletter": _newsletter, "notice": _notice, "invitation": _invitation, "bounce": _bounce, "junk": _junk,
    "odd": _odd,
}  # fmt: skip
_PLAIN = {
    "notice": "Your statement. This is an automated message, please do not reply.",
    "invitation": "Let us look at the open orders together.",
    "bounce": "Delivery has failed to these recipients or groups:",
    "junk": "You have been selected!!!",
    "odd": "unclosed bold both",
}
