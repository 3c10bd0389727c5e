"""Read state both ways: the later action is shown, and there is rest (SYN 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from workestra.rules.readstate import LONGEST_PAUSE, Change, accept, pause, press, refuse, told

START = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass
class Request:
    """A PATCH that has left: it takes effect when it lands, and is heard of when it is answered."""

    number: int
    value: bool
    landed: bool = False


@dataclass
class Play:
    """A message here and in Outlook, one worker, and answers that may come late. Time goes on with each act."""

    theirs: bool = False
    shown: bool = False
    asked_at: datetime = START
    change: Change | None = None
    now: datetime = START
    patches: int = 0
    presses: int = 0
    flight: Request | None = None
    answers: list[tuple[bool, datetime]] = field(default_factory=list)
    last: tuple[str, bool] = ("outlook", False)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def press_read(self) -> None:
        self._press(True)

    def press_unread(self) -> None:
        self._press(False)

    def _press(self, wanted: bool) -> None:
        self.presses += 1
        self.change = press(shown=self.shown, change=self.change, wanted=wanted, now=self.tick())
        self.shown = wanted
        self.last = ("press", wanted)

    def outlook_turns(self) -> None:
        self.tick()
        self.theirs = not self.theirs
        self.last = ("outlook", self.theirs)

    def ask(self) -> None:
        """A page is read: its answer is what Outlook has now."""
        self.answers.append((self.theirs, self.tick()))

    def hear_oldest(self) -> None:
        self._hear(0)

    def hear_newest(self) -> None:
        self._hear(-1)

    def _hear(self, which: int) -> None:
        if not self.answers:
            return
        is_read, asked_at = self.answers.pop(which)
        if asked_at <= self.asked_at:
            return  # a later question has been answered
        self.asked_at = asked_at
        if self.change is None:
            self.shown = is_read
        else:
            self.change, self.shown = told(change=self.change, is_read=is_read, asked_at=asked_at, now=self.now)

    def send(self) -> None:
        if self.change is not None and self.change.open and self.flight is None:
            self.change = Change(**{**_fields(self.change), "sent": self.change.number})
            self.flight = Request(self.change.number, self.change.wanted)
            self.patches += 1

    def land(self) -> None:
        if self.flight is not None and not self.flight.landed:
            self.tick()
            self.theirs, self.flight.landed = self.flight.value, True

    def answered(self) -> None:
        self.land()
        if self.flight is None:
            return
        at = self.tick()
        if self.change is not None:
            self.change = accept(change=self.change, number=self.flight.number, value=self.flight.value, now=at)
        self.flight = None

    def lost(self) -> None:
        """The worker dies, or the line: the request may have landed, and nobody heard."""
        self.flight = None

    def rest(self) -> int:
        """Whatever is left runs to its end, twice; returns the requests of the second time."""
        for _ in range(2):
            before = self.patches
            self.answered()
            while self.change is not None and self.change.open:
                self.send()
                self.answered()
            self.ask()
            while self.answers:
                self._hear(0)
        return self.patches - before


def _fields(change: Change) -> dict[str, object]:
    return {name: getattr(change, name) for name in Change.__slots__}


acts = st.sampled_from(
    [
        *(Play.press_read, Play.press_unread, Play.outlook_turns, Play.ask, Play.hear_oldest, Play.hear_newest),
        *(Play.send, Play.send, Play.land, Play.answered, Play.lost),
    ]
)
histories: st.SearchStrategy[list[Callable[[Play], None]]] = st.lists(acts, max_size=25)


@settings(max_examples=500)
@given(history=histories)
def test_after_any_history_both_sides_agree_and_rest(history: list[Callable[[Play], None]]) -> None:
    play = Play()
    for act in history:
        act(play)
    assert play.rest() == 0
    assert play.shown == play.theirs
    assert play.change is None or not play.change.open


@settings(max_examples=500)
@given(history=histories)
def test_a_press_that_comes_last_is_what_both_sides_show(history: list[Callable[[Play], None]]) -> None:
    play = Play()
    for act in history:
        act(play)
    play.answered()
    wanted = not play.shown
    play._press(wanted)
    play.rest()
    assert (play.shown, play.theirs) == (wanted, wanted)


@settings(max_examples=500)
@given(history=histories)
def test_outlook_has_the_last_word_once_everything_was_accepted(history: list[Callable[[Play], None]]) -> None:
    play = Play()
    for act in history:
        act(play)
    play.rest()
    play.outlook_turns()
    wanted = play.theirs
    before = play.patches
    play.rest()
    assert (play.shown, play.theirs, play.patches) == (wanted, wanted, before)


@given(history=histories)
def test_without_losses_there_is_at_most_one_request_a_press(history: list[Callable[[Play], None]]) -> None:
    play = Play()
    for act in history:
        if act is not Play.lost:
            act(play)
    play.rest()
    assert play.patches <= play.presses


@given(history=histories)
def test_what_a_person_pressed_is_shown_until_outlook_has_it(history: list[Callable[[Play], None]]) -> None:
    play = Play()
    for act in history:
        act(play)
        if play.change is not None and play.change.open:
            assert play.shown == play.change.wanted


@given(shown=st.booleans(), wanted=st.booleans())
def test_what_is_so_already_is_not_asked_for(shown: bool, wanted: bool) -> None:
    change = press(shown=shown, change=None, wanted=wanted, now=START)
    assert (change is None) == (shown == wanted)


def test_a_refused_change_shows_what_outlook_has() -> None:
    change = Change(wanted=True, was=False, number=2, sent=2, pressed_at=START)
    after, shown = refuse(change=change, number=2)
    assert (after.refused, after.open, shown) == (True, False, False)


def test_a_refusal_of_an_earlier_press_leaves_the_later_one_to_be_tried() -> None:
    change = Change(wanted=True, was=True, number=3, sent=2, pressed_at=START)
    after, shown = refuse(change=change, number=2)
    assert (after.open, shown) == (True, True)


def test_pauses_grow_and_end() -> None:
    pauses = [pause(attempts=n) for n in range(1, 60)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=2)
    assert pauses[-1] == LONGEST_PAUSE
