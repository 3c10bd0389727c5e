"""What only a rare moment puts to the test: guards of the store, each met here alone (SYN, BKF 4, SEC)."""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection as database
from django.db import connections as databases
from django.db.utils import DataError
from tests.mail import hands
from tests.mail.hands import Time, start, work
from tests.mail.test_store_absorb import NOW, _absorb, _connected, _letter, _rows
from tests.sandboxes import Outlook, ref_of

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail import hooks
from workestra.mail.doors import grants, lists, store, watches
from workestra.mail.doors.steps import FolderStep, LostRace, SinceStep, Step
from workestra.mail.models import Folder, Grant, Message, Notice, Subscription
from workestra.project import env, postgres
from workestra.rules.watching import Action, action
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

FAR = datetime(2030, 1, 1, tzinfo=NOW.tzinfo)


@pytest.fixture
def without_wall(db: None) -> Iterator[None]:
    """A database that shows every row to everybody: sessions of its superuser, whom no policy binds."""
    default = databases["default"]
    mine = default.settings_dict
    url = postgres.database_url(configured="", home=env.read().home)
    default.close()
    default.close_pool()
    default.settings_dict = {**mine, **postgres.database_settings(url=url, role=None)}
    yield
    default.close()
    default.close_pool()
    default.settings_dict = mine


