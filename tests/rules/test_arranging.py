"""What people split and merge sticks, whatever arrives and in whatever order (SYN 12)."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from workestra.rules.arranging import Mail, mail, place

HOME = 1
NAMES = [bytes([n]) for n in range(9)]
TALKS = [b"x", b"y"]
names = st.sampled_from(NAMES)


@st.composite
def families(draw: st.DrawFn) -> list[Mail]:
    """Mails of one family, some of them twice, that answer each other, themselves in circles, and unknown ones."""
    chosen = draw(st.lists(names, min_size=1, max_size=10))
    return [
        Mail(
            name,
            tuple(one for one in draw(st.lists(names, max_size=3, unique=True)) if one != name),
            frozenset(draw(st.lists(st.sampled_from(TALKS), max_size=2))),
        )
        for name in chosen
    ]


pinned = st.dictionaries(names, st.integers(1, 4), max_size=6)


@given(mails=families(), pins=pinned)
def test_every_mail_has_a_place_and_pins_are_kept(mails: list[Mail], pins: dict[bytes, int]) -> None:
    found = place(mails=mails, pins=pins, home=HOME)
    assert found.keys() == {one.name for one in mails}
    assert all(found[name] == thread for name, thread in pins.items() if name in found)
    assert set(found.values()) <= {HOME, *pins.values()}


@given(mails=families())
def test_a_family_that_nobody_touched_is_one_thread(mails: list[Mail]) -> None:
    assert set(place(mails=mails, pins={}, home=HOME).values()) == {HOME}


@given(mails=families(), pins=pinned, seed=st.integers())
def test_order_and_repetition_of_arrival_do_not_matter(mails: list[Mail], pins: dict[bytes, int], seed: int) -> None:
    other = [*mails, *mails[: len(mails) // 2]]
    random.Random(seed).shuffle(other)
    assert place(mails=other, pins=pins, home=HOME) == place(mails=mails, pins=pins, home=HOME)


class Desk:
    """One family as the store works it: what arrives is placed anew with all there is; people pin all there is."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.pins: dict[bytes, int] = {}
        self.threads = HOME

    def arrives(self, one: Mail) -> None:
        self.mails.append(one)

    def shown(self) -> dict[bytes, int]:
        return place(mails=self.mails, pins=self.pins, home=HOME)

    def split(self, some: set[bytes]) -> int:
        now = self.shown()
        self.threads += 1
        self.pins |= now | dict.fromkeys(some & now.keys(), self.threads)
        return self.threads

    def merge(self, thread: int, into: int) -> None:
        self.pins |= {name: into if at == thread else at for name, at in self.shown().items()}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("arrives"), families()),
        st.tuples(st.just("split"), st.sets(names, min_size=1, max_size=4)),
        st.tuples(st.just("merge"), st.tuples(st.integers(1, 4), st.integers(1, 4))),
    ),
    max_size=8,
)


@settings(max_examples=300)
@given(history=steps, later=families(), seed=st.integers())
def test_what_people_did_stays_whatever_arrives_afterwards_in_any_order(
    history: list[tuple[str, object]], later: list[Mail], seed: int
) -> None:
    desk = Desk()
    for _verb, what in history:
        match what:
            case list():
                for one in what:
                    desk.arrives(one)
            case set():
                desk.split(what)
            case (thread, into):
                desk.merge(thread, into)
    decided = {name: thread for name, thread in desk.shown().items() if name in desk.pins}
    everything = [*desk.mails, *later]
    for one in later:
        desk.arrives(one)
        shown = desk.shown()
        assert {name: shown[name] for name in decided} == decided
    random.Random(seed).shuffle(everything)
    fresh = Desk()
    fresh.pins = desk.pins
    for one in everything:
        fresh.arrives(one)
    assert fresh.shown() == desk.shown(), "a full resync brings the same mail in another order"


@given(mails=families(), some=st.sets(names, min_size=1, max_size=4))
def test_a_split_takes_what_was_chosen_and_nothing_else(mails: list[Mail], some: set[bytes]) -> None:
    desk = Desk()
    for one in mails:
        desk.arrives(one)
    before = desk.shown()
    new = desk.split(some)
    after = desk.shown()
    assert {name for name, thread in after.items() if thread == new} == some & before.keys()
    assert {name: after[name] for name in before.keys() - some} == {
        name: before[name] for name in before.keys() - some
    }
    desk.merge(new, HOME)
    assert set(desk.shown().values()) == {HOME}


def test_an_answer_follows_the_nearest_mail_that_it_answers() -> None:
    mails = [Mail(b"a", (), frozenset([b"x"])), Mail(b"b", (b"a",), frozenset([b"x"]))]
    pins = {b"a": HOME, b"b": 2}
    reply = Mail(b"c", (b"b", b"a"), frozenset([b"x"]))
    again = Mail(b"d", (b"c",), frozenset([b"x"]))
    assert place(mails=[*mails, again, reply], pins=pins, home=HOME) == {b"a": HOME, b"b": 2, b"c": 2, b"d": 2}


def test_what_was_answered_before_it_came_joins_its_answers() -> None:
    mails = [Mail(b"b", (b"a",), frozenset()), Mail(b"z", (), frozenset())]
    found = place(mails=[*mails, Mail(b"a", (), frozenset())], pins={b"b": 2, b"z": HOME}, home=HOME)
    assert found[b"a"] == 2


def test_a_copy_without_names_is_the_same_however_often_it_comes() -> None:
    def copy(connection: int) -> Mail:
        return mail(
            mailbox=1,
            connection=connection,
            immutable_id="AAA",
            internet_message_id="",
            conversation_id="",
            references=[],
            in_reply_to=[],
        )

    assert copy(1) == copy(1)
    assert copy(1) != copy(2)


def test_the_nearest_comes_first_and_a_long_chain_keeps_its_root() -> None:
    chain = [f"<{n}@example.com>" for n in range(400)]

    def name(text: str) -> bytes:
        return _named(text).name

    found = _named("<me@example.com>", references=[" ".join(chain)], in_reply_to=[chain[-1]])
    assert found.answers[0] == name(chain[-1])
    assert found.answers[1] == name(chain[-2])
    assert found.answers[-1] == name(chain[0])
    assert len(found.answers) <= 20


def _named(text: str, *, references: list[str] | None = None, in_reply_to: list[str] | None = None) -> Mail:
    return mail(
        mailbox=1,
        connection=1,
        immutable_id="AAA",
        internet_message_id=text,
        conversation_id="",
        references=references or [],
        in_reply_to=in_reply_to or [],
    )


def test_a_chain_of_thousands_is_placed() -> None:
    mails = [Mail(n.to_bytes(4, "big"), ((n - 1).to_bytes(4, "big"),), frozenset()) for n in range(1, 5000)]
    found = place(mails=mails, pins={mails[0].name: 7}, home=HOME)
    assert set(found.values()) == {7}
