"""Clocks that are wrong: when mail begins to be new, and what cannot have happened yet (CON 6, SYN)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workestra.rules.skew import AHEAD, BACKDATED, impossible, since_signing_in

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("before", [-timedelta(minutes=10), timedelta(0), BACKDATED, BACKDATED + AHEAD])
def test_mail_is_new_from_the_moment_of_connecting_however_microsoft_dates_its_token(before: timedelta) -> None:
    assert since_signing_in(issued_at=NOW - before, now=NOW) == NOW


def test_where_our_clock_is_fast_mail_is_new_from_the_moment_that_microsoft_says() -> None:
    told = NOW - timedelta(minutes=10)
    assert since_signing_in(issued_at=told, now=NOW) == told
    assert since_signing_in(issued_at=None, now=NOW) == NOW


def test_what_lies_well_ahead_of_now_cannot_have_happened() -> None:
    assert impossible(moment=NOW + AHEAD + timedelta(seconds=1), now=NOW)
    assert not impossible(moment=NOW + AHEAD, now=NOW)
    assert not impossible(moment=None, now=NOW)
