"""Answers absorbed in any order, twice, or late end in what the latest question saw (SYN)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workestra.rules.reconcile import Answer, Held, Plan, reconcile

START = datetime(2026, 11, 1, tzinfo=UTC)
TRACKED = frozenset({"inbox", "archive"})
names = st.sampled_from(["a", "b", "c"])
answers = st.builds(
    Answer,
    immutable_id=names,
    change_key=st.sampled_from(["k1", "k2", "k3"]),
    folder=st.sampled_from(["inbox", "archive", "junk", ""]),
    full=st.just(True),
)
histories = st.lists(st.lists(answers, min_size=1, max_size=4), min_size=1, max_size=6)


def _perform(held: dict[str, Held], page: list[Answer], asked_at: datetime) -> Plan:
    plan = reconcile(held=held, answers=page, asked_at=asked_at, tracked=TRACKED)
    latest = {one.immutable_id: one for one in page}
    for name in (*plan.add, *plan.change, *plan.mark):
        held[name] = Held(name, latest[name].change_key, latest[name].folder, asked_at, removed=False)
    for name in plan.remove:
        held[name] = Held(name, "", held[name].folder, asked_at, removed=True)
    return plan


def _live(held: dict[str, Held]) -> dict[str, tuple[str, str]]:
    return {name: (row.change_key, row.folder) for name, row in held.items() if not row.removed}


@given(pages=histories)
def test_pages_in_the_order_of_their_questions_end_in_what_the_last_one_saw(pages: list[list[Answer]]) -> None:
    held: dict[str, Held] = {}
    truth: dict[str, tuple[str, str]] = {}
    for number, page in enumerate(pages):
        _perform(held, page, START + timedelta(seconds=number))
        for one in page:
            if one.folder in TRACKED:
                truth[one.immutable_id] = (one.change_key, one.folder)
            else:
                truth.pop(one.immutable_id, None)
    assert _live(held) == truth


@given(pages=histories)
def test_a_page_absorbed_twice_changes_nothing_the_second_time(pages: list[list[Answer]]) -> None:
    held: dict[str, Held] = {}
    for number, page in enumerate(pages):
        at = START + timedelta(seconds=number)
        _perform(held, page, at)
        again = _perform(dict(held), page, at)
        assert not (again.add or again.change or again.mark or again.remove or again.fetch)


@given(early=answers, late=answers)
def test_a_slow_answer_never_overwrites_what_a_later_question_brought(early: Answer, late: Answer) -> None:
    late = Answer(early.immutable_id, late.change_key, "inbox", full=True)
    held: dict[str, Held] = {}
    _perform(held, [late], START + timedelta(seconds=9))
    before = dict(held)
    _perform(held, [early], START)
    assert held == before


@given(page=st.lists(answers, max_size=8))
def test_an_id_is_decided_once_however_often_a_page_names_it(page: list[Answer]) -> None:
    plan = reconcile(held={}, answers=page, asked_at=START, tracked=TRACKED)
    every = [*plan.add, *plan.change, *plan.mark, *plan.remove, *plan.fetch, *plan.same, *plan.stale]
    assert sorted(every) == sorted({one.immutable_id for one in page})


def test_a_light_answer_about_an_unknown_message_asks_for_its_content() -> None:
    light = Answer("a", "k1", "inbox", full=False)
    assert reconcile(held={}, answers=[light], asked_at=START, tracked=TRACKED).fetch == ["a"]


@pytest.mark.parametrize(("key", "same"), [("k1", True), ("k2", False), ("", False)])
def test_a_light_answer_of_another_version_marks_and_one_of_the_same_changes_nothing(key: str, same: bool) -> None:
    row = Held("a", "k1", "inbox", START, removed=False)
    light = Answer("a", key, "inbox", full=False)
    plan = reconcile(held={"a": row}, answers=[light], asked_at=START + timedelta(seconds=1), tracked=TRACKED)
    assert (plan.same, plan.mark) == ((["a"], []) if same else ([], ["a"]))


@pytest.mark.parametrize("full", [True, False])
def test_the_content_of_the_same_version_ends_a_doubt(full: bool) -> None:
    row = Held("a", "k1", "inbox", START, removed=False, doubted=True)
    answer = Answer("a", "k1", "inbox", full=full)
    plan = reconcile(held={"a": row}, answers=[answer], asked_at=START + timedelta(seconds=1), tracked=TRACKED)
    assert (plan.change, plan.same) == ((["a"], []) if full else ([], ["a"]))
