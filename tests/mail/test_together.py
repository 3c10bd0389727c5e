"""Pieces of a flow at the same time: their results in order, and nothing that runs on afterwards."""

from __future__ import annotations

import asyncio

import pytest
from tests.sandboxes import run

from workestra.mail.flows.together import together


def test_results_come_in_the_order_of_the_pieces_whoever_ends_first() -> None:
    async def piece(number: int) -> int:
        await asyncio.sleep(0.01 * (3 - number))
        return number

    assert run(together(piece(number) for number in range(3))) == [0, 1, 2]
    assert run(together([])) == []


def test_the_first_that_raises_ends_the_others_before_it_goes_on() -> None:
    ended: list[str] = []

    async def patient() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)  # giving something back takes a moment
            ended.append("patient")

    async def failing() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        run(together([patient(), failing(), patient()]))
    assert ended == ["patient", "patient"]


def test_a_second_failure_while_the_others_end_does_not_hide_the_first() -> None:
    async def late() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise KeyError("second")

    async def failing() -> None:
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        run(together([late(), failing()]))


def test_who_is_told_to_end_ends_all_pieces() -> None:
    running: set[int] = set()

    async def piece(number: int) -> None:
        running.add(number)
        try:
            await asyncio.sleep(60)
        finally:
            running.discard(number)

    async def whole() -> None:
        flow = asyncio.create_task(together(piece(number) for number in range(3)))
        await asyncio.sleep(0.01)
        assert running == {0, 1, 2}
        flow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flow
        assert not running

    run(whole())
