"""Attachments and inline images: small real files, made when asked for, the same for the same seed."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache, partial

from ..letters import Enclosure

_VARIANTS = 24
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("pdf", "application/pdf", "Offer-{}.pdf"),
    ("pdf", "application/pdf", "Rechnung Größe {}.pdf"),
    ("csv", "text/csv", "measurements_{}.csv"),
    ("png", "image/png", "photo {}.png"),
    ("zip", "application/zip", "certificates-{}.zip"),
    ("docx", _DOCX, "Protocole d’essai {}.docx"),
    ("txt", "text/plain", "log-{}.txt"),
    ("ics", "text/calendar", "invite-{}.ics"),
    ("bin", "application/octet-stream", "見積書_{}.dat"),
)


def attachment(number: int) -> Enclosure:
    """An ordinary attachment; one in forty is between 3 and 5 MB."""
    kind, content_type, name = _KINDS[number % len(_KINDS)]
    variant = (number // len(_KINDS)) % _VARIANTS
    if number % 40 == 7:
        size = 3_200_000 + variant * 70_000
        return Enclosure(f"scan-{variant}.pdf", "application/pdf", size, partial(_padded_pdf, variant, size))
    make = partial(_content, kind, variant)
    return Enclosure(name.format(variant + 1), content_type, _size(kind, variant), make)


def picture(number: int, *, content_id: str) -> Enclosure:
    """An inline image for a cid: reference."""
    variant = number % _VARIANTS
    make: Callable[[], bytes] = partial(_content, "png", variant)
    return Enclosure(
        f"image{variant + 1:03}.png", "image/png", _size("png", variant), make, is_inline=True, content_id=content_id
    )


@lru_cache(maxsize=1024)
def _size(kind: str, variant: int) -> int:
    return len(_content(kind, variant))


@lru_cache(maxsize=256)
def _content(kind: str, variant: int) -> bytes:
    if kind == "pdf":
        return _pdf(f"Larkfield Instruments, document {variant + 1}")
    if kind == "png":
        return _png(variant)
    if kind == "csv":
        return "".join(f"{n};{n * (variant + 3) % 97};{n * 7 % 11},{variant}\r\n" for n in range(80)).encode()
    if kind == "txt":
        return "".join(f"2026-03-{n % 28 + 1:02} 08:{n:02}:00 value={n * variant}\n" for n in range(60)).encode()
    if kind == "ics":
        return (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n"
            f"UID:{variant}@larkfield.example\r\nSUMMARY:Call {variant}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ).encode()
    if kind == "zip":
        return _zip({f"certificate-{n}.txt": f"Serial {variant}{n}: within limits\n" for n in range(5)})
    if kind == "docx":
        return _docx(f"Test report {variant + 1}")
    return bytes((n * (variant + 1)) % 256 for n in range(4096))


def _padded_pdf(variant: int, size: int) -> bytes:
    start = _pdf(f"Scan {variant}") + b"\n%"
    return start + (b"0123456789abcdef" * (size // 16 + 1))[: size - len(start)]


def _pdf(text: str) -> bytes:
    stream = f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return out + end % (table, len(out))


def _png(variant: int) -> bytes:
    width, height = 24 + variant * 4, 16 + variant * 2
    rows = b"".join(
        b"\0"
        + bytes(
            part
            for x in range(width)
            for part in ((x * 9 + variant * 31) % 256, (y * 13) % 256, (x * y + variant) % 256)
        )
        for y in range(height)
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def _zip(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def _docx(text: str) -> bytes:
    office = "http://schemas.openxmlformats.org"
    return _zip(
        {
            "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
            f'PartName="/word/document.xml" ContentType="{_DOCX}.main+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
            "</Relationships>",
            "word/document.xml": f'<w:document xmlns:w="{office}/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
            f"{text}</w:t></w:r></w:p></w:body></w:document>",
        }
    )


def forwarded(number: int) -> Enclosure:
    """A letter attached to a letter."""
    variant = number % _VARIANTS
    content = (
        f"From: Helen Moss <helen.moss@brightwater.example>\r\nTo: ana@larkfield.example\r\n"
        f"Subject: Forwarded note {variant}\r\nDate: Mon, 05 Jan 2026 09:{variant:02}:00 +0000\r\n"
        f"Message-ID: <note-{variant}@brightwater.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nPlease see the note above.\r\n"
    ).encode()
    return Enclosure(
        f"Forwarded note {variant}", "message/rfc822", len(content), partial(bytes, content), kind="item"
    )


def shared_file(number: int) -> Enclosure:
    """A link to a file that lies elsewhere."""
    return Enclosure(f"Budget {number % 20}.xlsx", "application/octet-stream", 0, bytes, kind="reference")