def test_a_page_that_cannot_be_stored_leaves_the_place_where_it_was(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    broken = _letter(ref, "broken")
    broken.body_size = 2**40  # more than the column holds
    step = SinceStep(folder=ref.tracked[0].id, since_at=FAR)
    with pytest.raises((DataError, store.psycopg.errors.DataError)):
        store.absorb(ref=ref, asked_at=NOW, now=NOW, letters=[broken], steps=[step])
    with scope(workspace=ref.workspace):
        assert Folder.objects.get(pk=ref.tracked[0].id).since_at != FAR


def test_a_page_whose_place_somebody_else_left_is_not_stored(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    folder = ref.tracked[0]
    step: Step = FolderStep(folder=folder.id, was_cursor=folder.cursor, was_link=folder.link, link="on", cursor="")
    store.absorb(ref=ref, asked_at=NOW, now=NOW, letters=[_letter(ref, "first")], steps=[step])
    with pytest.raises(LostRace):
        store.absorb(ref=ref, asked_at=NOW, now=NOW, letters=[_letter(ref, "second")], steps=[step])
    assert set(_rows(ref)) == {"first"}


def test_what_a_proof_does_not_find_in_a_folder_is_asked_for_before_it_is_taken_for_gone(
    ana: Member, outlook: Outlook
) -> None:
    (item,) = outlook.history(count=1, days=5)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    ref = ref_of(connection)
    last = ref.tracked[-1]
    assert last.role != "inbox"
    outlook.mailbox("ana").move(item, last.graph_id)
    told_nothing = {
        "value": [],
        "@odata.deltaLink": f"{outlook.url}/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=a",
    }
    outlook.world.faults.add(
        Fault(r"GET .*/messages/delta", "status", status=200, body=json.dumps(told_nothing), times=None)
    )
    outlook.world.faults.add(
        Fault(rf"GET .*{re.escape(last.graph_id[-30:].rstrip('='))}.*/messages\?", "status", status=503, times=None)
    )
    hands.sync(connection, "full")
    row = _rows(ref)[outlook.mailbox("ana").immutable_id(item)]
    assert (row.removed_at, row.folder_id) == (None, last.id)


def test_of_two_processes_that_write_a_letter_at_once_the_later_question_wins(ana: Member, outlook: Outlook) -> None:
    ref = _connected(ana, outlook)
    _absorb(ref, [_letter(ref, "m", subject="First")])

    def absorb() -> None:
        try:
            _absorb(ref, [_letter(ref, "m", subject="Early", changeKey="k2")], seconds=60)
        finally:
            databases.close_all()

    early = threading.Thread(target=absorb)
    with scope(workspace=ref.workspace):
        Message.objects.filter(immutable_id="m").update(subject="Late", asked_at=NOW + timedelta(seconds=90))
        early.start()  # it has read what was held before, and waits for this row
        early.join(0.5)
        assert early.is_alive()
    early.join(20)
    assert _rows(ref)["m"].subject == "Late"


def test_a_notice_stays_until_its_work_is_done(ana: Member, outlook: Outlook, time: Time) -> None:
    connection = outlook.connect(ana)
    work(connection)
    item = outlook.deliver(at=clock.now() + timedelta(seconds=2))
    Notice.objects.create(
        subscription=Subscription.objects.create(mailbox_id=connection.mailbox_id, resource="inbox"),
        workspace_id=connection.workspace_id,
        connection_id=connection.pk,
        change="created",
        item=outlook.mailbox("ana").immutable_id(item),
        received_at=clock.now(),
    )
    outlook.world.faults.add(Fault(r"GET .*/messages/", "status", status=503))
    work(connection)
    assert len(hands.notices(connection)) == 1
    time.passes(seconds=61)
    work(connection)
    assert hands.notices(connection) == []
    assert len(_rows(ref_of(connection))) == 1


def test_a_short_subscription_is_not_renewed_again_at_every_look(ana: Member, outlook: Outlook) -> None:
    connection = outlook.connect(ana)
    row = watches.rows(mailbox=connection.mailbox_id)[0]
    watches.before_create(row=row.id, secret="s")
    of = {"row": row.id, "workspace": connection.workspace_id, "connection": connection.pk}
    hour, day = timedelta(hours=1), timedelta(days=1)
    watches.created(secret="s", graph_id="g", expires_at=NOW + day, now=NOW, **of)
    for renewal in range(1, 4):
        at = NOW + renewal * 13 * hour
        assert action(watched=watches.rows(mailbox=connection.mailbox_id)[0].watched, now=at) is Action.RENEW
        watches.renewed(expires_at=at + day, now=at, **of)
        again = watches.rows(mailbox=connection.mailbox_id)[0].watched
        assert action(watched=again, now=at + hour) is Action.NOTHING


def test_the_refresh_token_that_microsoft_rotated_is_the_one_that_is_used_next(ana: Member, outlook: Outlook) -> None:
    connection = outlook.connect(ana)
    sealed = _sealed(connection.pk, connection.workspace_id)
    with scope(workspace=connection.workspace_id):
        Grant.objects.filter(connection=connection).update(access_expires_at=clock.now())
    hands.sync(connection)
    held = grants.read(workspace=connection.workspace_id, connection=connection.pk)
    assert held is not None
    newest = list(outlook.world.tokens._refresh)[-1]  # type: ignore[attr-defined]
    assert _sealed(connection.pk, connection.workspace_id) != sealed
    assert held.refresh == newest


def _sealed(connection: int, workspace: int) -> bytes:
    with scope(workspace=workspace):
        return bytes(Grant.objects.get(connection_id=connection).refresh_sealed or b"")


def test_secrets_of_notices_are_compared_in_constant_time() -> None:
    source = inspect.getsource(hooks.Writer._checked)
    assert "hmac.compare_digest(" in source
    assert "==" not in source


def test_a_teammate_sees_nothing_of_a_mailbox_that_is_not_theirs(ana: Member, ben: Member, outlook: Outlook) -> None:
    outlook.history(count=2, days=5)
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    with scope(workspace=ana.workspace_id):
        assert len(lists.inbox_page(member=ana, limit=10).rows) == 2
        assert lists.inbox_page(member=ben, limit=10).rows == []
        assert lists.unread_count(member=ben) == 0


def test_threads_of_another_workspace_are_not_joined_although_the_database_would_show_them(
    ana: Member, cleo: Member, outlook: Outlook, without_wall: None
) -> None:
    hers = _connected(ana, outlook)
    _absorb(hers, [_letter(hers, "m", internetMessageId="<same@example.com>")])
    theirs = ref_of(outlook.connect(cleo, "ben"))
    with database.cursor() as cursor:
        cursor.execute("select current_setting('is_superuser')")
        assert cursor.fetchone() == ("on",)
    work(outlook.connect(cleo, "ben"))
    theirs = ref_of(outlook.connect(cleo, "ben"))
    _absorb(theirs, [_letter(theirs, "n", internetMessageId="<same@example.com>")])
    assert _rows(hers)["m"].thread_id != _rows(theirs)["n"].thread_id
