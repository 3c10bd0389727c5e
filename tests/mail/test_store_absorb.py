"""Pages absorbed twice, out of order, with odd content, and replayed for next to nothing (SYN, PRF 2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import msgspec
from django.db import connection as database
from tests.mail.hands import work
from tests.sandboxes import Outlook, ref_of

from workestra.graph.wire import Message as Wire
from workestra.kit import clock
from workestra.mail.doors import store
from workestra.mail.doors.ref import Ref
from workestra.mail.intake import Letter, decompress, letter
from workestra.mail.models import Folder, Message, Thread
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

NOW = clock.now()


def _connected(ana: Member, outlook: Outlook) -> Ref:
    connection = outlook.connect(ana)
    work(connection)
    return ref_of(connection)


def _letter(ref: Ref, name: str, **more: Any) -> Letter:
    inbox = next(one.graph_id for one in ref.tracked if one.role == "inbox")
    said = {
        "id": name,
        "changeKey": "k1",
        "parentFolderId": inbox,
        "internetMessageId": f"<{name}@example.com>",
        "subject": f"Subject {name}",
        "receivedDateTime": "2026-11-01T10:00:00Z",
        "body": {"contentType": "html", "content": f"<p>{name}</p>"},
        **more,
    }
    return letter(message=msgspec.convert(said, Wire), mailbox=ref.mailbox, asked_at=NOW)


def _absorb(ref: Ref, letters: list[Letter], *, seconds: float = 0) -> store.Outcome:
    at = NOW + timedelta(seconds=seconds)
    return store.absorb(ref=ref, asked_at=at, now=NOW + timedelta(hours=1), letters=letters, history=True)


def _rows(ref: Ref) -> dict[str, Message]:
    with scope(workspace=ref.workspace):
        return {row.immutable_id: row for row in Message.objects.filter(connection_id=ref.connection)}


def _written_by(ref: Ref) -> list[tuple[str, str]]:
    with scope(workspace=ref.workspace), database.cursor() as cursor:
        cursor.execute(
            "select immutable_id, xmin::text from mail_message where connection_id = %s order by 1", [ref.connection]
        )
        return list(cursor.fetchall())


@contextmanager
def _statements() -> Iterator[list[str]]:
    seen: list[str] = []
    real = store.psycopg.Cursor.execute

    def execute(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        seen.append(str(query))
        return real(self, query, *given, **more)

    store.psycopg.Cursor.execute = execute
    try:
        yield seen
    finally:
        store.psycopg.Cursor.execute = real


def test_a_page_larger_than_one_statement_is_stored_whole(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    outcome = _absorb(ref, [_letter(ref, f"m{n:03}") for n in range(301)])
    assert len(outcome.added) == 301
    rows = _rows(ref)
    assert len(rows) == 301
    assert all(decompress(body=bytes(row.body)) == f"<p>{name}</p>" for name, row in rows.items())


def test_a_replayed_page_rewrites_no_row_and_sends_no_body(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    page = [_letter(ref, f"m{n}") for n in range(20)]
    _absorb(ref, page)
    before = _written_by(ref)
    with _statements() as seen:
        _absorb(ref, page, seconds=60)
    assert _written_by(ref) == before
    assert not [one for one in seen if "insert" in one or "update" in one]


def test_a_later_question_wins_in_whatever_order_answers_come(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    old = _letter(ref, "m", subject="Old", changeKey="k1", isRead=False)
    new = _letter(ref, "m", subject="New", changeKey="k2", isRead=True)
    _absorb(ref, [new], seconds=60)
    _absorb(ref, [old])
    row = _rows(ref)["m"]
    assert (row.subject, row.is_read, row.change_key) == ("New", True, "k2")


def test_odd_text_is_stored_as_it_can_be_and_costs_no_other_message(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    categories = ['a "quoted" one', "back\\slash", "{curly, comma}", "NULL", "", "Größe \N{SNOWMAN}"]
    odd = _letter(
        ref,
        "odd",
        subject="nul \x00 here",
        categories=categories,
        toRecipients=[{"emailAddress": {"name": 'O"Neil \x00', "address": "o@example.com"}}],
        internetMessageHeaders=[{"name": "References", "value": "<x\x00@y> <m1@example.com>"}],
        body={"contentType": "text", "content": "\x00 \N{PILE OF POO}"},
    )
    _absorb(ref, [_letter(ref, "m1"), odd])
    rows = _rows(ref)
    assert rows["odd"].categories == categories
    assert rows["odd"].subject == "nul \N{REPLACEMENT CHARACTER} here"
    assert rows["odd"].people["to"] == [['O"Neil \N{REPLACEMENT CHARACTER}', "o@example.com"]]
    assert decompress(body=bytes(rows["odd"].body)) == "\x00 \N{PILE OF POO}"
    assert rows["odd"].thread_id == rows["m1"].thread_id


def test_a_message_that_joins_two_threads_leaves_one(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    _absorb(ref, [_letter(ref, "a"), _letter(ref, "b")])
    headers = [{"name": "References", "value": "<a@example.com> <b@example.com>"}]
    _absorb(ref, [_letter(ref, "c", internetMessageHeaders=headers)])
    assert len({row.thread_id for row in _rows(ref).values()}) == 1
    with scope(workspace=ref.workspace):
        assert Thread.objects.filter(messages__isnull=True).count() == 0


def test_a_page_that_was_asked_for_before_its_folder_was_left_out_brings_nothing_back(
    ana: Member, outlook: Outlook
) -> None:
    ref = _connected(ana, outlook)
    with scope(workspace=ref.workspace):
        Folder.objects.filter(connection_id=ref.connection, role="inbox").update(tracked=False)
    _absorb(ref, [_letter(ref, "a")])
    assert _rows(ref) == {}
