"""Quoted mail is found whatever program wrote it, folded, and never hides what somebody wrote."""

from __future__ import annotations

import pytest
from tests.mail.render.rendering import rendered, text

HEADERS = {
    "en": ("From:", "Sent:", "To:", "Subject:"),
    "de": ("Von:", "Gesendet:", "An:", "Betreff:"),
    "fr": ("De\u00a0:", "Envoyé\u00a0:", "À\u00a0:", "Objet\u00a0:"),
    "es": ("De:", "Enviado el:", "Para:", "Asunto:"),
    "it": ("Da:", "Inviato:", "A:", "Oggetto:"),
    "nl": ("Van:", "Verzonden:", "Aan:", "Onderwerp:"),
    "pt": ("De:", "Enviado:", "Para:", "Assunto:"),
    "sv": ("Från:", "Skickat:", "Till:", "Ämne:"),
    "da": ("Fra:", "Sendt:", "Til:", "Emne:"),
    "pl": ("Od:", "Wysłano:", "Do:", "Temat:"),
    "ru": ("От:", "Отправлено:", "Кому:", "Тема:"),
    "zh": ("发件人:", "发送时间:", "收件人:", "主题:"),
    "ja": ("差出人:", "送信日時:", "宛先:", "件名:"),
    "fi": ("Lähettäjä:", "Lähetetty:", "Vastaanottaja:", "Aihe:"),
    "tr": ("Kimden:", "Gönderildi:", "Kime:", "Konu:"),
}
BLOCK = "<b>{0}</b> Ben &lt;ben@x.example&gt;<br><b>{1}</b> 12.1.2026 09:14<br><b>{2}</b> Ana<br><b>{3}</b> Ship"
WROTE = [
    "On Mon, Jan 12, 2026 at 9:14 AM Ben <ben@x.example> wrote:",
    "Am 12.01.2026 um 09:14 schrieb Ben <ben@x.example>:",
    "Ben schrieb am 12.01.2026 um 09:14:",
    "Le lun. 12 janv. 2026 à 09:14, Ben <ben@x.example> a écrit :",
    "El lun, 12 ene 2026 a las 9:14, Ben (<ben@x.example>) escribió:",
    "Il giorno lun 12 gen 2026 alle ore 09:14 Ben <ben@x.example> ha scritto:",
    "Op ma 12 jan. 2026 om 09:14 schreef Ben <ben@x.example>:",
    "Em seg., 12 de jan. de 2026 às 09:14, Ben <ben@x.example> escreveu:",
    "Den mån 12 jan. 2026 kl 09:14 skrev Ben <ben@x.example>:",
    "pon., 12 sty 2026 o 09:14 Ben <ben@x.example> napisał(a):",
    "пн, 12 янв. 2026 г. в 09:14, Ben <ben@x.example>:".replace(">:", "> написал:"),
    "Ben <ben@x.example> 于2026年1月12日周一 09:14写道：",
    "12 Oca 2026 Pzt 09:14 tarihinde Ben <ben@x.example> şunu yazdı:",
]

OUTLOOK_WEB = (
    "<div class='elementToProof'>My answer</div><div id='appendonsend'></div><hr style='width:98%'>"
    "<div id='divRplyFwdMsg' dir='ltr'>" + BLOCK.format(*HEADERS["en"]) + "</div><div>Old words</div>"
)
HTML = {
    "Outlook on the web": OUTLOOK_WEB,
    "Outlook on the web, forwarded through another": OUTLOOK_WEB.replace("id='", "id='x_"),
    "Outlook for Windows": "<div><p>My answer</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p>"
    + BLOCK.format(*HEADERS["de"])
    + "</p></div></div><p>Old words</p></div>",
    "Gmail": "<div dir=ltr>My answer</div><br><div class='gmail_quote gmail_quote_container'><div class=gmail_attr>"
    "On Mon, Jan 12, 2026 Ben wrote:<br></div><blockquote class=gmail_quote>Old words</blockquote></div>",
    "Apple Mail": "<body>My answer<div><br><blockquote type=cite><div>On 12 Jan 2026, at 09:14, Ben wrote:</div><br>"
    "<div>Old words</div></blockquote></div></body>",
    "Thunderbird": "<p>My answer</p><div class='moz-cite-prefix'>Am 12.01.26 um 09:14 schrieb Ben:<br></div>"
    "<blockquote type='cite'>Old words</blockquote>",
    "Thunderbird, answered below": "<div class='moz-cite-prefix'>On 12.01.26 09:14, Ben wrote:</div>"
    "<blockquote type=cite>Old words</blockquote><p>My answer</p>",
    "Yahoo": "<div>My answer</div><div class=yahoo_quoted>On Monday, 12 January, Ben wrote: Old words</div>",
    "Proton": "<div>My answer</div><div class=protonmail_quote>On Monday Ben wrote:"
    "<blockquote>Old words</blockquote></div>",
    "an unknown program": "<p>My answer</p><p>-----Original Message-----</p><p>From: Ben</p><p>Old words</p>",
    "an unknown program in German": "<p>My answer</p>-----Ursprüngliche Nachricht-----<br>Von: Ben<br>Old words",
    "a program that only quotes": "<p>My answer</p><p>On 12 Jan 2026 at 09:14, Ben wrote:</p>"
    "<blockquote>Old words</blockquote>",
}
TEXT = {
    "brackets below": "My answer\n\nOn Mon, 12 Jan 2026, Ben <ben@x.example>\nwrote:\n> Old words\n> more\n",
    "brackets above": "On Mon, 12 Jan 2026, Ben wrote:\n\n> Old words\n\nMy answer\n",
    "Outlook": "My answer\r\n\r\n________________________________\r\nFrom: Ben\r\nSent: Monday\r\n"
    "To: Ana\r\nSubject: x\r\n\r\nOld words",
    "original message": "My answer\n\n-----Original Message-----\nFrom: Ben\n\nOld words",
}


