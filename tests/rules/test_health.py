"""The coloured dot: one function, from stored facts and a clock (HLT 1, 2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from workestra.rules.health import Facts, Health, health, worst

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ages = st.timedeltas(min_value=timedelta(days=-2), max_value=timedelta(days=400))


@given(error=st.booleans(), first=st.booleans(), age=st.none() | ages)
def test_the_dot_follows_error_then_never_then_age(error: bool, first: bool, age: timedelta | None) -> None:
    facts = Facts(error=error, first_done=first, last_success_at=None if age is None else NOW - age)
    state = health(facts=facts, now=NOW)
    assert (state is Health.ERROR) == error
    if not error:
        assert (state is Health.NEVER) == (not first or age is None)
    if not error and first and age is not None:
        assert state is (Health.STALE if age >= timedelta(hours=25) else Health.HEALTHY)


@given(states=st.lists(st.sampled_from(list(Health))))
def test_the_worst_of_many_is_the_first_in_the_order_of_worry(states: list[Health]) -> None:
    order = [Health.ERROR, Health.STALE, Health.NEVER, Health.HEALTHY]
    assert worst(states) == next((one for one in order if one in states), None)
