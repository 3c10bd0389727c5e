"""Rules played over whole histories: what many pages, presses and workers make of them together (BKF 4, SYN 12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.rules.test_readstate import Play, histories

from workestra.rules.readstate import Change, told
from workestra.rules.reconcile import Answer, Held, reconcile
from workestra.rules.replication import FINAL, LIVE, OPEN, VERBS
from workestra.rules.threading import Named, gather

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
verbs = st.lists(st.sampled_from([*VERBS, "begin", "throttle", "refuse", "sign_in", "finish"]), max_size=30)
WORKER = {  # what workers do to a backfill, as doors.backfills performs it: from these states, to this one
    "begin": (LIVE, "running"),
    "throttle": (LIVE, "waiting"),
    "refuse": (LIVE, "held"),
    "sign_in": (("held",), "queued"),
    "finish": (("running",), "done"),
}
MOVES = {**VERBS, **WORKER}


@given(history=verbs)
def test_a_backfill_that_ended_stays_ended_and_a_pause_is_ended_by_people_alone(history: list[str]) -> None:
    state = "queued"
    for verb in history:
        sources, target = MOVES[verb]
        before = state
        state = target if state in sources else state
        if before in ("done", "cancelled"):
            assert state == before
        if before == "paused":
            assert state == before or verb in VERBS
        assert state in (*OPEN, *FINAL)


@given(history=verbs, verb=st.sampled_from(sorted(VERBS)))
def test_a_verb_pressed_twice_does_what_it_does_once(history: list[str], verb: str) -> None:
    state = "queued"
    for one in (*history, verb):
        state = MOVES[one][1] if state in MOVES[one][0] else state
    sources, target = VERBS[verb]
    again = target if state in sources else state
    assert again == state


keys = st.lists(st.integers(0, 9).map(lambda one: bytes([one]) * 16), max_size=4, unique=True).map(tuple)


@given(
    messages=st.lists(keys, min_size=1, max_size=12), cuts=st.lists(st.integers(0, 12), max_size=4), order=st.data()
)
def test_threads_come_out_the_same_however_their_messages_are_dealt_into_pages(
    messages: list[tuple[bytes, ...]], cuts: list[int], order: st.DataObject
) -> None:
    named = [Named(f"m{number}", one) for number, one in enumerate(messages)]
    whole = {frozenset(group.members) for group in gather(messages=named, known={})}
    dealt = order.draw(st.permutations(named))
    edges = sorted({0, len(dealt), *(one for one in cuts if one < len(dealt))})
    threads: dict[str, int] = {}
    known: dict[bytes, int] = {}
    for low, high in pairwise(edges):
        for group in gather(messages=dealt[low:high], known=known):
            keeper = min(group.threads, default=len(threads) + len(known) + 1000 * (low + 1))
            for table in (threads, known):
                for name, thread in table.items():
                    if thread in group.threads:
                        table[name] = keeper  # type: ignore[index]
            threads.update(dict.fromkeys(group.members, keeper))
            known.update(dict.fromkeys(group.keys, keeper))
    parts: dict[int, set[str]] = {}
    for name, thread in threads.items():
        parts.setdefault(thread, set()).add(name)
    assert {frozenset(one) for one in parts.values()} == whole


@given(history=st.lists(st.sampled_from(["edit", "mark", "full", "light"]), max_size=20))
def test_content_that_may_have_changed_is_doubted_until_it_is_read(history: list[str]) -> None:
    content, version, now = 0, 0, START
    held, row_content = Held("a", "v0", "inbox", START, removed=False), 0
    for what in history:
        now += timedelta(seconds=1)
        if what == "edit":
            content += 1
        if what in ("edit", "mark"):
            version += 1
            continue
        answer = Answer("a", f"v{version}", "inbox", full=what == "full")
        plan = reconcile(held={"a": held}, answers=[answer], asked_at=now, tracked=frozenset({"inbox"}))
        if plan.change:
            held, row_content = held._replace(change_key=answer.change_key, asked_at=now, doubted=False), content
        elif plan.mark:
            held = held._replace(change_key=answer.change_key, asked_at=now, doubted=True)
        heard = held.change_key == f"v{version}"
        assert not heard or held.doubted or row_content == content


@settings(max_examples=400)
@given(history=histories)
@example(history=[Play.press_read, Play.outlook_turns, Play.ask, Play.send, Play.hear_oldest])
def test_a_press_while_another_is_on_its_way_is_what_both_sides_show(history: list[Callable[[Play], None]]) -> None:
    play = Play()
    for act in history:
        act(play)
    wanted = not play.shown
    play._press(wanted)
    play.rest()
    assert (play.shown, play.theirs) == (wanted, wanted)


@given(seconds=st.integers(-30, 30), is_read=st.booleans())
def test_an_accepted_mark_is_undone_by_later_questions_alone(seconds: int, is_read: bool) -> None:
    change = Change(
        wanted=True, was=False, number=1, sent=1, pressed_at=START - timedelta(minutes=1), accepted_at=START
    )
    left, shown = told(change=change, is_read=is_read, asked_at=START + timedelta(seconds=seconds), now=START)
    assert (left, shown) == ((None, is_read) if seconds > 0 else (change, True))


@given(minutes=st.integers(2, 600), is_read=st.booleans())
def test_a_mark_that_a_fast_clock_accepted_is_undone_once_the_clock_is_right(minutes: int, is_read: bool) -> None:
    ahead = START + timedelta(minutes=minutes)
    change = Change(wanted=True, was=False, number=1, sent=1, pressed_at=ahead, accepted_at=ahead)
    assert told(change=change, is_read=is_read, asked_at=START, now=START) == (None, is_read)