@pytest.mark.parametrize("program", HTML)
def test_quoted_mail_is_folded_and_can_be_shown(program: str) -> None:
    folded, shown = rendered(HTML[program]), rendered(HTML[program], quotes=True)
    assert text(folded) == "My answer"
    assert folded.has_quotes
    assert 'data-quotes="folded"' in folded.html
    assert "Old words" in text(shown)
    assert "My answer" in text(shown)
    assert 'data-quotes="shown"' in shown.html


@pytest.mark.parametrize("language", HEADERS)
def test_a_header_block_is_understood_in_many_languages(language: str) -> None:
    page = rendered(f"<p>My answer</p><div>{BLOCK.format(*HEADERS[language])}</div><p>Old words</p>")
    assert text(page) == "My answer"


@pytest.mark.parametrize("line", WROTE)
def test_somebody_wrote_is_understood_in_many_languages(line: str) -> None:
    escaped = line.replace("<", "&lt;").replace(">", "&gt;")
    assert text(rendered(f"<p>My answer</p><p>{escaped}</p><blockquote>Old words</blockquote>")) == "My answer"
    assert text(rendered(f"My answer\n\n{line}\n> Old words\n", kind="text")) == "My answer"


@pytest.mark.parametrize("program", TEXT)
def test_quoted_text_is_folded_and_can_be_shown(program: str) -> None:
    folded, shown = rendered(TEXT[program], kind="text"), rendered(TEXT[program], kind="text", quotes=True)
    assert text(folded) == "My answer"
    assert folded.has_quotes
    assert "Old words" in text(shown)
    assert 'data-quotes="shown"' in shown.html


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hello</p><p>From: here to there</p>",
        "<p>He wrote:</p><p>Nothing.</p>",
        "<p>On Monday I will come. Ben wrote to me.</p>",
        "<blockquote>A poem, quoted in the mail itself</blockquote><p>Nice?</p>",
        "<p>Please fill in:</p><p>Date:</p><p>To:</p><p>Subject:</p>",
    ],
)
def test_what_only_looks_like_a_quote_stays(html: str) -> None:
    assert not rendered(html).has_quotes


@pytest.mark.parametrize(
    "html",
    [
        "<p>FYI</p><div class=gmail_quote>---------- Forwarded message ---------<br>From: Ben<br>Date: 12 Jan<br>"
        "Subject: x<br>To: Ana<br><br>Old words</div>",
        "<div>FYI</div><div>Begin forwarded message:</div><blockquote type=cite>From: Ben<br>Date: 12 Jan<br>To: Ana"
        "<br>Old words</blockquote>",
        "<p>FYI</p><p>-------- Weitergeleitete Nachricht --------</p><blockquote type=cite>Old words</blockquote>",
    ],
)
def test_a_forwarded_mail_stays_because_it_is_the_message(html: str) -> None:
    page = rendered(html)
    assert "Old words" in text(page)
    assert not page.has_quotes


@pytest.mark.parametrize("program", ["Gmail", "Apple Mail", "Outlook on the web"])
def test_a_mail_that_is_nothing_but_a_quote_is_shown(program: str) -> None:
    page = rendered(HTML[program].replace("My answer", "&nbsp;"))
    assert "Old words" in text(page)
    assert not page.has_quotes


def test_answers_between_the_lines_keep_the_lines_they_answer() -> None:
    html = "<blockquote type=cite>When?</blockquote><p>Noon.</p><blockquote type=cite>Where?</blockquote><p>Here.</p>"
    assert text(rendered(html)) == "When? Noon. Where? Here."
    page = rendered("> When?\nNoon.\n> Where?\nHere.\n", kind="text")
    assert text(page) == "> When? Noon. > Where? Here."
    assert not page.has_quotes


def test_what_stands_around_a_folded_quote_keeps_its_layout() -> None:
    html = "<table><tr><td><b>My answer</b><blockquote type=cite>Old</blockquote></td><td>side</td></table><p>end</p>"
    page = rendered(html)
    assert text(page).replace(" ", "") == "Myanswersideend"
    assert page.html.count("<td>") == 2
