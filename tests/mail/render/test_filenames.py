"""Files leave under names and types that no browser and no file system can be tricked with (RFC 6266)."""

from __future__ import annotations

import email.message
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workestra.mail.filenames import disposition, picture_type, safe_name, safe_type, saved_as


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Ärger & Öl.pdf", "Ärger & Öl.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\x.exe", "C__Windows_x.exe"),
        ("a\r\nSet-Cookie: x=y.pdf", "aSet-Cookie_ x=y.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("zero\u200bwidth\x00.txt", "zerowidth.txt"),
        ("  .hidden ", "hidden"),
        ("CON.txt", "file-1_CON.txt"),
        ("", "file-1"),
        ("...", "file-1"),
        ("\u202e", "file-1"),
    ],
)
def test_a_name_loses_what_could_mislead(name: str, safe: str) -> None:
    assert safe_name(name=name, fallback="file-1") == safe


def test_a_long_name_keeps_its_ending() -> None:
    name = safe_name(name="ü" * 400 + ".pdf", fallback="file")
    assert name.endswith(".pdf")
    assert len(name.encode()) <= 180


@given(st.text(max_size=400), st.booleans())
def test_any_name_makes_a_header_that_reads_back(name: str, inline: bool) -> None:
    safe = safe_name(name=name, fallback="file-1")
    header = disposition(name=safe, inline=inline)
    assert re.fullmatch(r"[\x20-\x7e]+", header)
    message = email.message.Message()
    message["Content-Disposition"] = header
    assert message.get_content_disposition() == ("inline" if inline else "attachment")
    assert safe
    assert not set(safe) & set('/\\:*?"<>|\r\n\x00\u202e')
    if "filename*" in header:
        from urllib.parse import unquote

        assert unquote(header.rpartition("UTF-8''")[2]) == safe
    else:
        assert message.get_filename() == safe


@pytest.mark.parametrize(
    ("declared", "safe"),
    [
        ("application/pdf", "application/pdf"),
        ("Image/PNG; name=x", "image/png"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("message/rfc822", "application/octet-stream"),
        ("text/html", "application/octet-stream"),
        ("TEXT/HTML; charset=utf-8", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/xml", "application/octet-stream"),
        ("application/javascript", "application/octet-stream"),
        ("text/ecmascript", "application/octet-stream"),
        ("application/x-shockwave-flash", "application/octet-stream"),
        ("multipart/x-mixed-replace", "application/octet-stream"),
        ("text/css", "application/octet-stream"),
        ("not a type\r\nX: y", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_active_types_leave_as_bytes(declared: str, safe: str) -> None:
    assert safe_type(declared=declared) == safe


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\nxxxx", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"<svg onload=alert(1)>", None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_a_picture_is_shown_for_what_its_bytes_are(head: bytes, kind: str | None) -> None:
    assert picture_type(attachment={"type": "image/png", "name": "x.png"}, head=head) == kind


def test_a_file_that_is_not_called_a_picture_is_not_shown() -> None:
    assert picture_type(attachment={"type": "text/html", "name": "x.png"}, head=b"GIF89a") is None


def test_an_attached_mail_is_saved_as_eml() -> None:
    item = {"kind": "item", "name": "Re: plans"}
    assert saved_as(attachment=item, subject="x", index=0) == "Re_ plans.eml"
    assert saved_as(attachment={"kind": "item", "name": None}, subject="", index=0) == "message.eml"
