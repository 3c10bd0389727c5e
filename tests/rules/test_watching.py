"""What a subscription needs, from what is stored of it and a clock (SYN 1, 3, 4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from workestra.rules.watching import Action, Watched, action, push_possible

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
spans = st.timedeltas(min_value=timedelta(hours=-100), max_value=timedelta(hours=100))


def _watched(
    *,
    created: timedelta = -timedelta(hours=1),
    left: timedelta = timedelta(hours=71),
    reauthorize: bool = False,
    problem: timedelta | None = None,
    exists: bool = True,
) -> Watched:
    return Watched(
        exists=exists,
        created_at=NOW + created,
        expires_at=NOW + left,
        reauthorize=reauthorize,
        problem_at=None if problem is None else NOW - problem,
    )


@given(left=spans, reauthorize=st.booleans(), exists=st.booleans())
def test_what_does_not_exist_or_has_expired_is_created_anew(left: timedelta, reauthorize: bool, exists: bool) -> None:
    found = action(watched=_watched(left=left, reauthorize=reauthorize, exists=exists), now=NOW)
    assert (found is Action.CREATE) == (not exists or left <= timedelta())


@given(left=st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(hours=70)))
def test_a_long_subscription_is_renewed_once_under_a_day_is_left(left: timedelta) -> None:
    created = left - timedelta(hours=72)
    found = action(watched=_watched(created=created, left=left), now=NOW)
    assert (found is Action.RENEW) == (left < timedelta(hours=24))


def test_graph_asking_for_reauthorisation_is_obeyed_whatever_time_is_left() -> None:
    assert action(watched=_watched(reauthorize=True), now=NOW) is Action.RENEW


@given(since=st.timedeltas(min_value=timedelta(), max_value=timedelta(hours=1)), exists=st.booleans())
def test_after_a_refusal_nothing_is_tried_for_ten_minutes(since: timedelta, exists: bool) -> None:
    found = action(watched=_watched(problem=since, exists=exists, reauthorize=True), now=NOW)
    assert (found is Action.NOTHING) == (since < timedelta(minutes=10))


def test_push_needs_a_public_address_or_both_ends_on_this_machine() -> None:
    def can(url: str, here: bool, there: bool) -> bool:
        return push_possible(public_url=url, public_loopback=here, graph_loopback=there)

    assert can("https://mail.example", False, False)
    assert not can("http://mail.example", False, False)
    assert can("http://127.0.0.1:8000", True, True)
    assert not can("http://127.0.0.1:8000", True, False)
