"""Waits: never shorter than asked, never for ever, never all at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workestra.graph import throttle

draws = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(attempt=st.integers(min_value=-5, max_value=10_000), draw=draws)
def test_back_off_grows_to_a_cap_and_spreads_down_to_nothing(attempt: int, draw: float) -> None:
    wait = throttle.back_off(attempt=attempt, random=lambda: draw, base=2.0, cap=60.0)
    assert 0 <= wait < 60
    assert throttle.back_off(attempt=attempt, random=lambda: 0.0) == 0


def test_back_off_doubles() -> None:
    waits = [throttle.back_off(attempt=n, random=lambda: 0.5, base=2.0, cap=60.0) for n in range(1, 8)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@given(asked=st.floats(min_value=0, max_value=86_400), draw=draws)
def test_wait_is_never_shorter_than_asked_and_hardly_longer(asked: float, draw: float) -> None:
    wait = throttle.wait_after(retry_after=asked, attempt=3, random=lambda: draw)
    assert asked <= wait <= asked + 1


def test_without_a_wait_asked_for_we_back_off() -> None:
    assert throttle.wait_after(retry_after=None, attempt=3, random=lambda: 0.5) == 2.0


@given(st.text(max_size=40))
def test_any_header_is_a_bounded_wait_or_none(value: str) -> None:
    wait = throttle.parse_retry_after(value=value, now=None)
    assert wait is None or 0 <= wait <= throttle.LONGEST_WAIT
