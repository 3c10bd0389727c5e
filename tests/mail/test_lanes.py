"""Four requests at once in any mixture, the click first, and a pause that holds everybody (SYN, I13)."""

from __future__ import annotations

import asyncio
import threading
import time as wall
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.compare import differences
from tests.mail import hands
from tests.mail.hands import backfill, start, work
from tests.sandboxes import Outlook, ref_of, run

from m365sandbox.faults import Fault
from workestra.graph.errors import Throttled
from workestra.kit import clock
from workestra.mail.doors import slots
from workestra.mail.doors.ref import Ref
from workestra.mail.flows import fetch
from workestra.mail.flows.history import history
from workestra.mail.flows.lane import lane
from workestra.mail.flows.microsoft import graph_for
from workestra.mail.flows.pull import pull
from workestra.mail.models import Connection, Mailbox, Slot
from workestra.rules import replication
from workestra.tenancy.models import Member

KINDS = {"click": {"first": True, "click": True}, "live": {"first": True}, "history": {"first": False}}
OPS = st.lists(
    st.tuples(st.sampled_from([*KINDS, "batch", "back", "dies", "later"]), st.integers(0, 5)), min_size=5, max_size=40
)


@pytest.fixture
def connection(ana: Member, outlook: Outlook) -> Connection:
    outlook.history(count=600)
    connection = outlook.connect(ana)
    work(connection)
    return connection


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ops=OPS)
def test_whoever_takes_gives_back_or_dies_no_more_than_four_hold_a_slot(connection: Connection, ops: Any) -> None:
    box = connection.mailbox_id
    Slot.objects.filter(mailbox_id=box).update(holder="", expires_at=None)
    Mailbox.objects.filter(pk=box).update(wanted_at=None, clicked_at=None)
    now, held, dead = clock.now(), {}, set()
    for op, who in ops:
        now += timedelta(seconds=1)
        name = f"{who}"
        if op == "later":
            now += slots.LIFE * 2
            for one in held:
                slots.give_back(mailbox=box, holder=one)
            held, dead = {}, set()
        elif op == "back":
            slots.give_back(mailbox=box, holder=name)
            held.pop(name, None)
            dead.discard(name)
        elif op == "dies":
            dead.add(name)
        elif name not in held:
            kind: dict[str, bool] = KINDS["live" if op == "batch" else op]
            count = 4 if op == "batch" else 1
            if slots.take(mailbox=box, holder=name, count=count, now=now, **kind):
                held[name] = count
        living = [one for one in held if one not in dead]
        slots.renew(holders=living, now=now)
        assert sum(held[one] for one in living) <= 4
        for one in living:
            rows = Slot.objects.filter(mailbox_id=box, holder=one, expires_at__gt=now).count()
            assert rows == held[one], "what a living holder has is nobody else's"
    for who in range(6):
        slots.give_back(mailbox=box, holder=f"{who}")


def test_who_goes_first_gets_the_next_slot(connection: Connection) -> None:
    box, now = connection.mailbox_id, clock.now()
    assert slots.take(mailbox=box, holder="history", count=4, first=False, now=now)
    assert not slots.take(mailbox=box, holder="live", count=1, first=True, now=now)
    assert not slots.take(mailbox=box, holder="click", count=1, first=True, click=True, now=now)
    slots.give_back(mailbox=box, holder="history")
    assert not slots.take(mailbox=box, holder="history", count=1, first=False, now=now)
    assert not slots.take(mailbox=box, holder="live", count=1, first=True, now=now)
    assert slots.take(mailbox=box, holder="click", count=1, first=True, click=True, now=now)
    assert slots.take(mailbox=box, holder="live", count=1, first=True, now=now)
    assert slots.take(mailbox=box, holder="history", count=1, first=False, now=now)
    for one in ("click", "live", "history"):
        slots.give_back(mailbox=box, holder=one)


def test_a_pause_holds_every_kind_until_it_is_over(connection: Connection) -> None:
    box, now = connection.mailbox_id, clock.now()
    assert slots.take(mailbox=box, holder="before", count=1, first=False, now=now)
    slots.throttle(mailbox=box, until=now + timedelta(seconds=30))
    assert not slots.keep(mailbox=box, holder="before", now=now), "history's next page waits, too"
    for kind in KINDS.values():
        assert not slots.take(mailbox=box, holder="one", count=1, now=now, **kind)
    after = now + timedelta(seconds=31)
    assert slots.take(mailbox=box, holder="one", count=1, first=True, now=after)
    for one in ("before", "one"):
        slots.give_back(mailbox=box, holder=one)
    Mailbox.objects.filter(pk=box).update(throttled_until=None)


