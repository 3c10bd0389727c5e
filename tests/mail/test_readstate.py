"""Read state both ways: marks reach Outlook, Outlook's reach here, nothing echoes, refusals are undone (SYN 11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tests.compare import differences
from tests.mail import hands
from tests.mail.hands import Time, start, sync, work
from tests.sandboxes import Outlook, ref_of

from m365sandbox.faults import Fault
from m365sandbox.mailbox import Item
from workestra.kit import clock
from workestra.mail.doors import queries, readstate, store
from workestra.mail.intake import Mark
from workestra.mail.models import Connection, Message, ReadChange, SeenMark, ThreadCopy
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

PATCH = r"PATCH .*/messages/"


def _connected(ana: Member, outlook: Outlook, count: int = 1, name: str = "ana", **more: Any) -> Connection:
    """A mailbox with a conversation of `count` unread letters."""
    for n in range(count):
        at = clock.now().replace(microsecond=0) - timedelta(minutes=count - n)
        outlook.deliver(name, **{"conversation": "talk", "subject": "Talk", "at": at, **more})
    connection = outlook.connect(ana, name)
    start(connection)
    work(connection)
    return connection


def _thread(connection: Connection) -> int:
    with scope(workspace=connection.workspace_id):
        return Message.objects.filter(connection_id=connection.pk).latest("received_at").thread_id


def _press(connection: Connection, *, is_read: bool, member: Member | None = None) -> int | None:
    with scope(workspace=connection.workspace_id):
        return readstate.mark(
            member=member or connection.owner, thread_id=_thread(connection), is_read=is_read, now=clock.now()
        )


def _items(outlook: Outlook, name: str = "ana") -> list[Item]:
    return sorted(outlook.mailbox(name).truth(), key=lambda item: item.letter.received_at)


def _theirs(outlook: Outlook, name: str = "ana") -> list[bool]:
    return [item.is_read for item in _items(outlook, name)]


def _ours(connection: Connection) -> list[bool]:
    with scope(workspace=connection.workspace_id):
        rows = Message.objects.filter(connection_id=connection.pk).order_by("received_at")
        return list(rows.values_list("is_read", flat=True))


def _waiting(connection: Connection) -> int:
    with scope(workspace=connection.workspace_id):
        return ReadChange.objects.filter(connection_id=connection.pk, accepted_at=None, refused="").count()


def _patches(outlook: Outlook) -> int:
    return hands.asked(outlook, "/messages/", method="PATCH")


def _view(connection: Connection, member: Member | None = None) -> queries.ThreadView:
    with scope(workspace=connection.workspace_id):
        found = queries.thread(member=member or connection.owner, thread_id=_thread(connection))
    assert found is not None
    return found


def _row(connection: Connection) -> queries.ThreadRow:
    with scope(workspace=connection.workspace_id):
        found = queries.thread_row(member=connection.owner, thread_id=_thread(connection))
    assert found is not None
    return found


def test_marking_a_thread_read_reaches_outlook_and_comes_back_without_an_echo(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    assert _press(here, is_read=True) == 1
    assert (_row(here).unread, _view(here).unread) == (False, False)
    work(here)
    assert _theirs(outlook) == [True]
    for _ in range(2):
        sync(here)
    assert _patches(outlook) == 1
    assert differences(outlook, here, "ana") == []
    with scope(workspace=here.workspace_id):
        assert not ReadChange.objects.exists(), "what Outlook said since then counts"


def test_read_state_turned_in_outlook_shows_here_and_causes_no_request(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    [item] = _items(outlook)
    for state in (True, False, True):
        outlook.mailbox("ana").mark_read(item, state)
        sync(here)
        assert _row(here).unread is not state
    assert _patches(outlook) == 0
    assert differences(outlook, here, "ana") == []


def test_unread_marks_what_arrived_last_and_no_more(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook, count=3, is_read=True)
    outlook.mailbox("ana").deliver(outlook.letter(conversation="talk", at=clock.now()), "sentitems", True)
    sync(here)
    assert _press(here, is_read=False) == 1
    work(here)
    assert _theirs(outlook) == [True, True, False, True], "not what I sent myself"
    assert _row(here).unread
    assert _press(here, is_read=True) == 1
    work(here)
    assert _theirs(outlook) == [True] * 4


def test_pressing_twice_or_what_is_so_already_asks_for_nothing_more(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    assert [_press(here, is_read=True) for _ in range(3)] == [1, 0, 0]
    work(here)
    _press(here, is_read=True)
    work(here)
    assert _patches(outlook) == 1


def test_the_later_press_wins_over_one_that_is_on_its_way(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    _press(here, is_read=True)
    ref = ref_of(here)
    [claimed] = readstate.claim(ref=ref, most=1, now=clock.now())
    outlook.mailbox("ana").mark_read(_items(outlook)[0], claimed.wanted)
    _press(here, is_read=False)
    readstate.accepted(ref=ref, changes=[claimed], now=clock.now())
    assert _waiting(here) == 1
    work(here)
    sync(here)
    assert (_theirs(outlook), _ours(here)) == ([False], [False])


def _told(here: Connection, outlook: Outlook, *, is_read: bool, asked_at: Any) -> None:
    """A light page whose question was put then says this."""
    item = _items(outlook)[0]
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
    here = _connected(ana, outlook)
    _press(here, is_read=True)
    _told(here, outlook, is_read=False, asked_at=clock.now())
    assert _ours(here) == [True]
    assert _view(here).categories == ["Told"]
    assert not _row(here).unread


def test_an_answer_to_a_question_put_before_outlook_took_it_does_not_turn_it_back(
    ana: Member, outlook: Outlook
) -> None:
    here = _connected(ana, outlook)
    _press(here, is_read=True)
    before = clock.now()
    work(here)
    _told(here, outlook, is_read=False, asked_at=before)
    assert _ours(here) == [True]
    _told(here, outlook, is_read=False, asked_at=clock.now())
    assert _ours(here) == [False], "after that Outlook has the last word"
    assert _waiting(here) == 0


def test_outlook_that_agrees_already_is_not_asked(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    _press(here, is_read=True)
    outlook.mailbox("ana").mark_read(_items(outlook)[0])
    _told(here, outlook, is_read=True, asked_at=clock.now())
    work(here)
    assert _patches(outlook) == 0
    sync(here)
    assert differences(outlook, here, "ana") == []


def test_a_page_that_does_not_tell_the_read_state_leaves_the_change_alone(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    _press(here, is_read=True)
    _told(here, outlook, is_read=None, asked_at=clock.now())  # type: ignore[arg-type]
    with scope(workspace=here.workspace_id):
        assert ReadChange.objects.get().was is False
    assert _ours(here) == [True]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_fault_of_microsofts_is_tried_again_later(
    ana: Member, outlook: Outlook, time: Time, status: int, after: bool
) -> None:
    here = _connected(ana, outlook)
    outlook.world.faults.add(Fault(PATCH, "status", status=status, after=after, times=3))
    _press(here, is_read=True)
    work(here)
    assert _waiting(here) == 1
    assert _ours(here) == [True]
    for _ in range(4):
        time.passes(seconds=40)
        work(here)
    assert (_theirs(outlook), _waiting(here)) == ([True], 0)
    assert hands.fresh(here).error_code == "", "a mark that waits is no error of the connection"


def test_a_throttled_mark_waits_as_long_as_asked(ana: Member, outlook: Outlook, time: Time) -> None:
    here = _connected(ana, outlook)
    outlook.world.faults.add(Fault(PATCH, "status", status=429, headers={"Retry-After": "30"}))
    _press(here, is_read=True)
    work(here)
    asked = outlook.world.requests.total
    time.passes(seconds=10)
    work(here)
    assert outlook.world.requests.total == asked
    time.passes(seconds=25)
    work(here)
    assert (_theirs(outlook), _waiting(here)) == ([True], 0)


def test_a_batch_that_is_throttled_in_part_keeps_what_was_taken(ana: Member, outlook: Outlook, time: Time) -> None:
    here = _connected(ana, outlook, count=12)
    outlook.world.faults.add(Fault(PATCH, "status", status=429, headers={"Retry-After": "5"}, skip=4, times=3))
    _press(here, is_read=True)
    work(here)
    assert 0 < _waiting(here) < 12
    time.passes(seconds=6)
    work(here)
    assert (_theirs(outlook), _waiting(here)) == ([True] * 12, 0)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "ErrorAccessDenied", "read_state_denied"),
        (404, "ErrorItemNotFound", "message_gone"),
        (400, "ErrorInvalidRequest", "read_state_refused"),
    ],
)
def test_a_mark_that_is_refused_for_good_is_undone_with_words(
    ana: Member, outlook: Outlook, time: Time, status: int, code: str, said: str
) -> None:
    here = _connected(ana, outlook)
    body = f'{{"error": {{"code": "{code}", "message": "no"}}}}'
    fault = outlook.world.faults.add(Fault(PATCH, "status", status=status, body=body, times=None))
    _press(here, is_read=True)
    for _ in range(6 if status == 404 else 1):  # what is not found may be too new
        work(here)
        time.passes(minutes=2)
    outlook.world.faults.clear(fault.id)
    assert (_ours(here), _theirs(outlook)) == ([False], [False])
    assert _row(here).unread
    assert _view(here).refusal == said
    assert _waiting(here) == 0
    assert hands.fresh(here).error_code == ""
    _press(here, is_read=True)
    assert _view(here).refusal == ""
    work(here)
    assert _theirs(outlook) == [True]


def test_a_mark_on_a_letter_that_is_too_new_to_be_found_by_its_id_is_put_again(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    here = _connected(ana, outlook)
    body = '{"error": {"code": "ErrorItemNotFound", "message": "not yet"}}'
    outlook.world.faults.add(Fault(PATCH, "status", status=404, body=body, times=3))
    _press(here, is_read=True)
    for _ in range(4):
        work(here)
        assert (_ours(here), _view(here).refusal) == ([True], "")
        time.passes(seconds=20)
    assert (_theirs(outlook), _waiting(here)) == ([True], 0)


def test_a_message_deleted_meanwhile_takes_its_change_along(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    _press(here, is_read=True)
    with scope(workspace=here.workspace_id):
        ReadChange.objects.update(due_at=clock.now() + timedelta(minutes=5))
    outlook.mailbox("ana").purge(_items(outlook)[0])
    sync(here)
    with scope(workspace=here.workspace_id):
        assert not ReadChange.objects.exists()
    assert _patches(outlook) == 0


def test_a_worker_that_dies_after_the_request_leaves_a_change_that_is_put_once_more(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    here = _connected(ana, outlook)
    _press(here, is_read=True)
    with monkeypatch.context() as dying:
        dying.setattr(readstate, "accepted", lambda **_: 1 / 0)
        work(here)
    assert _waiting(here) == 1
    time.passes(seconds=10)
    work(here)
    sync(here)
    assert (_waiting(here), _patches(outlook)) == (0, 2)
    work(here)
    assert _patches(outlook) == 2
    assert differences(outlook, here, "ana") == []


def test_a_job_that_was_lost_is_asked_for_again_on_schedule(ana: Member, outlook: Outlook, time: Time) -> None:
    here = _connected(ana, outlook)
    _press(here, is_read=True)
    assert hands.todo(here)[0] == "mail.read_state", "it goes before everything else"
    with hands.database.cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs where task_name = 'mail.read_state'")
    time.passes(minutes=20)
    work(here)
    assert _theirs(outlook) == [True]


def test_a_change_waits_for_the_sign_in_and_follows_the_reconnect(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="sign_in")
    _press(here, is_read=True)
    work(here)
    assert (_patches(outlook), _waiting(here)) == (0, 1)
    outlook.connect(ana)
    work(here)
    assert _theirs(outlook) == [True]


@pytest.mark.parametrize("count", [1, 12], ids=["one", "batch"])
def test_a_change_waits_while_the_licence_is_away(ana: Member, outlook: Outlook, time: Time, count: int) -> None:
    here = _connected(ana, outlook, count=count)
    person = outlook.person("ana")
    box = outlook.world.mailboxes.pop(person.id)
    person.mailbox = "none"
    _press(here, is_read=True)
    for _ in range(6):
        work(here)
        time.passes(minutes=31)
    assert (_waiting(here), _ours(here)) == (count, [True] * count)
    assert hands.fresh(here).error_code == "mailbox_not_found"
    person.mailbox = "online"
    outlook.world.mailboxes[person.id] = box
    work(here)
    assert (_theirs(outlook), _waiting(here)) == ([True] * count, 0)


def test_a_long_thread_is_marked_by_batches_within_four_requests_at_once(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook, count=70)
    before = hands.asked(outlook, "/$batch", method="POST")
    assert _press(here, is_read=True) == 70
    work(here)
    assert all(_theirs(outlook))
    assert hands.asked(outlook, "/$batch", method="POST") - before == 4
    assert not [one for one in outlook.world.requests.last(20_000) if one.status == 429]
    sync(here)
    work(here)
    assert differences(outlook, here, "ana") == []
    assert _patches(outlook) == 70, "no mark is sent again"
    assert _ours(here) == [True] * 70


def test_the_same_mail_in_two_mailboxes_of_mine_is_marked_in_both(ana: Member, outlook: Outlook) -> None:
    both = {"conversation": "talk", "internet_message_id": "<both@outside.example>"}
    one = _connected(ana, outlook, **both)
    two = _connected(ana, outlook, name="ben", **both)
    assert _thread(one) == _thread(two)
    assert _press(one, is_read=True) == 2
    work(one)
    work(two)
    assert (_theirs(outlook), _theirs(outlook, "ben")) == ([True], [True])
    assert len(_view(one).messages) == 1
    _press(one, is_read=False)
    work(one)
    work(two)
    assert (_theirs(outlook), _theirs(outlook, "ben")) == ([False], [False])


def test_who_does_not_own_the_mailbox_changes_nothing(
    ana: Member, ben: Member, cleo: Member, outlook: Outlook
) -> None:
    here = _connected(ana, outlook)
    for other in (ben, cleo):
        assert _press(here, is_read=True, member=other) is None
    work(here)
    assert (_theirs(outlook), _patches(outlook)) == ([False], 0)


def test_in_a_mailbox_that_is_not_theirs_to_change_a_mark_stays_private(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook, count=2)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="disconnected")
    assert _press(here, is_read=True) == 1
    work(here)
    assert (_patches(outlook), _ours(here)) == (0, [False, False])
    assert (_row(here).unread, _view(here).unread) == (False, False)
    with scope(workspace=here.workspace_id):
        assert queries.inbox_page(member=ana, unread=True).rows == []
        assert SeenMark.objects.get().member_id == ana.pk
        assert ThreadCopy.objects.get().unread == 2
    assert _press(here, is_read=False) == 1
    assert [one.is_read for one in _view(here).messages] == [True, False]
    assert _row(here).unread
    with scope(workspace=here.workspace_id):
        assert len(queries.inbox_page(member=ana, unread=True).rows) == 1


def test_what_arrives_after_a_private_mark_is_unread_again(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="disconnected")
    _press(here, is_read=True)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="active")
    outlook.deliver(conversation="talk", at=clock.now() + timedelta(seconds=5))
    sync(here)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="disconnected")
    assert [one.is_read for one in _view(here).messages] == [True, False]
    assert _row(here).unread


def test_two_workers_at_once_put_each_change_once(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook, count=30)
    _press(here, is_read=True)

    async def both() -> None:
        given = {"workspace": here.workspace_id, "connection": here.pk}
        await asyncio.gather(*(hands.TASKS["mail.read_state"](**given) for _ in range(3)))
        await hands.microsoft.close()

    asyncio.run(both())
    work(here)
    assert all(_theirs(outlook))
    assert _waiting(here) == 0
    assert not [one for one in outlook.world.requests.last(20_000) if one.status == 429]


def test_categories_follow_outlook(ana: Member, outlook: Outlook) -> None:
    here = _connected(ana, outlook)
    box = outlook.mailbox("ana")
    box.categorise(_items(outlook)[0], ["Blue", "Renewal"])
    sync(here)
    assert _view(here).categories == ["Blue", "Renewal"]
    box.categorise(_items(outlook)[0], [])
    sync(here)
    assert _view(here).categories == []
