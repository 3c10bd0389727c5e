"""Ten minutes' silence of an idle mailbox: exactly the requests that its schedule asks for, and nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import Time, alive, backfill, soon, start, told, work
from tests.sandboxes import Outlook, ref_of

from workestra.graph.folders import WELL_KNOWN
from workestra.kit import clock
from workestra.mail.doors.folders import FRESH
from workestra.mail.doors.grants import EARLY
from workestra.mail.models import Connection, Folder, Grant, Message, Schedule, Thread, ThreadCopy
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

SILENCE = timedelta(minutes=10)
STEP = timedelta(seconds=30)


def _asked(outlook: Outlook) -> Counter[str]:
    """What Microsoft was asked for since `_forget`, by kind; what belongs to no kind by its method and path."""
    seen = outlook.world.requests.last(20_000)
    assert len(seen) == outlook.world.requests.total, "the log holds them all"
    kinds: Counter[str] = Counter()
    for one in seen:
        what = one.path.split("?")[0]
        if one.method == "GET" and one.batched and "/mailFolders/" in what:
            kinds["well-known folder, within a batch"] += 1
        elif one.method == "GET" and what.endswith("/messages/delta"):
            kinds["delta"] += 1
        elif one.method == "GET" and what.endswith(("/mailFolders", "/childFolders")):
            kinds["folder tree"] += 1
        elif one.method == "POST" and what.endswith("/$batch"):
            kinds["batch"] += 1
        else:
            kinds[f"{one.method} {what}"] += 1
    kinds["token"] = _refreshes(outlook)[outlook.person("ana").id]
    return +kinds


def _refreshes(outlook: Outlook) -> Counter[str]:
    """The log is Graph's: sign-in counts by itself."""
    tokens: Any = outlook.world.tokens
    found: Counter[str] = tokens.refreshes
    return found


def _forget(outlook: Outlook) -> None:
    outlook.world.requests.reset()
    _refreshes(outlook).clear()


def _moments(begun: datetime) -> Iterator[datetime]:
    """When the worker looks at what is due."""
    return (begun + STEP * n for n in range(1, SILENCE // STEP + 1))


def _scheduled(connection: Connection, *, begun: datetime, pace: timedelta) -> Counter[str]:
    """What the schedule asks for in the silence: one delta a sync and tracked folder, the tree where it is older than
    some minutes, and a token where the present one ends soon.
    """
    row = hands.fresh(connection)
    due = Schedule.objects.get(connection_id=connection.pk).light_at
    read_at = row.folders_at
    with scope(workspace=connection.workspace_id):
        ends = Grant.objects.get(connection_id=connection.pk).access_expires_at
        tree = dict(Folder.objects.filter(connection_id=connection.pk).values_list("graph_id", "parent_graph_id"))
    assert read_at is not None
    assert ends is not None
    kinds: Counter[str] = Counter()
    for now in _moments(begun):
        if now < due:
            continue
        due = now + pace
        kinds["delta"] += len(ref_of(connection).tracked)
        if now - read_at > FRESH:
            read_at = now
            kinds["folder tree"] += 1 + len(tree.keys() & set(tree.values()))  # the top, and each that holds others
            kinds["batch"] += 1
            kinds["well-known folder, within a batch"] += len(WELL_KNOWN)
        if ends <= now + EARLY:
            ends = now + timedelta(hours=1)
            kinds["token"] += 1
    return kinds


def _held(connection: Connection) -> list[Any]:
    """Every row of mail as it is, when it was read included."""
    with scope(workspace=connection.workspace_id):
        mine = Message.objects.filter(connection_id=connection.pk)
        copies = ThreadCopy.objects.filter(connection_id=connection.pk)
        threads = Thread.objects.filter(pk__in=mine.values("thread_id"))
        return [list(rows.order_by("pk").values()) for rows in (mine, copies, threads)]


def _with_mail(ana: Member, outlook: Outlook) -> Connection:
    """A mailbox whose last 30 days are here."""
    outlook.history(count=30, days=20)
    connection = outlook.connect(ana)
    start(connection, "30d")
    work(connection)
    assert backfill(connection).state == "done"
    return connection


@pytest.mark.parametrize("minutes", [15, 2], ids=["each quarter", "each two minutes"])
@pytest.mark.parametrize("push", [True, False], ids=["push", "on schedule"])
def test_ten_silent_minutes_of_an_idle_mailbox_cost_its_scheduled_requests_and_change_nothing(
    ana: Member,
    reachable: Outlook,
    settings: Any,
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
    push: bool,
    minutes: int,
) -> None:
    address = settings.WORKESTRA.public_url if push else "http://workestra.example"
    settings.WORKESTRA = settings.WORKESTRA.model_copy(
        update={"public_url": address, "light_sync_minutes": float(minutes)}
    )
    connection = _with_mail(ana, reachable)
    assert alive(connection) == (2 if push else 0)
    reachable.deliver(at=soon())
    if push:
        told(connection)
        work(connection)

    time.passes(minutes=1.1 * minutes)
    work(connection)
    present = clock.now()
    quiet = Time(reachable, lambda: present)  # from here on only the steps count
    monkeypatch.setattr(clock, "now", quiet.now)
    Schedule.objects.filter(connection_id=connection.pk).update(light_at=present)
    work(connection)
    pace = Schedule.objects.get(connection_id=connection.pk).light_at - present
    assert abs(pace / timedelta(minutes=minutes) - 1) <= 0.1
    assert hands.todo(connection) == []
    assert all(one.ready and not one.prove for one in ref_of(connection).tracked)
    assert differences(reachable, connection, "ana") == []
    assert len(store(connection)) == 31

    quiet.passes(seconds=pace.total_seconds() / 2)
    begun = quiet.now()
    with scope(workspace=connection.workspace_id):
        Grant.objects.filter(connection_id=connection.pk).update(access_expires_at=begun + EARLY + SILENCE / 4)
    Schedule.objects.filter(connection_id=connection.pk).update(watch_at=begun + SILENCE / 2)
    expected = _scheduled(connection, begun=begun, pace=pace)
    before, last = _held(connection), hands.runs(connection)[-1].pk
    _forget(reachable)
    for now in _moments(begun):
        quiet.passes(seconds=STEP.total_seconds())
        assert quiet.now() == now
        work(connection)

    assert _asked(reachable) == expected
    assert expected["delta"] > 0
    assert expected["token"] == 1
    assert _held(connection) == before
    after = [one for one in hands.runs(connection) if one.pk > last]
    assert {(one.kind, one.why, one.state) for one in after} == {("light", "schedule", "done")}
    assert {(one.added, one.changed, one.removed) for one in after} == {(0, 0, 0)}
    each = Counter(one.path for one in reachable.world.requests.last(20_000) if one.path.endswith("/messages/delta"))
    assert list(each.values()) == [len(after)] * len(ref_of(connection).tracked), "one a sync and folder"
    assert sum(one.requests for one in after) == expected["delta"] + expected["folder tree"] + expected["batch"]
    assert Schedule.objects.get(connection_id=connection.pk).watch_at > quiet.now(), "subscriptions were looked after"
    assert (hands.todo(connection), hands.notices(connection)) == ([], [])
    assert alive(connection) == (2 if push else 0)
    assert differences(reachable, connection, "ana") == []
