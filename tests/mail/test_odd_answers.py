"""One folder, one name, one page or one message that Microsoft stumbles over costs nothing else."""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta
from typing import Any

import pytest
from tests.compare import store
from tests.mail.hands import Time, backfill, start, sync, work
from tests.sandboxes import Outlook, ref_of

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail.flows import fetch
from workestra.tenancy.models import Member


def ago(**by: float) -> Any:
    return clock.now().replace(microsecond=0) - timedelta(**by)


@pytest.mark.parametrize("name", ["recoverableitemsdeletions", "syncissues"])
def test_one_well_known_folder_that_is_refused_costs_nothing(ana: Member, outlook: Outlook, name: str) -> None:
    outlook.history(count=5, days=20)
    outlook.world.faults.add(Fault(rf"GET .*mailFolders/{name}", "status", status=403, times=None))
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    assert (len(store(row)), backfill(row).state) == (5, "done")


@pytest.mark.parametrize("listed", [True, False], ids=["a list gives it", "nothing gives it"])
@pytest.mark.parametrize("status", [400, 403, 500])
def test_one_message_that_cannot_be_read_costs_no_other(
    ana: Member, outlook: Outlook, time: Time, monkeypatch: pytest.MonkeyPatch, status: int, listed: bool
) -> None:
    async def nothing(**given: Any) -> list[Any]:
        return []

    if not listed:
        monkeypatch.setattr(fetch, "listed", nothing)
    outlook.history(count=5, days=20)
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    box = outlook.mailbox("ana")
    bad = outlook.deliver(at=clock.now() + timedelta(seconds=2))
    name = re.escape(box.immutable_id(bad).rstrip("="))
    outlook.world.faults.add(Fault(rf"GET .*/messages/{name}", "status", status=status, times=None))
    sync(row)
    good = outlook.deliver(at=clock.now() + timedelta(seconds=2))
    for _ in range(6):
        time.passes(minutes=40)
        work(row)
    assert box.immutable_id(good) in store(row)
    assert (box.immutable_id(bad) in store(row)) is listed


@pytest.mark.parametrize("where", ["delta", "messages\\?", "mailFolders\\?"])
def test_a_next_link_that_leads_to_itself_is_no_storm(ana: Member, outlook: Outlook, where: str) -> None:
    outlook.history(count=5, days=20)
    row = outlook.connect(ana)
    fault = outlook.world.faults.add(Fault(rf"GET .*{where}", "empty", times=400))
    start(row, "30d")
    with contextlib.suppress(AssertionError):  # it is not done after any number of jobs
        work(row)
    assert 0 < fault.hits < 100


def test_pages_with_bodies_that_are_too_large_for_received_since_are_asked_for_smaller(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    row = outlook.connect(ana)
    outlook.history(count=5, days=20)
    for n in range(5):
        outlook.deliver(at=clock.now() + timedelta(seconds=n))
    fault = outlook.world.faults.add(Fault(r"GET .*/messages\?.*top=50\b", "status", status=504, times=None))
    work(row)
    for _ in range(6):
        time.passes(minutes=40)
        work(row)
    assert fault.hits
    assert len(store(row)) == 5


def test_a_delta_page_that_is_too_large_is_asked_for_smaller(
    ana: Member, outlook: Outlook, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    from m365sandbox.graph import find
    from m365sandbox.graph.errors import GraphError

    real, seen = find.view, []

    def heavy(request: Any) -> Any:
        if (request.prefer.page_size or 0) > 100:
            seen.append(1)
            raise GraphError(504, "UnknownError", "Gateway timeout.")
        return real(request)

    monkeypatch.setattr(find, "view", heavy)
    outlook.history(count=5, days=20)
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    for _ in range(6):
        time.passes(minutes=40)
        work(row)
    assert seen, "not met"
    assert all(one.ready for one in ref_of(row).tracked)


def test_a_passing_404_for_a_well_known_name_does_not_show_deleted_mail(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    outlook.history(count=3, days=20)
    outlook.deliver(folder="deleteditems", at=ago(days=2))
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    assert len(store(row)) == 3
    outlook.world.faults.add(Fault("GET .*mailFolders/deleteditems", "status", status=404, batched=True))
    time.passes(minutes=11)
    sync(row)
    assert not outlook.world.faults.pending()
    assert len(store(row)) == 3


@pytest.mark.parametrize("status", [403, 404, 500])
def test_new_mail_of_other_folders_does_not_wait_for_one_that_fails(
    ana: Member, outlook: Outlook, time: Time, status: int
) -> None:
    box = outlook.mailbox("ana")
    bad, good = box.add_folder("Bad"), box.add_folder("Good")
    row = outlook.connect(ana)
    work(row)
    sync(row)
    hidden = re.escape(bad.id.rstrip("="))
    outlook.world.faults.add(Fault(rf"GET .*{hidden}.*/messages", "status", status=status, times=None))
    item = outlook.deliver(folder=good.id, at=clock.now() + timedelta(seconds=2))
    for _ in range(4):
        time.passes(minutes=40)
        work(row)
    assert box.immutable_id(item) in store(row)
