"""A mark on its way to Outlook: faults, throttling, batches and lost work delay it, refusals undo it (SYN 11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.compare import differences
from tests.mail import hands
from tests.mail.hands import Time, sync, work
from tests.mail.marking import connected, items, ours, patches, press, row, theirs, view, waiting
from tests.sandboxes import Outlook

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail.doors import readstate
from workestra.mail.models import Connection, ReadChange
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

PATCH = r"PATCH .*/messages/"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_fault_of_microsofts_is_tried_again_later(
    ana: Member, outlook: Outlook, time: Time, status: int, after: bool
) -> None:
    here = connected(ana, outlook)
    outlook.world.faults.add(Fault(PATCH, "status", status=status, after=after, times=3))
    press(here, is_read=True)
    work(here)
    assert waiting(here) == 1
    assert ours(here) == [True]
    for _ in range(4):
        time.passes(seconds=40)
        work(here)
    assert (theirs(outlook), waiting(here)) == ([True], 0)
    assert hands.fresh(here).error_code == "", "a mark that waits is no error of the connection"


def test_a_throttled_mark_waits_as_long_as_asked(ana: Member, outlook: Outlook, time: Time) -> None:
    here = connected(ana, outlook)
    outlook.world.faults.add(Fault(PATCH, "status", status=429, headers={"Retry-After": "30"}))
    press(here, is_read=True)
    work(here)
    asked = outlook.world.requests.total
    time.passes(seconds=10)
    work(here)
    assert outlook.world.requests.total == asked
    time.passes(seconds=25)
    work(here)
    assert (theirs(outlook), waiting(here)) == ([True], 0)


def test_a_batch_that_is_throttled_in_part_keeps_what_was_taken(ana: Member, outlook: Outlook, time: Time) -> None:
    here = connected(ana, outlook, count=12)
    outlook.world.faults.add(Fault(PATCH, "status", status=429, headers={"Retry-After": "5"}, skip=4, times=3))
    press(here, is_read=True)
    work(here)
    assert 0 < waiting(here) < 12
    time.passes(seconds=6)
    work(here)
    assert (theirs(outlook), waiting(here)) == ([True] * 12, 0)


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
    here = connected(ana, outlook)
    body = f'{{"error": {{"code": "{code}", "message": "no"}}}}'
    fault = outlook.world.faults.add(Fault(PATCH, "status", status=status, body=body, times=None))
    press(here, is_read=True)
    for _ in range(6 if status == 404 else 1):  # what is not found may be too new
        work(here)
        time.passes(minutes=2)
    outlook.world.faults.clear(fault.id)
    assert (ours(here), theirs(outlook)) == ([False], [False])
    assert row(here).unread
    assert view(here).refusal == said
    assert waiting(here) == 0
    assert hands.fresh(here).error_code == ""
    press(here, is_read=True)
    assert view(here).refusal == ""
    work(here)
    assert theirs(outlook) == [True]


def test_a_mark_on_a_letter_that_is_too_new_to_be_found_by_its_id_is_put_again(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    here = connected(ana, outlook)
    body = '{"error": {"code": "ErrorItemNotFound", "message": "not yet"}}'
    outlook.world.faults.add(Fault(PATCH, "status", status=404, body=body, times=3))
    press(here, is_read=True)
    for _ in range(4):
        work(here)
        assert (ours(here), view(here).refusal) == ([True], "")
        time.passes(seconds=20)
    assert (theirs(outlook), waiting(here)) == ([True], 0)


def test_a_message_deleted_meanwhile_takes_its_change_along(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    press(here, is_read=True)
    with scope(workspace=here.workspace_id):
        ReadChange.objects.update(due_at=clock.now() + timedelta(minutes=5))
    outlook.mailbox("ana").purge(items(outlook)[0])
    sync(here)
    with scope(workspace=here.workspace_id):
        assert not ReadChange.objects.exists()
    assert patches(outlook) == 0


def test_a_worker_that_dies_after_the_request_leaves_a_change_that_is_put_once_more(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    here = connected(ana, outlook)
    press(here, is_read=True)
    with monkeypatch.context() as dying:
        dying.setattr(readstate, "accepted", lambda **_: 1 / 0)
        work(here)
    assert waiting(here) == 1
    time.passes(seconds=10)
    work(here)
    sync(here)
    assert (waiting(here), patches(outlook)) == (0, 2)
    work(here)
    assert patches(outlook) == 2
    assert differences(outlook, here, "ana") == []


def test_a_job_that_was_lost_is_asked_for_again_on_schedule(ana: Member, outlook: Outlook, time: Time) -> None:
    here = connected(ana, outlook)
    press(here, is_read=True)
    assert hands.todo(here)[0] == "mail.read_state", "it goes before everything else"
    with hands.database.cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs where task_name = 'mail.read_state'")
    time.passes(minutes=20)
    work(here)
    assert theirs(outlook) == [True]


def test_a_change_waits_for_the_sign_in_and_follows_the_reconnect(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="sign_in")
    press(here, is_read=True)
    work(here)
    assert (patches(outlook), waiting(here)) == (0, 1)
    outlook.connect(ana)
    work(here)
    assert theirs(outlook) == [True]


@pytest.mark.parametrize("count", [1, 12], ids=["one", "batch"])
def test_a_change_waits_while_the_licence_is_away(ana: Member, outlook: Outlook, time: Time, count: int) -> None:
    here = connected(ana, outlook, count=count)
    person = outlook.person("ana")
    box = outlook.world.mailboxes.pop(person.id)
    person.mailbox = "none"
    press(here, is_read=True)
    for _ in range(6):
        work(here)
        time.passes(minutes=31)
    assert (waiting(here), ours(here)) == (count, [True] * count)
    assert hands.fresh(here).error_code == "mailbox_not_found"
    person.mailbox = "online"
    outlook.world.mailboxes[person.id] = box
    work(here)
    assert (theirs(outlook), waiting(here)) == ([True] * count, 0)


def test_a_long_thread_is_marked_by_batches_within_four_requests_at_once(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook, count=70)
    before = hands.asked(outlook, "/$batch", method="POST")
    assert press(here, is_read=True) == 70
    work(here)
    assert all(theirs(outlook))
    assert hands.asked(outlook, "/$batch", method="POST") - before == 4
    assert not [one for one in outlook.world.requests.last(20_000) if one.status == 429]
    sync(here)
    work(here)
    assert differences(outlook, here, "ana") == []
    assert patches(outlook) == 70, "no mark is sent again"
    assert ours(here) == [True] * 70


def test_two_workers_at_once_put_each_change_once(ana: Member, outlook: Outlook) -> None:
    here = connected(ana, outlook, count=30)
    press(here, is_read=True)

    async def both() -> None:
        given = {"workspace": here.workspace_id, "connection": here.pk}
        await asyncio.gather(*(hands.TASKS["mail.read_state"](**given) for _ in range(3)))
        await hands.microsoft.close()

    asyncio.run(both())
    work(here)
    assert all(theirs(outlook))
    assert waiting(here) == 0
    assert not [one for one in outlook.world.requests.last(20_000) if one.status == 429]
