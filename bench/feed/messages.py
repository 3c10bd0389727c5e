"""A seeded mailbox as Graph's message objects: every property that a synchroniser asks for.

Public source of the shape: Microsoft Graph v1.0, resource type message.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bench.feed import bodies, prose

LIGHT = frozenset(
    (
        "id",
        "changeKey",
        "parentFolderId",
        "conversationId",
        "internetMessageId",
        "subject",
        "receivedDateTime",
        "lastModifiedDateTime",
        "isRead",
        "isDraft",
        "flag",
        "categories",
        "hasAttachments",
        "importance",
    )
)
_TAGS = re.compile(r"<style>.*?</style>|<[^>]+>", re.DOTALL)


def messages(
    *, count: int, mean: int, days: int, newest: datetime, folder: str, seed: int
) -> Iterator[dict[str, Any]]:
    """Newest first, over `days` days before `newest`; one in 97 shares its second with its neighbour.

    About three messages share a conversation, and their headers refer to each other.
    """
    rng = Random(seed)
    pool = prose.sentences(rng=rng, count=6000)
    lengths = bodies.sizes(rng=rng, count=count, mean=mean)
    step = days * 86400 / max(count, 1)
    when = newest
    for number in range(count):
        if number % 97:
            when -= timedelta(seconds=rng.expovariate(1.0) * step)
        yield _message(rng=rng, pool=pool, size=lengths[number], number=number, when=when, folder=folder, seed=seed)


def _message(
    *, rng: Random, pool: list[str], size: int, number: int, when: datetime, folder: str, seed: int
) -> dict[str, Any]:
    key = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    topic = Random(seed * 1_000_003 + number // 3)
    subject = topic.choice(pool)[:70].rstrip(" .,?")
    mail_id = _mail_id(number=number, seed=seed)
    earlier = [_mail_id(number=one, seed=seed) for one in range(number - number % 3 + 2, number, -1)]
    html = bodies.body(rng=rng, pool=pool, size=size)
    sender = _recipient(rng=rng)
    to = [_recipient(rng=rng) for _ in range(rng.choice((1, 1, 1, 2, 3, 6)))]
    cc = [_recipient(rng=rng) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
    received, sent = _stamp(when), _stamp(when - timedelta(seconds=rng.randint(1, 40)))
    attachments = _attachments(rng=rng, key=key, received=received) if rng.random() < 0.15 else []
    change = b64encode(b"\t\x00\x00\x00\x16\x00\x00\x00" + key[:20] + b"\x00\x00").decode()
    subject = subject if number % 3 == 2 else f"Re: {subject}"
    return {
        "@odata.etag": f'W/"{change}"',
        "id": "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A" + urlsafe_b64encode(key + key[:7]).decode().rstrip("="),
        "createdDateTime": received,
        "lastModifiedDateTime": received,
        "changeKey": change,
        "categories": ["Follow up"] if rng.random() < 0.05 else [],
        "receivedDateTime": received,
        "sentDateTime": sent,
        "hasAttachments": any(not one["isInline"] for one in attachments),
        "internetMessageId": mail_id,
        "subject": subject,
        "bodyPreview": " ".join(_TAGS.sub(" ", html[:6000]).split())[:255],
        "importance": "high" if rng.random() < 0.04 else "normal",
        "parentFolderId": folder,
        "conversationId": "AAQkAGI2" + b64encode(hashlib.sha256(f"{seed}/{number // 3}".encode()).digest()).decode(),
        "conversationIndex": b64encode(key[:22]).decode(),
        "isDeliveryReceiptRequested": False,
        "isReadReceiptRequested": False,
        "isRead": rng.random() < 0.8,
        "isDraft": False,
        "webLink": "https://outlook.office365.com/owa/?ItemID="
        + urlsafe_b64encode(key + key).decode()
        + "&exvsurl=1",
        "inferenceClassification": rng.choice(("focused", "focused", "other")),
        "body": {"contentType": "html", "content": html},
        "sender": sender,
        "from": sender,
        "toRecipients": to,
        "ccRecipients": cc,
        "bccRecipients": [],
        "replyTo": [],
        "flag": {"flagStatus": "flagged" if rng.random() < 0.03 else "notFlagged"},
        "internetMessageHeaders": _headers(
            rng=rng, key=key, sent=sent, mail_id=mail_id, earlier=earlier, sender=sender, subject=subject
        ),
        "attachments": attachments,
    }


def light(*, message: dict[str, Any]) -> dict[str, Any]:
    """The small properties of a message, as a delta round without bodies carries them."""
    kept = {"@odata.type": "#microsoft.graph.message", "@odata.etag": message["@odata.etag"]}
    return kept | {name: value for name, value in message.items() if name in LIGHT}


def _recipient(*, rng: Random) -> dict[str, Any]:
    name = prose.person(rng=rng)
    local = re.sub(r"[^a-z.]", "", name.lower().replace(" ", "."))
    return {"emailAddress": {"name": name, "address": f"{local}@{rng.choice(prose.COMPANIES)}.example"}}


def _attachments(*, rng: Random, key: bytes, received: str) -> list[dict[str, Any]]:
    made = []
    for number in range(rng.choice((1, 1, 1, 2, 4))):
        inline = rng.random() < 0.3
        kind = "image/png" if inline else "application/pdf"
        made.append(
            {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "@odata.mediaContentType": kind,
                "id": "AAkALgAAAAAAHYQDAtt" + urlsafe_b64encode(key + bytes([number])).decode(),
                "lastModifiedDateTime": received,
                "name": f"image00{number}.png" if inline else f"{rng.choice(prose.WORDS)}-{number}.pdf",
                "contentType": kind,
                "size": rng.randint(900, 4_000_000),
                "isInline": inline,
                "contentId": f"image00{number}.png@01DC{key[:4].hex().upper()}" if inline else None,
            }
        )
    return made


def _headers(
    *,
    rng: Random,
    key: bytes,
    sent: str,
    mail_id: str,
    earlier: list[str],
    sender: dict[str, Any],
    subject: str,
) -> list[dict[str, str]]:
    """About 2.5 KB of transport headers, half of it signatures that do not compress."""
    address = sender["emailAddress"]["address"]
    domain = address.partition("@")[2]
    pairs = [
        (
            "Received",
            f"from AM0PR0{number}MB{rng.randrange(1000, 9999)}.eurprd04.prod.outlook.com (2603:10a6:20b:{number})"
            f" by DB8PR04MB{rng.randrange(1000, 9999)}.eurprd04.prod.outlook.com with HTTPS; {sent}",
        )
        for number in range(3)
    ]
    pairs += [
        (
            "Authentication-Results",
            f"spf=pass (sender IP is 203.0.113.{rng.randrange(1, 255)}) smtp.mailfrom={domain}; "
            f"dkim=pass (signature was verified) header.d={domain};"
            f"dmarc=pass action=none header.from={domain};compauth=pass",
        ),
        (
            "DKIM-Signature",
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=selector1; "
            f"h=From:Date:Subject:Message-ID; bh={b64encode(rng.randbytes(32)).decode()}; "
            f"b={b64encode(rng.randbytes(256)).decode()}",
        ),
        (
            "ARC-Seal",
            "i=1; a=rsa-sha256; s=arcselector10001; d=microsoft.com; cv=none; "
            f"b={b64encode(rng.randbytes(256)).decode()}",
        ),
        ("From", f"{sender['emailAddress']['name']} <{address}>"),
        ("Subject", subject),
        ("Date", sent),
        ("Message-ID", mail_id),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="_000_{key[:16].hex().upper()}_"'),
        ("X-MS-Exchange-Organization-Network-Message-Id", key[:16].hex()),
        ("X-MS-Exchange-Organization-SCL", "1"),
        ("X-Microsoft-Antispam-Message-Info", b64encode(rng.randbytes(180)).decode()),
    ]
    if earlier:
        pairs += [("In-Reply-To", earlier[-1]), ("References", " ".join(earlier))]
    return [{"name": name, "value": value} for name, value in pairs]


def _mail_id(*, number: int, seed: int) -> str:
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return f"<{digest[:12].hex()}@mail.{prose.COMPANIES[digest[0] % len(prose.COMPANIES)]}.example>"


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