def test_a_lane_that_is_told_to_wait_stops_all_others_at_once(connection: Connection) -> None:
    here = ref_of(connection)

    async def refused() -> None:
        async with lane(ref=here):
            raise Throttled(code="TooManyRequests", message="", status=429, retry_after=40)

    async def others() -> list[BaseException | None]:
        async def one(click: bool) -> None:
            async with lane(ref=here, click=click):
                pass

        return await asyncio.gather(one(False), one(True), return_exceptions=True)

    with pytest.raises(Throttled):
        run(refused())
    assert [type(one) for one in run(others())] == [Throttled, Throttled]
    Mailbox.objects.filter(pk=connection.mailbox_id).update(throttled_until=None)


def test_who_waits_for_a_slot_when_the_pause_comes_does_not_ask(connection: Connection) -> None:
    here = ref_of(connection)
    now = clock.now()
    assert slots.take(mailbox=here.mailbox, holder="all", count=4, first=True, now=now)

    async def main() -> BaseException | None:
        async def waits() -> None:
            async with lane(ref=here):
                pass

        waiting = asyncio.create_task(waits())
        await asyncio.sleep(0.2)
        await asyncio.to_thread(slots.throttle, mailbox=here.mailbox, until=clock.now() + timedelta(seconds=30))
        await asyncio.to_thread(slots.give_back, mailbox=here.mailbox, holder="all")
        [end] = await asyncio.gather(waiting, return_exceptions=True)
        return end

    assert isinstance(run(main()), Throttled)
    Mailbox.objects.filter(pk=connection.mailbox_id).update(throttled_until=None)


def test_history_live_batches_and_clicks_together_are_four_at_most_and_never_refused(
    connection: Connection, outlook: Outlook
) -> None:
    start(connection)
    outlook.world.ms_per_request = 30
    outlook.world.requests.reset()
    here = ref_of(connection)
    box = outlook.mailbox("ana")
    ids = [box.immutable_id(item) for item in box.truth()][:45]
    problems: list[BaseException] = []

    def guarded(flow: Any) -> threading.Thread:
        def body() -> None:
            try:
                run(flow())
            except BaseException as problem:
                problems.append(problem)

        thread = threading.Thread(target=body)
        thread.start()
        return thread

    async def clicks() -> None:
        graph = graph_for(workspace=here.workspace, connection=here.connection)
        for one in ids[:15]:
            async with lane(ref=here, click=True):
                await fetch.mail.unique_body(graph, message_id=one, root=here.root)

    async def batches() -> None:
        graph = graph_for(workspace=here.workspace, connection=here.connection)
        await fetch.by_id(graph=graph, ref=here, ids=ids, light=True)

    some = [guarded(lambda: history(ref=here)), guarded(clicks), guarded(batches), guarded(lambda: pull(ref=here))]
    for one in some:
        one.join(60)
    outlook.world.ms_per_request = 0
    assert problems == []
    seen = outlook.world.requests
    assert max(seen.max_in_flight.values()) <= 4
    assert 429 not in seen.by_status
    work(connection)
    assert differences(outlook, connection, "ana") == []


def test_a_click_waits_for_one_page_at_most_while_history_runs_at_full(
    connection: Connection, outlook: Outlook
) -> None:
    start(connection)
    outlook.world.ms_per_request = 250
    here = ref_of(connection)
    passed: list[int] = []
    worker = threading.Thread(target=lambda: run(history(ref=here)))
    worker.start()

    while Slot.objects.filter(mailbox_id=here.mailbox).exclude(holder="").count() < 4 and worker.is_alive():
        wall.sleep(0.01)

    async def click() -> None:
        before = hands.asked(outlook, "/messages")
        async with lane(ref=here, click=True):
            passed.append(hands.asked(outlook, "/messages") - before)

    try:
        run(click())
    finally:
        outlook.world.ms_per_request = 0
        worker.join(60)
    assert passed[0] <= slots.SLOTS, "those that were on their way, and none after them"


def test_a_throttled_history_writes_the_pause_before_anybody_else_can_ask(
    connection: Connection, outlook: Outlook
) -> None:
    outlook.world.faults.add(Fault(r"GET .*/messages\?", "status", status=429, headers={"Retry-After": "33"}))
    start(connection)
    here: Ref = ref_of(connection)
    with pytest.raises(Throttled):
        run(history(ref=here))
    until = slots.throttled_until(mailbox=here.mailbox, now=clock.now())
    assert until is not None
    assert until > clock.now() + timedelta(seconds=20)


def test_what_was_on_its_way_when_outlook_asked_for_a_pause_is_kept(
    connection: Connection, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "PAGE", 20)
    monkeypatch.setattr(replication, "ROOM", 0)
    full = r"GET .*/messages\?.*body"
    outlook.world.faults.add(Fault(full, "throttle", times=1, skip=3, retry_after="33"))
    outlook.world.faults.add(Fault(full, "latency", seconds=0.4, times=None))
    start(connection)
    outlook.world.requests.reset()
    with pytest.raises(Throttled):
        run(history(ref=ref_of(connection)))
    asked = [
        one for one in outlook.world.requests.last(1000) if one.path.endswith("/messages") and "body" in one.query
    ]
    pages = [one for one in asked if one.status == 200]
    assert len(pages) == 3
    assert backfill(connection).pages == len(pages)
