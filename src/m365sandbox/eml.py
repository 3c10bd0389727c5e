"""Real mail from files: .eml and .txt hold one letter each, mbox files many. Odd mail never stops an import.

Letters are read as Exchange would take them in: what is missing is made up, what cannot be decoded is replaced,
what is no body becomes an attachment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from functools import partial
from pathlib import Path

from . import mail_headers, mail_parts
from .letters import Address, Enclosure, Letter

SINGLE = (".eml", ".txt")


@dataclass(frozen=True, slots=True)
class _Body:
    """A body that is already known."""

    kind: str
    content: str

    def __call__(self) -> tuple[str, str]:
        return self.kind, self.content


def letters_from(path: Path | str, *, now: datetime | None = None) -> Iterator[Letter]:
    """Every letter of a file, or of a folder and those below it, in the order of their names.

    `now` stands in for missing dates. Raises FileNotFoundError when there is nothing at `path`; never raises on
    odd mail.
    """
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    root = Path(path)
    if not root.exists():
        raise FileNotFoundError(f"{root} does not exist")
    files = [root] if root.is_file() else sorted(one for one in root.rglob("*") if one.is_file())
    return _letters(files, moment)


def letter_of(raw: bytes, *, now: datetime) -> Letter:
    """The letter in these bytes, whatever they are."""
    try:
        return _letter(message_from_bytes(raw), raw, now)
    except Exception:  # the e-mail package fails in many ways on broken mail; the letter must arrive all the same
        return _as_text(raw, now)


def _letters(files: list[Path], now: datetime) -> Iterator[Letter]:
    for file in files:
        if file.suffix.casefold() in SINGLE:
            yield letter_of(file.read_bytes(), now=now)
        elif file.suffix.casefold() in ("", ".mbox", ".mbx") and _looks_like_mbox(file):
            for raw in _split_mbox(file):
                yield letter_of(raw, now=now)


def _looks_like_mbox(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(5) == b"From "


def _split_mbox(file: Path) -> Iterator[bytes]:
    lines: list[bytes] = []
    after_blank = True
    with file.open("rb") as stream:
        for line in stream:
            if line.startswith(b"From ") and after_blank:
                if lines:
                    yield b"".join(lines)
                lines = []
            else:
                quoted = line.lstrip(b">")
                lines.append(line[1:] if quoted.startswith(b"From ") and line.startswith(b">") else line)
            after_blank = line in (b"\n", b"\r\n")
    if lines:
        yield b"".join(lines)


def _letter(message: Message, raw: bytes, now: datetime) -> Letter:
    head = mail_headers.read(message, now=now)
    found = mail_parts.read(message)
    message_id = head.message_id or _made_up_id(raw)
    author, sender = head.author, head.sender
    apart = sender is not None and author is not None and sender.address.casefold() != author.address.casefold()
    return Letter(
        subject=head.subject,
        sender=sender or author,
        from_=author if apart else None,
        to=head.to,
        cc=head.cc,
        bcc=head.bcc,
        reply_to=head.reply_to,
        received_at=min(head.received_at or head.sent_at, now),
        sent_at=head.sent_at,
        internet_message_id=message_id,
        body=_Body(found.kind, found.content),
        preview=partial(mail_parts.preview, found.kind, found.content),
        importance=head.importance,
        conversation=(head.references or (head.in_reply_to or message_id,))[0],
        headers=head.others,
        enclosures=tuple(found.enclosures),
        in_reply_to=head.in_reply_to,
        references=head.references,
    )


def _as_text(raw: bytes, now: datetime) -> Letter:
    text = raw.decode("utf-8", "replace").replace("\0", "")
    enclosure = Enclosure("message.eml", "message/rfc822", len(raw), partial(bytes, raw))
    return Letter(
        subject="",
        sender=Address("", "postmaster@imported.example"),
        to=(),
        received_at=now,
        sent_at=now,
        internet_message_id=_made_up_id(raw),
        body=_Body("text", text),
        preview=partial(mail_parts.preview, "text", text),
        conversation=_made_up_id(raw),
        enclosures=(enclosure,),
    )


def _made_up_id(raw: bytes) -> str:
    return f"<{hashlib.sha256(raw).hexdigest()[:32]}@imported.example>"
