"""Rules that look at the clock, asked again and again while it goes on, or goes wrong (HLT 1, SYN 4, I11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workestra.rules.health import Facts, Health, health
from workestra.rules.replication import BEGINNING, CHOICES, END, range_start, second_after
from workestra.rules.retrying import RETRIES, Failure
from workestra.rules.tracking import UNTRACKED, tracked_by_default
from workestra.rules.watching import Action, Watched, action

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
DAY = timedelta(hours=25)
steps = st.lists(st.timedeltas(min_value=timedelta(), max_value=timedelta(hours=30)), min_size=1, max_size=30)
facts = st.builds(
    Facts,
    error=st.booleans(),
    first_done=st.booleans(),
    last_success_at=st.none() | st.timedeltas(-3 * DAY, 3 * DAY).map(lambda one: START + one),
)


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (DAY - MOMENT, Health.HEALTHY),
        (DAY, Health.STALE),
        (DAY + MOMENT, Health.STALE),
        (timedelta(), Health.HEALTHY),
        (-timedelta(minutes=10), Health.HEALTHY),
        (-400 * DAY, Health.HEALTHY),
    ],
    ids=["a moment before", "to the moment", "a moment after", "now", "our clock was ahead", "years ahead"],
)
def test_a_connection_is_stale_from_the_twenty_fifth_hour_on(age: timedelta, state: Health) -> None:
    known = Facts(error=False, first_done=True, last_success_at=START - age)
    assert health(facts=known, now=START) is state


@given(known=facts, steps=steps)
def test_time_alone_makes_nothing_better_and_nothing_but_healthy_worse(known: Facts, steps: list[timedelta]) -> None:
    now, states = START, []
    for step in steps:
        now += step
        states.append(health(facts=known, now=now))
    for before, after in pairwise(states):
        assert before is after or (before, after) == (Health.HEALTHY, Health.STALE)


@given(known=facts, zone=st.integers(-12, 14))
def test_the_zone_in_which_a_moment_is_written_changes_nothing(known: Facts, zone: int) -> None:
    elsewhere = START.astimezone(timezone(timedelta(hours=zone)))
    assert health(facts=known, now=elsewhere) is health(facts=known, now=START)


@given(life=st.timedeltas(timedelta(hours=2), timedelta(hours=167)), asked=st.sets(st.integers(0, 400)))
def test_a_subscription_that_is_looked_at_every_half_hour_never_runs_out(life: timedelta, asked: set[int]) -> None:
    now, made, ends, renewals = START, START, START + life, 0
    for look in range(400):
        now += timedelta(minutes=30)
        watched = Watched(exists=True, created_at=made, expires_at=ends, reauthorize=look in asked, problem_at=None)
        what = action(watched=watched, now=now)
        assert what is not Action.CREATE
        assert what is Action.RENEW or look not in asked
        if what is Action.RENEW:
            renewals += 1
            made, ends = now, now + life
    assert renewals <= len(asked) + 200 * timedelta(hours=1) / (life / 2) + 1


@given(skew=st.timedeltas(-timedelta(minutes=10), timedelta(minutes=10)))
def test_ten_minutes_of_skew_leave_a_fresh_subscription_alone(skew: timedelta) -> None:
    watched = Watched(
        exists=True, created_at=START, expires_at=START + timedelta(days=3), reauthorize=False, problem_at=None
    )
    assert action(watched=watched, now=START + skew) is Action.NOTHING


@given(passing=st.booleans(), longest=st.timedeltas(timedelta(seconds=10), timedelta(hours=1)))
def test_pauses_after_failures_grow_to_their_limit_and_are_told_of_once_they_are_no_blip(
    passing: bool, longest: timedelta
) -> None:
    failure = Failure("x", {}, passing=passing, longest=longest)
    waits = [failure.wait(failures=number) for number in range(1, 60)]
    assert all(early <= late for early, late in pairwise(waits))
    assert timedelta() < waits[0] <= waits[-1] == longest
    assert [failure.shows(failures=number) for number in range(1, 8)] == [
        not passing or number >= RETRIES for number in range(1, 8)
    ]


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_a_wider_choice_begins_earlier_and_a_second_later_is_later_but_at_the_end_of_time(moment: datetime) -> None:
    now = max(moment, datetime(1971, 1, 1, tzinfo=UTC) + timedelta(days=366))
    begins = [range_start(choice=choice, now=now) for choice in CHOICES]
    assert begins == sorted(begins, reverse=True)
    assert begins[-1] == BEGINNING
    assert second_after(moment=min(moment, END)) > moment or moment >= END - timedelta(seconds=1)


@given(chain=st.lists(st.sampled_from(["", "inbox", "archive", "sentitems", *sorted(UNTRACKED)]), max_size=6))
def test_a_folder_is_tracked_unless_it_or_one_above_it_holds_no_mail(chain: list[str]) -> None:
    assert tracked_by_default(roles=chain) == (not UNTRACKED & set(chain))
