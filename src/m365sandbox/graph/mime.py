"""A message as MIME, as /$value serves it."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.policy import SMTP

from ..mailbox import Item
from .message_view import internet_headers

_BREAKS = re.compile(r"[\r\n\x00]+")
_OWN = {"content-type", "content-transfer-encoding", "mime-version", "content-disposition", "content-id"}


def _clean(value: str) -> str:
    return _BREAKS.sub(" ", value).encode("utf-8", "replace").decode()


def mime(item: Item) -> bytes:
    """The letter with its headers, body and attachments."""
    message = EmailMessage(policy=SMTP)
    kind, content = item.letter.body()
    message.set_content(
        content.encode("utf-8", "replace").decode(),
        subtype="html" if kind == "html" else "plain",
        cte="base64",
    )
    for name, value in internet_headers(item.letter):
        if name.casefold() in _OWN:
            continue
        try:
            message[_clean(name)] = _clean(value)
        except (ValueError, IndexError):  # a header that only one copy may have, or an address beyond repair
            message[f"X-Original-{re.sub(r'[^A-Za-z0-9-]', '', name)}"] = ascii(_clean(value))
    for enclosure in item.letter.enclosures:
        if enclosure.kind == "reference":
            continue
        main, _, sub = enclosure.content_type.partition("/")
        plain = re.fullmatch(r"[\w.+-]+", main) and re.fullmatch(r"[\w.+-]+", sub)
        odd = not plain or main in ("multipart", "message", "text")
        message.add_attachment(
            enclosure.content(),
            maintype="application" if odd else main,
            subtype="octet-stream" if odd else sub,
            filename=_clean(enclosure.name),
            disposition="inline" if enclosure.is_inline else "attachment",
            cid=f"<{_clean(enclosure.content_id)}>" if enclosure.content_id else None,
        )
    return message.as_bytes()
