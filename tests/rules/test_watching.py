"""What a subscription needs, from what is stored of it and a clock (SYN 1, 3, 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workestra.rules import watching
from workestra.rules.watching import HANDSHAKE, Action, Push, Watched, action, push, push_possible

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
spans = st.timedeltas(min_value=timedelta(hours=-100), max_value=timedelta(hours=100))


def _watched(
    *,
    created: timedelta = -timedelta(hours=1),
    left: timedelta = timedelta(hours=71),
    reauthorize: bool = False,
    problem: timedelta | None = None,
    exists: bool = True,
    why: str = "",
) -> Watched:
    return Watched(
        exists=exists,
        created_at=NOW + created,
        expires_at=NOW + left,
        reauthorize=reauthorize,
        problem_at=None if problem is None else NOW - problem,
        problem=why,
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


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, Push.PUSH),
        ({"left": -timedelta(seconds=1)}, Push.STARTING),
        ({"exists": False}, Push.STARTING),
        ({"exists": False, "problem": timedelta(days=3), "why": HANDSHAKE}, Push.UNREACHED),
        ({"exists": False, "problem": timedelta(days=3), "why": "ExtensionError"}, Push.REFUSED),
        ({"problem": timedelta(minutes=1), "why": HANDSHAKE}, Push.PUSH),
    ],
)
def test_how_mail_comes_to_be_known_is_told_apart(more: dict[str, Any], says: Push) -> None:
    assert push(inbox=_watched(**more), possible=True, now=NOW) is says
    assert push(inbox=_watched(**more), possible=False, now=NOW) is Push.SCHEDULE


def test_before_the_first_try_it_is_being_set_up() -> None:
    assert push(inbox=None, possible=True, now=NOW) is Push.STARTING


MOMENTS = st.one_of(st.none(), st.integers(0, 90).map(lambda n: NOW - timedelta(minutes=n)))


@st.composite
def listened(draw: st.DrawFn) -> Watched:
    """A subscription with any memory of notices and of mail that came untold."""
    return Watched(
        exists=draw(st.booleans()),
        created_at=draw(MOMENTS),
        expires_at=draw(st.sampled_from([None, NOW - timedelta(minutes=1), NOW + timedelta(days=2)])),
        reauthorize=False,
        problem_at=None,
        last_notice_at=draw(MOMENTS),
        untold_at=draw(MOMENTS),
        found_at=draw(MOMENTS),
    )


@given(listened(), MOMENTS)
def test_only_a_living_subscription_that_told_nothing_all_the_time_is_suspected(
    watched: Watched, since: datetime | None
) -> None:
    if watching.untold(watched=watched, since=since, now=NOW):
        assert watched.exists
        assert since is not None
        assert watched.created_at is not None
        assert watched.created_at <= since
        assert watched.last_notice_at is None or watched.last_notice_at < since


@given(listened())
def test_push_is_silent_only_after_a_notice_had_its_time_and_none_came(watched: Watched) -> None:
    if watching.silent(watched=watched, now=NOW):
        assert watched.untold_at is not None
        assert NOW - watched.untold_at >= watching.GRACE
        assert watched.last_notice_at is None or watched.last_notice_at < watched.untold_at
        assert push(inbox=watched, possible=True, now=NOW) is Push.SILENT


@given(listened())
def test_a_notice_heals_at_once(watched: Watched) -> None:
    healed = replace(watched, last_notice_at=NOW)
    assert not watching.silent(watched=healed, now=NOW)
    assert watching.look_again(watched=healed, now=NOW) is None
    assert push(inbox=healed, possible=True, now=NOW) is not Push.SILENT


@given(listened())
def test_what_is_made_anew_begins_without_suspicion(watched: Watched) -> None:
    anew = replace(watched, created_at=NOW + timedelta(seconds=1))
    assert not watching.silent(watched=anew, now=NOW)


@given(listened())
def test_suspicion_is_settled_in_minutes(watched: Watched) -> None:
    at = watching.look_again(watched=watched, now=NOW)
    if watching.doubtful(watched=watched, now=NOW):
        assert at is not None
        assert at <= NOW + max(watching.GRACE, watching.SILENT_SELDOM)
    else:
        assert at is None


def _found(*, minutes: int) -> Watched:
    """Silent for a week; the last mail that nobody told of came so long ago."""
    return Watched(
        exists=True,
        created_at=NOW - timedelta(days=8),
        expires_at=NOW + timedelta(days=1),
        reauthorize=False,
        problem_at=None,
        untold_at=NOW - timedelta(days=7),
        found_at=NOW - timedelta(minutes=minutes),
    )


@pytest.mark.parametrize(("quiet", "pause"), [(-10, 2), (0, 2), (8, 2), (16, 4), (32, 8), (600, 8)])
def test_a_silent_mailbox_is_looked_at_less_often_while_nothing_comes(quiet: int, pause: int) -> None:
    assert watching.look_again(watched=_found(minutes=quiet), now=NOW) == NOW + timedelta(minutes=pause)
