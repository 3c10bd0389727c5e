"""History's share of a mailbox's four requests: never more, newest slice first, and people first (BKF 2, I13)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from django.db import connection as database
from tests.sandboxes import Outlook, ref_of, run

from workestra.graph.errors import Throttled
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import slots
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.steps import Stopped
from workestra.mail.flows.lane import lane
from workestra.mail.flows.places import Places
from workestra.tenancy.models import Member


@pytest.fixture
def ref(ana: Member, outlook: Outlook) -> Ref:
    return ref_of(outlook.connect(ana))


def _taken(ref: Ref) -> int:
    with database.cursor() as cursor:
        cursor.execute(
            "select count(*) from mail_slot where mailbox_id = %s and holder <> '' and expires_at > %s",
            [ref.mailbox, clock.now()],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _with(ref: Ref, work: Callable[[Places], Awaitable[None]]) -> None:
    async def whole() -> None:
        places = Places(ref=ref)
        try:
            await work(places)
        finally:
            await places.close()

    run(asyncio.wait_for(whole(), 30))
    assert _taken(ref) == 0


def test_four_at_once_and_each_waiting_stream_is_served(ref: Ref) -> None:
    now: list[int] = []
    most: list[int] = []

    async def stream(places: Places, number: int) -> None:
        for _ in range(3):
            async with places.take(number=number):
                now.append(number)
                most.append(len(now))
                assert await hop(lambda: _taken(ref)) <= slots.SLOTS
                await asyncio.sleep(0.005)
                now.remove(number)

    async def work(places: Places) -> None:
        await asyncio.gather(*(stream(places, number) for number in range(9)))

    _with(ref, work)
    assert len(most) == 27
    assert max(most) == slots.SLOTS


def test_the_newest_slice_that_waits_goes_first(ref: Ref) -> None:
    order: list[int] = []

    async def one(places: Places, number: int, *, held: asyncio.Event | None = None) -> None:
        async with places.take(number=number):
            if held is not None:
                await held.wait()
            else:
                order.append(number)

    async def work(places: Places) -> None:
        held = asyncio.Event()
        full = [asyncio.create_task(one(places, 100 + n, held=held)) for n in range(slots.SLOTS)]
        await asyncio.sleep(0.3)
        waiting = [asyncio.create_task(one(places, number)) for number in sorted(range(20), key=lambda n: n * 7 % 20)]
        await asyncio.sleep(0.05)
        held.set()
        await asyncio.gather(*full, *waiting)

    _with(ref, work)
    assert sorted(order) == list(range(20))
    assert all(number < place + slots.SLOTS for place, number in enumerate(order)), order


def test_who_is_cancelled_while_waiting_leaves_its_place_to_the_next(ref: Ref) -> None:
    async def work(places: Places) -> None:
        held = asyncio.Event()

        async def hold() -> None:
            async with places.take(number=0):
                await held.wait()

        async def want() -> str:
            async with places.take(number=1):
                return "served"

        full = [asyncio.create_task(hold()) for _ in range(slots.SLOTS)]
        await asyncio.sleep(0.3)
        given_up, patient = asyncio.create_task(want()), asyncio.create_task(want())
        await asyncio.sleep(0.05)
        held.set()
        given_up.cancel()
        assert await patient == "served"
        await asyncio.gather(*full)

    _with(ref, work)


def test_what_people_wait_for_goes_before_the_next_page(ref: Ref) -> None:
    order: list[str] = []

    async def history(places: Places) -> None:
        while "person" not in order:
            async with places.take(number=0):
                order.append("page")
                await asyncio.sleep(0.1)

    async def person() -> None:
        async with lane(ref=ref, count=slots.SLOTS):  # all of them, as a batch needs
            order.append("person")

    async def work(places: Places) -> None:
        streams = [asyncio.create_task(history(places)) for _ in range(8)]
        await asyncio.sleep(0.3)
        before = len(order)
        await person()
        assert order[before:].count("page") <= 2 * slots.SLOTS, "pages under way end; hardly another begins"
        await asyncio.gather(*streams)

    _with(ref, work)


def test_a_pause_that_microsoft_asked_for_reaches_who_waits_for_a_place(ref: Ref) -> None:
    async def work(places: Places) -> None:
        async with lane(ref=ref, count=slots.SLOTS):

            async def want() -> None:
                async with places.take(number=0):
                    raise AssertionError("nothing is asked during a pause")

            waiting = asyncio.create_task(want())
            await asyncio.sleep(0.2)
            await hop(lambda: slots.throttle(mailbox=ref.mailbox, until=clock.now() + timedelta(seconds=60)))
            with pytest.raises(Throttled):
                await waiting

    _with(ref, work)


def test_an_idle_place_is_given_back_at_once(ref: Ref) -> None:
    async def work(places: Places) -> None:
        async with places.take(number=0):
            assert await hop(lambda: _taken(ref)) == 1
        assert await hop(lambda: _taken(ref)) == 0

    _with(ref, work)


def test_a_place_goes_on_when_the_answer_is_here_not_when_it_is_decoded(ref: Ref) -> None:
    async def work(places: Places) -> None:
        decoded = asyncio.Event()
        leaving: list[asyncio.Task[None]] = []

        async def decode(number: int) -> None:
            async with places.take(number=number) as arrived:
                await asyncio.sleep(0.05)  # the others are waiting by now
                arrived()
                arrived()
                await decoded.wait()

        leaving += [asyncio.create_task(decode(number)) for number in range(2 * slots.SLOTS)]
        await asyncio.sleep(0.5)
        assert not any(task.done() for task in leaving)
        assert await hop(lambda: _taken(ref)) == slots.SLOTS
        decoded.set()
        await asyncio.gather(*leaving)
        assert await hop(lambda: _taken(ref)) == 0

    _with(ref, work)


def test_who_may_not_ask_any_more_holds_nothing(ref: Ref) -> None:
    async def whole() -> None:
        places = Places(ref=ref, may=lambda: False)
        with pytest.raises(Stopped):
            async with places.take(number=0):
                raise AssertionError
        assert await hop(lambda: _taken(ref)) == 0

    run(whole())
