"""How mail programs, in many languages, say that what follows is quoted."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST_LINE = 300
BLOCK_LINES = 12


def _labels(words: str) -> re.Pattern[str]:
    return re.compile(rf"[\s>*_|]*(?:{words})[\s*_]*[:：]", re.IGNORECASE)


_FROM = _labels(
    "from|von|de|da|van|från|fra|od|от|від|lähettäjä|kimden|feladó|expéditeur|remitente|mittente|отправитель"
    "|发件人|寄件者|差出人|보낸 사람"
)
_DATE = _labels(
    "sent|date|gesendet|datum|envoyé|enviado(?: el| em)?|fecha|inviato|data|verzonden|skickat|sendt|dato|wysłano"
    "|отправлено|надіслано|дата|lähetetty|päivämäärä|gönderildi|gönderme tarihi|tarih|odesláno|elküldve|dátum"
    "|trimis|发送时间|日期|傳送時間|寄件日期|送信日時|日付|보낸 날짜|날짜"
)
_TO_OR_SUBJECT = _labels(
    "to|an|à|para|a|aan|till|til|do|komu|кому|vastaanottaja|kime|címzett|către|收件人|收件者|宛先|받는 사람"
    "|subject|betreff|objet|asunto|oggetto|onderwerp|ämne|emne|temat|тема|aihe|konu|tárgy|předmět|assunto|subiect"
    "|主题|主旨|件名|제목"
)
_ORIGINAL = re.compile(
    r"[\s>]*[-_=*]{2,}\s*(?:original message|original appointment|ursprüngliche nachricht|originalnachricht"
    r"|message d['’]origine|mensaje original|messaggio originale|oorspronkelijk bericht|ursprungligt meddelande"
    r"|mensagem original|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|wiadomość oryginalna"
    r"|исходное сообщение|původní zpráva|eredeti üzenet|orijinal mesaj|原始邮件|原始郵件|邮件原件|元のメッセージ"
    r"|원본 메시지)\s*[-_=*]{2,}\s*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"[\s>]*(?:[-_=]{2,}\s*(?:forwarded|weitergeleitete|message transféré|mensaje reenviado|messaggio inoltrato"
    r"|doorgestuurd|vidarebefordra|videresendt|mensagem encaminhada|przekazan|пересыла|转发|轉寄|転送)"
    r"|(?:begin forwarded message|anfang der weitergeleiteten|début du message réexpédié|inicio del mensaje reenviado"
    r"|inizio messaggio inoltrato|begin doorgestuurd bericht)\b)",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(?:\b(?:wrote|schrieb(?: am .*| .*)?|a écrit|escribió|ha scritto|schreef(?: .*)?|escreveu|skrev(?: .*)?"
    r"|kirjoitti|pisze|napisał(?:\(a\)|a)?|napsal(?:\(a\)|a)?|пишет|написал(?:\(а\)|а)?|пише|написав|ezt írta(?: .*)?"
    r"|yazdı|şunu yazdı|a scris)|写道|寫道|書きました|のメール|작성(?:했습니다)?|님이 작성)\s*[:：]",
    re.IGNORECASE,
)
_SIGN_OF_MAIL = re.compile(r"[0-9]|@")
_BEGINS = re.compile(r"[\s>]*(?:on|am|le|el|il|op|em|den|dne|w dniu)\b.*[0-9]|@|[0-9]{4}|[0-9]:[0-9]", re.IGNORECASE)
_RULE = re.compile(r"\s*[-_=]{5,}\s*")


def is_original(line: str) -> bool:
    """The line "-----Original Message-----", in its languages."""
    return _ORIGINAL.fullmatch(line[:LONGEST_LINE]) is not None


def is_forwarded(line: str) -> bool:
    """The line above a forwarded mail: what follows is what the mail is about."""
    return _FORWARDED.match(line[:LONGEST_LINE]) is not None


def is_rule(line: str) -> bool:
    """A line of dashes or underscores."""
    return _RULE.fullmatch(line[:LONGEST_LINE]) is not None


def attribution(lines: Sequence[str], at: int) -> int:
    """How many lines "On Monday, Ben wrote:" takes from `at` on; 0 where it is not one."""
    joined = ""
    for count in range(1, 4):
        if at + count > len(lines):
            return 0
        joined = f"{joined} {lines[at + count - 1].strip()}".strip()
        if not lines[at + count - 1].strip() or len(joined) > LONGEST_LINE:
            return 0
        if joined.endswith((":", "：")):
            found = _WROTE.search(joined)
            if found is None or found.end() != len(joined) or not _SIGN_OF_MAIL.search(joined):
                return 0
            # Of several lines the first must begin it: what stands above was written by the sender.
            begins = count == 1 or (_BEGINS.search(lines[at]) and not attribution(lines, at + 1))
            return count if begins else 0
    return 0


def header_block(lines: Sequence[str], at: int) -> bool:
    """Whether "From: ... Sent: ... To: ... Subject: ..." begins here."""
    if not _FROM.match(lines[at][:LONGEST_LINE]):
        return False
    near = [line[:LONGEST_LINE] for line in lines[at + 1 : at + 1 + BLOCK_LINES]]
    return any(_DATE.match(line) for line in near) and any(_TO_OR_SUBJECT.match(line) for line in near)
