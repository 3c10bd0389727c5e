"""A rate comes from a real stretch of time, however many streams bring pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workestra.rules.gauge import STRETCH, Gauge


def test_pages_that_come_at_once_tell_no_rate() -> None:
    gauge = Gauge(since=10)
    assert [gauge.came(messages=250, now=10.25) for _ in range(8)] == [None] * 8
    assert gauge.came(messages=100, now=12.25) == (2100, 2.25)
    assert gauge.came(messages=50, now=13) is None


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 5)), max_size=60))
def test_no_stretch_is_short_and_every_message_counts_once(pages: list[tuple[int, float]]) -> None:
    gauge, now, told = Gauge(since=0), 0.0, 0
    for messages, seconds in pages:
        now += seconds
        over = gauge.came(messages=messages, now=now)
        if over is not None:
            told += over[0]
            assert over[1] >= STRETCH
    assert told + gauge.messages == sum(one for one, _ in pages)
