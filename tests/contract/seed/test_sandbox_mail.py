"""Seeded mail: as much as asked for, always the same, and as mixed as real mail (SBX 3)."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from m365sandbox import seed
from m365sandbox.letters import Letter

NOW = datetime(2026, 11, 22, 9, 30, 12, 345678, tzinfo=UTC)
COMPANY = seed.company(7)
ANA, BEN, CLEO = "ana@larkfield.example", "ben@larkfield.example", "cleo@quillmark.example"


def mail(address: str, count: int, **options: int) -> list[tuple[Letter, seed.Placement]]:
    return list(seed.letters(address, COMPANY, count, options.pop("number", 7), NOW, **options))


SOME = mail(ANA, 3000)


def test_the_number_asked_for_comes_oldest_first_and_none_from_the_future() -> None:
    moments = [letter.received_at for letter, _ in SOME]
    assert len(moments) == 3000
    assert moments == sorted(moments)
    assert moments[-1] <= NOW
    assert timedelta(days=380) < NOW - moments[0] < timedelta(days=430)
    assert all(not moment.microsecond and moment.tzinfo is UTC for moment in moments)


def test_same_seed_writes_the_same_letters_to_the_last_byte() -> None:
    again = mail(ANA, 3000)
    assert [place for _, place in again] == [place for _, place in SOME]
    for (one, _), (other, _) in zip(SOME[::37], again[::37], strict=True):
        assert (one.internet_message_id, one.subject, one.body()) == (
            other.internet_message_id,
            other.subject,
            other.body(),
        )


def test_another_seed_writes_other_letters() -> None:
    ids = {letter.internet_message_id for letter, _ in SOME}
    assert not ids & {letter.internet_message_id for letter, _ in mail(ANA, 200, number=8)}


def test_message_ids_are_unique_within_a_mailbox() -> None:
    assert len({letter.internet_message_id for letter, _ in SOME}) == len(SOME)


def test_colleagues_hold_copies_of_the_same_letters_and_strangers_none() -> None:
    ana = {letter.internet_message_id: letter for letter, _ in SOME}
    ben = {letter.internet_message_id: letter for letter, _ in mail(BEN, 3000)}
    both = set(ana) & set(ben)
    assert len(both) > 150
    assert all(ana[key].body() == ben[key].body() for key in list(both)[:40])
    assert not set(ana) & {letter.internet_message_id for letter, _ in mail(CLEO, 3000)}


def test_letters_lie_in_many_folders_and_own_letters_in_sent_items() -> None:
    folders = Counter(place.folder for _, place in SOME)
    assert folders.keys() >= {
        *("inbox", "sentitems", "archive", "deleteditems", "junkemail", "drafts"),
        *("Customers/Brightwater", "Recruiting"),
    }
    for letter, place in SOME:
        own = letter.sender is not None and letter.sender.address == ANA
        assert own == (place.folder in ("sentitems", "drafts"))


def test_old_mail_is_mostly_read_and_some_is_flagged_or_categorised() -> None:
    old = [place.is_read for letter, place in SOME if NOW - letter.received_at > timedelta(days=90)]
    assert sum(old) / len(old) > 0.8
    assert {place.flag for _, place in SOME} == {"notFlagged", "flagged", "complete"}
    assert any(place.categories for _, place in SOME)


def test_replies_point_at_letters_of_the_same_conversation() -> None:
    by_id = {letter.internet_message_id: letter for letter, _ in SOME}
    replies = [letter for letter, _ in SOME if letter.in_reply_to in by_id]
    assert len(replies) > 500
    for reply in replies:
        assert reply.in_reply_to is not None
        assert by_id[reply.in_reply_to].conversation == reply.conversation
        assert reply.references[-1] == reply.in_reply_to
        assert reply.received_at > by_id[reply.in_reply_to].received_at


def test_same_subject_does_not_mean_same_conversation() -> None:
    hello = {letter.conversation for letter, _ in SOME if letter.subject == "Hello"}
    assert len(hello) > 3


@pytest.mark.parametrize("mean", [6_000, 26_000])
def test_html_bodies_have_about_the_size_asked_for(mean: int) -> None:
    sizes = [
        len(content.encode())
        for kind, content in (letter.body() for letter, _ in mail(ANA, 1500, mean_html=mean))
        if kind == "html"
    ]
    assert 0.8 * mean < sum(sizes) / len(sizes) < 1.2 * mean
    assert max(sizes) > 2 * mean


def test_mail_is_written_in_many_scripts() -> None:
    text = "".join(letter.body()[1] for letter, _ in SOME[::5])
    for sign in ("ß", "ç", "お", "ش", "ש", "👍"):
        assert sign in text
    assert 'dir="rtl"' in text


def test_replies_quote_the_letter_before_as_outlook_does() -> None:
    quoted = [letter.body()[1] for letter, _ in SOME if letter.in_reply_to and letter.body()[0] == "html"]
    assert any("border-top:solid #E1E1E1" in html and "<b>From:</b>" in html for html in quoted)
    assert any("<b>Gesendet:</b>" in html for html in quoted)
    assert any("gmail_quote" in html for html in quoted)


def test_preview_is_text_of_the_body_and_never_longer_than_255() -> None:
    for letter, _ in SOME[::11]:
        assert len(letter.preview()) <= 255
    first = next(letter for letter, place in SOME if place.folder == "sentitems")
    assert first.preview().partition("\r\n")[0] in first.body()[1]


def test_inline_pictures_are_named_by_the_html_and_attachments_have_their_size() -> None:
    kinds: Counter[str] = Counter()
    for letter, _ in SOME:
        for one in letter.enclosures:
            kinds[one.kind] += 1
            kinds[one.content_type] += 1
            if one.is_inline:
                assert f"cid:{one.content_id}" in letter.body()[1]
            assert len(one.content()) == one.size
    assert kinds["file"] > 200
    assert kinds["item"]
    assert kinds["reference"]
    assert kinds["application/pdf"]
    assert kinds["image/png"]


def test_made_documents_are_real_files() -> None:
    by_type = {one.content_type: one.content() for letter, _ in SOME for one in letter.enclosures}
    assert by_type["application/pdf"].startswith(b"%PDF-1.4")
    assert by_type["image/png"].startswith(b"\x89PNG\r\n\x1a\n")
    with zipfile.ZipFile(io.BytesIO(by_type["application/zip"])) as archive:
        assert archive.testzip() is None


def test_one_attachment_in_forty_is_larger_than_three_megabytes() -> None:
    sizes = [one.size for letter, _ in SOME for one in letter.enclosures if one.kind == "file"]
    assert any(3_000_000 < size < 5_000_000 for size in sizes)


def test_odd_letters_without_sender_or_recipients_or_subject_are_among_them() -> None:
    letters = [letter for letter, _ in SOME]
    assert any(letter.sender is None for letter in letters)
    assert any(not letter.to for letter in letters)
    assert any(not letter.subject for letter in letters)
    assert any(len(letter.to) > 100 for letter in letters)


def test_answers_of_a_shared_mailbox_are_sent_on_its_behalf() -> None:
    answers = [letter for letter, place in mail("support@larkfield.example", 400) if place.folder == "sentitems"]
    assert answers
    for letter in answers:
        assert letter.from_ is not None
        assert letter.from_.address == "support@larkfield.example"
        assert letter.sender is not None
        assert letter.sender.address in (ANA, BEN)


def test_nobodys_mailbox_cannot_be_filled() -> None:
    with pytest.raises(LookupError):
        mail("nobody@nowhere.example", 1)
