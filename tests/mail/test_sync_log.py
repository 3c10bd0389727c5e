"""The sync log: every request is in it once, and it says what ran, why, and with what end (HLT 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.mail import hands
from tests.mail.hands import Time, backfill, fresh, press, start, sync, work
from tests.sandboxes import Outlook, ref_of

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail import dispatch
from workestra.mail.doors import connections, runs
from workestra.mail.doors.runs import Tally
from workestra.mail.models import Connection, SyncRun
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

BATCH = "/$batch"


def _asked(outlook: Outlook) -> tuple[int, int]:
    """(requests that were sent, requests that batches carried) as Microsoft counted them."""
    seen = outlook.world.requests.last(20_000)
    mine = [one for one in seen if one.path.startswith(("/v1.0", "/me", "/users", "/subscriptions", BATCH))]
    return sum(not one.batched for one in mine), sum(one.batched for one in mine)


def _logged(connection: Connection) -> tuple[int, int]:
    rows = hands.runs(connection)
    return sum(one.requests for one in rows), sum(one.batched for one in rows)


def _by_kind(connection: Connection) -> dict[str, list[SyncRun]]:
    found: dict[str, list[SyncRun]] = {}
    for one in hands.runs(connection):
        found.setdefault(one.kind, []).append(one)
    return found


def _manual(connection: Connection) -> SyncRun:
    with scope(workspace=connection.workspace_id):
        run = connections.sync_now(member=connection.owner, connection_id=connection.pk, now=clock.now())
    work(connection)
    return next(one for one in hands.runs(connection) if one.pk == run)


def test_every_request_of_a_mailboxes_life_is_counted_once(ana: Member, outlook: Outlook, time: Time) -> None:
    items = outlook.history(count=130)
    connection = outlook.connect(ana)
    outlook.world.requests.reset()
    work(connection)
    start(connection)
    work(connection)
    box = outlook.mailbox("ana")
    for item in items[:60]:
        box.move(item, "archive")
    sync(connection)
    outlook.deliver(at=clock.now() + timedelta(seconds=2))
    _manual(connection)
    sync(connection, "full")
    assert _logged(connection) == _asked(outlook)
    assert {"light", "first", "backfill", "manual", "full", "check"} <= _by_kind(connection).keys()
    assert all(one.state == "done" and one.finished_at for one in hands.runs(connection))


def test_refused_requests_count_and_waiting_is_told_apart_from_working(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    outlook.history(count=60)
    connection = outlook.connect(ana)
    outlook.world.requests.reset()
    work(connection)
    outlook.world.faults.add(Fault(r"GET .*/messages\?", "status", status=429, headers={"Retry-After": "30"}))
    start(connection)
    work(connection)
    [run] = _by_kind(connection)["backfill"]
    assert (run.state, run.throttled_at is not None) == ("running", True)
    time.passes(seconds=31)
    work(connection)
    [run] = _by_kind(connection)["backfill"]
    assert run.state == "done"
    assert 29 <= run.throttled_seconds <= 40
    assert run.seconds < 20
    assert run.added == 60
    assert _logged(connection) == _asked(outlook)


def test_a_sync_counts_what_it_brought(ana: Member, outlook: Outlook) -> None:
    items = [outlook.deliver(at=clock.now() + timedelta(seconds=2)) for _ in range(3)]
    connection = outlook.connect(ana)
    work(connection)
    box = outlook.mailbox("ana")
    outlook.deliver(at=clock.now() + timedelta(seconds=2))
    box.mark_read(items[0])
    box.purge(items[1])
    run = _manual(connection)
    assert (run.kind, run.why, run.state) == ("manual", "person", "done")
    assert (run.added, run.changed, run.removed) == (1, 1, 1)
    assert run.requests > 0


def test_two_wishes_that_one_sync_fulfils_cost_once(ana: Member, outlook: Outlook) -> None:
    connection = outlook.connect(ana)
    work(connection)
    outlook.world.requests.reset()
    before = _logged(connection)
    with scope(workspace=ana.workspace_id):
        run = connections.sync_now(member=ana, connection_id=connection.pk, now=clock.now())
    sync(connection, "light")
    first, second = [one for one in hands.runs(connection) if one.kind == "light" or one.pk == run][-2:]
    assert second.joined_id == first.pk or first.joined_id == second.pk
    asked, logged = _asked(outlook), _logged(connection)
    assert (logged[0] - before[0], logged[1] - before[1]) == asked


def test_a_failure_leaves_a_row_with_microsofts_request_id_and_the_next_try_is_another(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    connection = outlook.connect(ana)
    work(connection)
    outlook.world.faults.add(Fault(r"GET .*/messages/delta", "status", status=503, times=1))
    sync(connection)
    failed = [one for one in hands.runs(connection) if one.state == "failed"]
    assert len(failed) == 1
    assert failed[0].error_code == "microsoft_unavailable"
    assert failed[0].error_detail["request_id"]
    time.passes(seconds=60)
    work(connection)
    last = hands.runs(connection)[-1]
    assert (last.state, last.why, last.error_code) == ("done", "retry", "")
    assert fresh(connection).error_code == ""


def test_a_cancelled_backfill_is_told_as_ended(ana: Member, outlook: Outlook) -> None:
    outlook.history(count=30)
    connection = outlook.connect(ana)
    work(connection)
    outlook.world.faults.add(Fault(r"GET .*/messages\?", "status", status=429, headers={"Retry-After": "99"}))
    start(connection)
    work(connection)
    press(connection, "cancel")
    [run] = _by_kind(connection)["backfill"]
    assert (run.state, backfill(connection).state) == ("ended", "cancelled")
    assert run.finished_at


def test_a_burst_of_notices_is_one_row(ana: Member, outlook: Outlook) -> None:
    connection = outlook.connect(ana)
    work(connection)
    now = clock.now()
    for n in range(5):
        runs.record(
            ref=ref_of(connection),
            kind="notice",
            why="notice",
            tally=Tally(added=1, requests=1),
            started=now + timedelta(seconds=n),
            now=now + timedelta(seconds=n + 1),
        )
    [row] = _by_kind(connection)["notice"]
    assert (row.added, row.requests) == (5, 5)


def test_the_log_keeps_the_newest_of_each_kind_and_stays_small(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "KEPT", 5)
    connection = outlook.connect(ana)
    work(connection)
    for _ in range(9):
        sync(connection)
    rows: dict[str, Any] = _by_kind(connection)
    assert len(rows["light"]) == 5
    assert len(rows["first"]) == 1, "another kind is not crowded out"


def test_what_is_looked_at_in_vain_leaves_no_row(ana: Member, outlook: Outlook) -> None:
    connection = outlook.connect(ana)
    work(connection)
    before = len(hands.runs(connection))
    with scope(workspace=ana.workspace_id):
        dispatch.pull(workspace=connection.workspace_id, connection=connection.pk)
        dispatch.watch(workspace=connection.workspace_id, connection=connection.pk)
    work(connection)
    assert len(hands.runs(connection)) == before


def test_what_a_dead_worker_left_under_way_after_its_work_was_stored_ends(ana: Member, outlook: Outlook) -> None:
    row = outlook.connect(ana)
    sync(row)
    ref = ref_of(row)
    left = [
        runs.opened(ref=ref, kind=kind, why="schedule", started=clock.now()) for kind in ("check", "first", "notice")
    ]
    with scope(workspace=row.workspace_id):
        assert SyncRun.objects.filter(pk__in=left, state="running").count() == 3
    with scope(workspace=row.workspace_id):
        dispatch.pull(workspace=row.workspace_id, connection=row.pk)
    work(row)
    with scope(workspace=row.workspace_id):
        assert set(SyncRun.objects.filter(pk__in=left).values_list("state", flat=True)) == {"ended"}
