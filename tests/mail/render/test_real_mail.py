"""Real and broken mail, parsed by Python's own e-mail package, becomes a page without an exception."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest
from tests.mail.render.rendering import rendered, tree
from tests.mail.render.test_hostile import faults

SAMPLES = Path("/usr/lib/python3.11/test/test_email/data")  # Debian: libpython3.11-testsuite
OWN = {
    "broken charset": b"Content-Type: text/html; charset=x-unknown\n\n<p>caf\xe9 <b>\xff\xfe",
    "mixed": (
        b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nHello\n'
        b"--b\nContent-Type: text/html\n\n<p>Hello<script>x</script>\n--b--\n"
    ),
    "quoted printable": (
        b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p style=3D=\n"
        b'"color:red">=C3=A4=00</p>'
    ),
    "no headers": b"\n\nOn 1.1.2026 Ben wrote:\n> x\n",
    "nothing": b"",
}


def samples() -> dict[str, bytes]:
    found = {one.name: one.read_bytes() for one in sorted(SAMPLES.glob("*.txt"))} if SAMPLES.is_dir() else {}
    return {**OWN, **found}


@pytest.mark.parametrize("name", samples())
def test_every_part_of_a_sample_is_rendered(name: str) -> None:
    message = email.message_from_bytes(samples()[name], policy=email.policy.compat32)
    parts = [part for part in message.walk() if not part.is_multipart()]
    for part in parts:
        payload = part.get_payload(decode=True)
        raw = payload if isinstance(payload, bytes) else b""
        for source in (raw.decode("utf-8", "surrogateescape"), raw.decode("latin-1")):
            for kind in ("html", "text"):
                for quotes in (False, True):
                    page = rendered(source, kind=kind, quotes=quotes)
                    assert faults(page) == []
                    assert tree(page).xpath("//div[@class='mail-text']")
