"""How a backfill is cut, paced and foretold, for any mailbox (BKF)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from workestra.rules import replication

moments = st.integers(0, 4_000_000_000_000_000).map(
    lambda microseconds: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


@given(since=moments, until=moments, messages=st.integers(0, 2_000_000), oldest=st.none() | moments)
def test_slices_cover_the_range_without_gap_or_overlap(
    since: datetime, until: datetime, messages: int, oldest: datetime | None
) -> None:
    parts = replication.cut(folder=7, since=since, until=until, messages=messages, oldest=oldest)
    if messages == 0 or since >= until:
        assert parts == []
        return
    assert parts[0].until == until
    assert since - timedelta(seconds=1) < parts[-1].since <= since
    assert all(newer.since == older.until for newer, older in pairwise(parts))
    assert all(part.since < part.until and part.folder == 7 for part in parts)
    assert len(parts) <= replication.MOST_SLICES


@given(messages=st.integers(101, 100_000))
def test_the_newest_slice_of_evenly_spread_mail_holds_about_a_first_page(messages: int) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    until = since + timedelta(days=90)
    newest = replication.cut(folder=1, since=since, until=until, messages=messages, oldest=None)[0]
    share = (newest.until - newest.since) / (until - since) * messages
    assert 25 <= share <= 75


@given(messages=st.integers(1, 2**31))
def test_slices_hold_everything_and_get_smaller_so_that_streams_end_together(messages: int) -> None:
    first, *sizes = replication.portions(messages=messages)
    assert first + sum(sizes) == messages
    assert len(sizes) < replication.MOST_SLICES
    assert all(newer >= older for newer, older in pairwise(sizes[:-1]))
    assert not sizes[1:] or sizes[-1] <= replication.PAGE - replication.ROOM
    assert all(-size % replication.PAGE >= replication.ROOM for size in sizes[:-2])


@given(current=st.integers(10, replication.PAGE), seconds=st.floats(0, 600), too_large=st.booleans())
def test_page_sizes_stay_in_bounds_and_never_grow_after_a_page_that_was_too_large(
    current: int, seconds: float, too_large: bool
) -> None:
    size = replication.page_size(current=current, seconds=seconds, too_large=too_large)
    assert 10 <= size <= replication.PAGE
    if too_large or seconds > 10:
        assert size <= current
    elif seconds < 2.5:
        assert size >= current


def test_pages_that_are_too_large_shrink_to_the_least_within_a_few_tries() -> None:
    size = replication.PAGE
    for _ in range(3):
        size = replication.page_size(current=size, seconds=0, too_large=True)
    assert size == 10


@given(
    estimate=st.none() | st.integers(0, 10**7),
    pulled=st.integers(0, 10**7),
    rate=st.none() | st.floats(0, 10_000),
    pages=st.integers(0, 10**5),
)
def test_time_to_go_is_told_only_where_it_is_known_and_is_never_negative(
    estimate: int | None, pulled: int, rate: float | None, pages: int
) -> None:
    seconds = replication.eta_seconds(estimate=estimate, pulled=pulled, rate=rate, pages=pages)
    if estimate is None or rate is None or rate < 0.05 or pages < 3 or pulled >= estimate:
        assert seconds is None
    else:
        assert seconds == round((estimate - pulled) / rate)


@given(rates=st.lists(st.tuples(st.integers(0, 1000), st.floats(0.01, 60)), min_size=1))
def test_the_smoothed_rate_lies_between_the_slowest_and_the_fastest_stretch(rates: list[tuple[int, float]]) -> None:
    rate: float | None = None
    for messages, seconds in rates:
        rate = replication.smooth(rate=rate, messages=messages, seconds=seconds)
    each = [messages / seconds for messages, seconds in rates]
    assert rate is not None
    assert min(each) - 1e-6 <= rate <= max(each) + 1e-6
