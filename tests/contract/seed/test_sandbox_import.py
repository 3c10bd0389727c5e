"""Real mail from files, broken mail included (RFC 5322, RFC 2045, RFC 2047)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365sandbox import eml
from m365sandbox.letters import Letter

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def read(text: str | bytes) -> Letter:
    raw = text if isinstance(text, bytes) else text.encode()
    return eml.letter_of(raw.replace(b"\r\n", b"\n"), now=NOW)


def test_plain_letter_keeps_its_fields() -> None:
    letter = read(
        "From: Ada <ada@one.example>\nTo: Bo <bo@two.example>, c@three.example\nCc: d@four.example\n"
        "Reply-To: answers@one.example\nSubject: A =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
        "Date: Tue, 03 Mar 2026 10:00:00 +0200\nMessage-ID: <a@one.example>\nIn-Reply-To: <z@two.example>\n"
        "References: <y@two.example>\n <z@two.example>\nImportance: High\nX-Mailer: Pen\n\nHello\n"
    )
    assert letter.sender is not None
    assert (letter.sender.name, letter.sender.address, letter.from_) == ("Ada", "ada@one.example", None)
    assert [one.address for one in letter.to] == ["bo@two.example", "c@three.example"]
    assert [one.address for one in letter.cc + letter.reply_to] == ["d@four.example", "answers@one.example"]
    assert letter.subject == "A Grüße"
    assert letter.sent_at == datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
    assert (letter.in_reply_to, letter.references) == ("<z@two.example>", ("<y@two.example>", "<z@two.example>"))
    assert letter.conversation == "<y@two.example>"
    assert letter.importance == "high"
    assert letter.headers == (("X-Mailer", "Pen"),)
    assert letter.body() == ("text", "Hello\n")
    assert letter.preview() == "Hello"


def test_letter_sent_on_behalf_keeps_both_people() -> None:
    letter = read("From: boss@one.example\nSender: aide@one.example\n\nHi")
    assert letter.from_ is not None
    assert letter.sender is not None
    assert (letter.from_.address, letter.sender.address) == ("boss@one.example", "aide@one.example")


def test_missing_message_id_and_date_are_made_up_the_same_way_each_time() -> None:
    first, second = read("Subject: x\n\none"), read("Subject: x\n\none")
    assert first.internet_message_id == second.internet_message_id
    assert first.internet_message_id != read("Subject: x\n\ntwo").internet_message_id
    assert first.sent_at == first.received_at == NOW


@pytest.mark.parametrize("date", ["yesterday", "Mon, 32 Foo 2026 99:99:99", "Fri, 31 Dec 9999 23:59:59 -2359", ""])
def test_impossible_date_is_the_time_of_import(date: str) -> None:
    assert read(f"Date: {date}\nSubject: x\n\nbody").sent_at == NOW


def test_html_is_preferred_and_nothing_of_the_alternatives_is_attached() -> None:
    letter = read(
        'Content-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/plain\n\nplain\n'
        "--b\nContent-Type: text/html; charset=utf-8\n\n<p>rich <b>text</b></p>\n--b--\n"
    )
    assert letter.body()[0] == "html"
    assert "<b>text</b>" in letter.body()[1]
    assert letter.preview() == "rich text"
    assert letter.enclosures == ()


def test_related_picture_is_inline_under_its_content_id() -> None:
    letter = read(
        'Content-Type: multipart/related; boundary="b"\n\n--b\nContent-Type: text/html\n\n<img src="cid:p@x">\n'
        "--b\nContent-Type: image/png\nContent-ID: <p@x>\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--b--\n"
    )
    (picture,) = letter.enclosures
    assert (picture.is_inline, picture.content_id, picture.content()) == (True, "p@x", b"\x89PNG\r\n\x1a\n")


def test_nested_letter_becomes_an_item_attachment_named_by_its_subject() -> None:
    letter = read(
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nsee below\n--b\nContent-Type: message/rfc822\n\n'
        "From: x@y.example\nSubject: The first one\n\ninner\n--b--\n"
    )
    (item,) = letter.enclosures
    assert (item.kind, item.name) == ("item", "The first one")
    assert b"inner" in item.content()


def test_attached_text_file_stays_a_file() -> None:
    letter = read(
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nbody\n--b\nContent-Type: text/plain\n'
        "Content-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.txt\n\nfile\n--b--\n"
    )
    assert letter.body() == ("text", "body")
    assert [(one.name, one.content()) for one in letter.enclosures] == [("Größe.txt", b"file")]


def test_name_of_an_attachment_cannot_leave_its_folder() -> None:
    letter = read('Content-Disposition: attachment; filename="../../etc/passwd"\nContent-Type: image/gif\n\nGIF')
    assert letter.enclosures[0].name == ".._.._etc_passwd"


@pytest.mark.parametrize("charset", ["no-such-charset", "us-ascii", "rot13", "idna", "utf-16", ""])
def test_undecodable_text_is_replaced_and_kept(charset: str) -> None:
    letter = read(f'Content-Type: text/plain; charset="{charset}"\n\n'.encode() + b"caf\xe9 \xff!!")
    assert letter.body()[0] == "text"
    assert letter.body()[1]


def test_raw_bytes_in_headers_are_replaced() -> None:
    letter = read(b"Subject: caf\xc3\xa9 \xff\nFrom: \xe9 <e@x.example>\n\nbody")
    assert letter.subject == "café \ufffd"
    assert letter.sender is not None
    assert letter.sender.address == "e@x.example"


def test_every_file_of_a_folder_is_one_letter_and_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(b"Subject: second\n\nx")
    (tmp_path / "a.txt").write_bytes(b"From nobody Mon Sep 17 00:00:00 2001\nSubject: first\n\nx\n\nFrom here\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "empty.eml").write_bytes(b"")
    letters = list(eml.letters_from(tmp_path, now=NOW))
    assert [letter.subject for letter in letters] == ["first", "second", ""]


def test_mbox_is_split_at_from_lines_and_unquoted(tmp_path: Path) -> None:
    (tmp_path / "old.mbox").write_bytes(
        b"From a@x.example Mon Sep 17 00:00:00 2001\nSubject: one\n\n>From the start\n\n"
        b"From b@x.example Mon Sep 17 00:00:00 2001\nSubject: two\n\nend\n"
    )
    one, two = eml.letters_from(tmp_path / "old.mbox", now=NOW)
    assert (one.subject, one.body()[1].startswith("From the start"), two.subject) == ("one", True, "two")


def test_missing_folder_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        eml.letters_from(tmp_path / "nothing")


FRAGMENTS = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b\n",
        b"Content-Type: multipart/alternative; boundary*=''b\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: text/html; charset=\xff\n",
        b"Content-Type: multipart/\xe9; boundary=\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: uuencode\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"Content-Disposition: attachment; filename*0*=x''%; filename*1=\n",
        b"Subject: =?utf-8?b?!!!?= =?x?q?=\n",
        b'From: <<>>,@;:"\n',
        b"Date: 99999999999999999999\n",
        b"Message-ID: <\n",
        b"References: <a\x00b> <c>\n",
        b"\n",
        b"--b\n",
        b"--b--\n",
        b"begin 644 x\n#0V%T\n",
    ]
)


@given(st.lists(st.one_of(FRAGMENTS, st.binary(max_size=60)), max_size=14))
def test_no_bytes_whatever_stop_an_import(parts: list[bytes]) -> None:
    letter = eml.letter_of(b"".join(parts), now=NOW)
    kind, content = letter.body()
    assert kind in ("html", "text")
    content.encode()
    letter.subject.encode()
    assert len(letter.preview()) <= 255
    assert all(len(one.content()) == one.size for one in letter.enclosures)
