"""Read state both ways: marks reach Outlook, Outlook's reach here, nothing echoes, others' stay private (SYN 11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.compare import differences
from tests.mail.hands import sync, work
from tests.mail.marking import connected, items, ours, patches, press, row, theirs, thread, view, waiting
from tests.sandboxes import Outlook, ref_of

from workestra.kit import clock
from workestra.mail.doors import queries, readstate, store
from workestra.mail.intake import Mark
from workestra.mail.models import Connection, ReadChange, SeenMark, ThreadCopy
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def test_marking_a_thread_read_reaches_outlook_and_comes_back_without_an_echo(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    assert press(here, is_read=True) == 1
    assert (row(here).unread, view(here).unread) == (False, False)
    work(here)
    assert theirs(outlook) == [True]
    for _ in range(2):
        sync(here)
    assert patches(outlook) == 1
    assert differences(outlook, here, "ana") == []
    with scope(workspace=here.workspace_id):
        assert not ReadChange.objects.exists(), "what Outlook said since then counts"


def test_read_state_turned_in_outlook_shows_here_and_causes_no_request(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    [item] = items(outlook)
    for state in (True, False, True):
        outlook.mailbox("ana").mark_read(item, state)
        sync(here)
        assert row(here).unread is not state
    assert patches(outlook) == 0
    assert differences(outlook, here, "ana") == []


def test_unread_marks_what_arrived_last_and_no_more(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook, count=3, is_read=True)
    outlook.mailbox("ana").deliver(outlook.letter(conversation="talk", at=clock.now()), "sentitems", True)
    sync(here)
    assert press(here, is_read=False) == 1
    work(here)
    assert theirs(outlook) == [True, True, False, True], "not what I sent myself"
    assert row(here).unread
    assert press(here, is_read=True) == 1
    work(here)
    assert theirs(outlook) == [True] * 4


def test_pressing_twice_or_what_is_so_already_asks_for_nothing_more(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    assert [press(here, is_read=True) for _ in range(3)] == [1, 0, 0]
    work(here)
    press(here, is_read=True)
    work(here)
    assert patches(outlook) == 1


def test_the_later_press_wins_over_one_that_is_on_its_way(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    press(here, is_read=True)
    ref = ref_of(here)
    [claimed] = readstate.claim(ref=ref, most=1, now=clock.now())
    outlook.mailbox("ana").mark_read(items(outlook)[0], claimed.wanted)
    press(here, is_read=False)
    readstate.accepted(ref=ref, changes=[claimed], now=clock.now())
    assert waiting(here) == 1
    work(here)
    sync(here)
    assert (theirs(outlook), ours(here)) == ([False], [False])


def _told(here: Connection, outlook: Outlook, *, is_read: bool, asked_at: Any) -> None:
    """A light page whose question was put then says this."""
    item = items(outlook)[0]
    mark = Mark(
        immutable_id=outlook.mailbox("ana").immutable_id(item),
        change_key=f"told {asked_at}",
        folder=item.folder.id,
        is_read=is_read,
        flag=None,
        categories=["Told"],
        received_at=item.letter.received_at,
    )
    store.absorb(ref=ref_of(here), asked_at=asked_at, now=clock.now(), marks=[mark])


def test_a_change_that_waits_beats_what_was_read_and_the_rest_of_the_page_counts(
    ana: Member, outlook: Outlook
) -> None:
    here = connected(ana, outlook)
    press(here, is_read=True)
    _told(here, outlook, is_read=False, asked_at=clock.now())
    assert ours(here) == [True]
    assert view(here).categories == ["Told"]
    assert not row(here).unread


def test_an_answer_to_a_question_put_before_outlook_took_it_does_not_turn_it_back(
    ana: Member, outlook: Outlook
) -> None:
    here = connected(ana, outlook)
    press(here, is_read=True)
    before = clock.now()
    work(here)
    _told(here, outlook, is_read=False, asked_at=before)
    assert ours(here) == [True]
    _told(here, outlook, is_read=False, asked_at=clock.now())
    assert ours(here) == [False], "after that Outlook has the last word"
    assert waiting(here) == 0


def test_outlook_that_agrees_already_is_not_asked(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    press(here, is_read=True)
    outlook.mailbox("ana").mark_read(items(outlook)[0])
    _told(here, outlook, is_read=True, asked_at=clock.now())
    work(here)
    assert patches(outlook) == 0
    sync(here)
    assert differences(outlook, here, "ana") == []


def test_a_page_that_does_not_tell_the_read_state_leaves_the_change_alone(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    press(here, is_read=True)
    _told(here, outlook, is_read=None, asked_at=clock.now())  # type: ignore[arg-type]
    with scope(workspace=here.workspace_id):
        assert ReadChange.objects.get().was is False
    assert ours(here) == [True]


def test_the_same_mail_in_two_mailboxes_of_mine_is_marked_in_both(ana: Member, outlook: Outlook) -> None:
    both = {"conversation": "talk", "internet_message_id": "<both@outside.example>"}
    one = connected(ana, outlook, **both)
    two = connected(ana, outlook, name="ben", **both)
    assert thread(one) == thread(two)
    assert press(one, is_read=True) == 2
    work(one)
    work(two)
    assert (theirs(outlook), theirs(outlook, "ben")) == ([True], [True])
    assert len(view(one).messages) == 1
    press(one, is_read=False)
    work(one)
    work(two)
    assert (theirs(outlook), theirs(outlook, "ben")) == ([False], [False])


def test_who_does_not_own_the_mailbox_changes_nothing(
    ana: Member, ben: Member, cleo: Member, outlook: Outlook
) -> None:
    here = connected(ana, outlook)
    for other in (ben, cleo):
        assert press(here, is_read=True, member=other) is None
    work(here)
    assert (theirs(outlook), patches(outlook)) == ([False], 0)


def test_in_a_mailbox_that_is_not_theirs_to_change_a_mark_stays_private(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook, count=2)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="disconnected")
    assert press(here, is_read=True) == 1
    work(here)
    assert (patches(outlook), ours(here)) == (0, [False, False])
    assert (row(here).unread, view(here).unread) == (False, False)
    with scope(workspace=here.workspace_id):
        assert queries.inbox_page(member=ana, unread=True).rows == []
        assert SeenMark.objects.get().member_id == ana.pk
        assert ThreadCopy.objects.get().unread == 2
    assert press(here, is_read=False) == 1
    assert [one.is_read for one in view(here).messages] == [True, False]
    assert row(here).unread
    with scope(workspace=here.workspace_id):
        assert len(queries.inbox_page(member=ana, unread=True).rows) == 1


def test_what_arrives_after_a_private_mark_is_unread_again(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="disconnected")
    press(here, is_read=True)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="active")
    outlook.deliver(conversation="talk", at=clock.now() + timedelta(seconds=5))
    sync(here)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="disconnected")
    assert [one.is_read for one in view(here).messages] == [True, False]
    assert row(here).unread


def test_categories_follow_outlook(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    box = outlook.mailbox("ana")
    box.categorise(items(outlook)[0], ["Blue", "Renewal"])
    sync(here)
    assert view(here).categories == ["Blue", "Renewal"]
    box.categorise(items(outlook)[0], [])
    sync(here)
    assert view(here).categories == []
