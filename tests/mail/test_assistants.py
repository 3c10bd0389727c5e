"""Several processes pull one mailbox: nothing twice, nothing waits for a dead one (PRF 8, BKF 5)."""

from __future__ import annotations

import asyncio
import time as waiting
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.compare import differences
from tests.mail.hands import TASKS, Time, backfill, start, todo, work
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail import dispatch
from workestra.mail.doors import backfills, claims, ref
from workestra.mail.flows import microsoft, streams
from workestra.mail.models import Connection, Slice
from workestra.rules import replication
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many slices of few pages, so that there is something to share."""
    monkeypatch.setattr(replication, "SLICE_MESSAGES", 20)
    monkeypatch.setattr(replication, "PAGE", 10)


def _planned(ana: Member, outlook: Outlook) -> Connection:
    outlook.history(count=300, days=60)
    connection = outlook.connect(ana)
    work(connection)
    start(connection)
    return connection


def _wait_for_call(connection: Connection) -> None:
    while dispatch.HELP not in todo(connection):
        waiting.sleep(0.01)


async def _both(connection: Connection) -> None:
    """The leader, and an assistant as soon as it is called."""

    async def assist() -> None:
        await hop(lambda: _wait_for_call(connection))
        await TASKS[dispatch.HELP](workspace=connection.workspace_id, connection=connection.pk)

    given = {"workspace": connection.workspace_id, "connection": connection.pk}
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(TASKS[dispatch.HISTORY](**given), assist())
    finally:
        await microsoft.close()


def test_two_processes_share_the_slices_and_ask_for_no_page_twice(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = _planned(ana, outlook)
    walked: Counter[str] = Counter()
    real = claims.take

    def take(**given: Any) -> Slice | None:
        piece = real(**given)
        if piece is not None:
            walked[given["holder"]] += 1
        return piece

    monkeypatch.setattr(claims, "take", take)
    outlook.world.requests.reset()
    asyncio.run(_both(connection))
    assert backfill(connection).state == "done"
    assert differences(outlook, connection, "ana") == []
    assert len(walked) == 2, f"both walked slices: {walked}"
    asked = (one for one in outlook.world.requests.last(20_000) if one.path.endswith("/messages"))
    pages = Counter((one.path, one.query) for one in asked if "internetMessageHeaders" in one.query)
    assert len(pages) >= 20
    assert max(pages.values()) == 1, "no page was asked for twice"


def test_the_slices_of_a_dead_process_are_walked_by_another_once_its_claims_run_out(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    connection = _planned(ana, outlook)
    with scope(workspace=connection.workspace_id):
        here = ref.read(connection=connection.pk)
    assert here is not None
    asyncio.run(_plan(here))
    job = backfills.current(ref=here)
    assert job is not None
    dead = [claims.take(ref=here, work=job, holder="dead", now=clock.now()) for _ in range(3)]
    assert all(dead)
    assert {one.pk for one in dead if one}.isdisjoint(
        {one.pk for one in [claims.take(ref=here, work=job, holder="other", now=clock.now())] if one}
    ), "what one holds, another does not get"
    claims.release(ref=here, holder="other")
    claims.keep(ref=here, holder="dead", now=clock.now() - claims.LIFE - timedelta(seconds=1))
    work(connection)
    assert backfill(connection).state == "done"
    assert differences(outlook, connection, "ana") == []


def test_whoever_stops_frees_what_it_held(ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = _planned(ana, outlook)

    async def cut(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(streams._Process, "_page", cut)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(TASKS[dispatch.HISTORY](workspace=connection.workspace_id, connection=connection.pk))
    with scope(workspace=connection.workspace_id):
        assert Slice.objects.exists()
        assert not Slice.objects.exclude(holder="").exists()


async def _plan(here: Any) -> None:
    from workestra.mail.flows import history

    job = await hop(lambda: backfills.current(ref=here))
    assert job is not None
    graph = microsoft.graph_for(workspace=here.workspace, connection=here.connection)
    try:
        await hop(lambda: backfills.start(ref=here, work=job, now=clock.now()))
        await history.plan_range(graph=graph, ref=here, work=job)
    finally:
        await microsoft.close()
