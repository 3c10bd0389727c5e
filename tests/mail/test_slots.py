"""Four requests at once to a mailbox, and none of its slots lost to whoever breaks off (SYN)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.sandboxes import Outlook, ref_of, run

from workestra.kit import clock
from workestra.mail.doors import slots
from workestra.mail.doors.ref import Ref
from workestra.mail.flows.lane import lane
from workestra.mail.models import Slot
from workestra.tenancy.models import Member


@pytest.fixture
def here(ana: Member, outlook: Outlook) -> Ref:
    return ref_of(outlook.connect(ana))


def _held(here: Ref) -> int:
    return Slot.objects.filter(mailbox_id=here.mailbox).exclude(holder="").count()


def test_whoever_is_cancelled_while_taking_a_slot_leaves_it_free(here: Ref, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    real: Callable[..., bool] = slots.take

    def slowly(**given: Any) -> bool:
        time.sleep(0.1)
        return real(**given)

    monkeypatch.setattr(slots, "take", slowly)

    async def hold() -> None:
        async with lane(ref=here):
            await asyncio.sleep(10)

    async def main() -> None:
        for wait in (0.02, 0.05, 0.3):
            task = asyncio.create_task(hold())
            await asyncio.sleep(wait)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(main())
    assert _held(here) == 0


def test_an_error_inside_gives_the_slots_back(here: Ref) -> None:
    async def main() -> None:
        async with lane(ref=here, count=slots.SLOTS):
            raise LookupError

    with pytest.raises(LookupError):
        run(main())
    assert _held(here) == 0


def test_four_at_once_and_the_fifth_waits(here: Ref) -> None:
    now = clock.now()
    taken = [slots.take(mailbox=here.mailbox, holder=f"h{one}", count=1, first=True, now=now) for one in range(5)]
    assert taken == [True] * 4 + [False]
    for one in range(4):
        slots.give_back(mailbox=here.mailbox, holder=f"h{one}")
    assert _held(here) == 0


def test_a_batch_takes_all_four_or_none(here: Ref) -> None:
    now = clock.now()
    assert slots.take(mailbox=here.mailbox, holder="one", count=1, first=True, now=now)
    assert not slots.take(mailbox=here.mailbox, holder="all", count=4, first=True, now=now)
    assert _held(here) == 1
    slots.give_back(mailbox=here.mailbox, holder="one")
    assert slots.take(mailbox=here.mailbox, holder="all", count=4, first=True, now=now)
    slots.give_back(mailbox=here.mailbox, holder="all")


def test_history_gives_way_to_what_people_wait_for(here: Ref) -> None:
    now = clock.now()
    assert slots.take(mailbox=here.mailbox, holder="history", count=4, first=False, now=now)
    assert slots.keep(mailbox=here.mailbox, holder="history", now=now)
    assert not slots.take(mailbox=here.mailbox, holder="live", count=1, first=True, now=now)
    assert not slots.keep(mailbox=here.mailbox, holder="history", now=now)
    slots.give_back(mailbox=here.mailbox, holder="history")
    assert not slots.take(mailbox=here.mailbox, holder="history", count=1, first=False, now=now)
    assert slots.take(mailbox=here.mailbox, holder="live", count=1, first=True, now=now)
    assert slots.take(mailbox=here.mailbox, holder="history", count=1, first=False, now=now)
    for one in ("live", "history"):
        slots.give_back(mailbox=here.mailbox, holder=one)


def test_the_slots_of_a_holder_that_died_are_free_when_their_time_is_over(here: Ref) -> None:
    now = clock.now()
    assert slots.take(mailbox=here.mailbox, holder="died", count=4, first=True, now=now - slots.LIFE * 2)
    assert slots.take(mailbox=here.mailbox, holder="next", count=4, first=True, now=now)
    slots.give_back(mailbox=here.mailbox, holder="died")
    assert _held(here) == 4
    slots.give_back(mailbox=here.mailbox, holder="next")
