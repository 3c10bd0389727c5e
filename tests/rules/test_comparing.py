"""Comparing a folder with Outlook's names every difference, and only differences (BKF 8)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workestra.rules.comparing import State, compare

STATES = st.builds(
    State,
    version=st.sampled_from(["", "a", "b"]),
    is_read=st.booleans(),
    flag=st.sampled_from(["notFlagged", "flagged"]),
    categories=st.lists(st.sampled_from("xy"), max_size=2).map(tuple),
    body=st.sampled_from([b"1", b"2"]),
    settled=st.just(True),
)
SIDES = st.dictionaries(st.text(max_size=2), STATES, max_size=8)


@given(outlook=SIDES, held=SIDES)
def test_what_is_mended_by_the_difference_is_outlooks(outlook: dict[str, State], held: dict[str, State]) -> None:
    apart = compare(outlook=outlook, held=held)
    mended = {one: state for one, state in held.items() if one not in apart.surplus}
    mended |= {one: outlook[one] for one in (*apart.missing, *apart.different)}
    assert mended.keys() == outlook.keys()
    for one, state in mended.items():
        theirs = outlook[one]
        assert (state.is_read, state.flag, state.body) == (theirs.is_read, theirs.flag, theirs.body)
        assert sorted(state.categories or ()) == sorted(theirs.categories or ())
    assert not set(apart.missing) & held.keys()
    assert not set(apart.surplus) & outlook.keys()


@given(side=SIDES)
def test_equal_sides_have_no_difference(side: dict[str, State]) -> None:
    apart = compare(outlook=side, held=dict(side))
    assert (apart.missing, apart.surplus, apart.different, apart.silent) == ([], [], [], [])


@given(outlook=SIDES, held=SIDES)
def test_silent_are_those_whose_version_says_nothing(outlook: dict[str, State], held: dict[str, State]) -> None:
    apart = compare(outlook=outlook, held=held)
    assert set(apart.silent) <= set(apart.different)
    for one in apart.different:
        assert (one in apart.silent) == (outlook[one].version == held[one].version != "")


@given(theirs=STATES, ours=STATES)
def test_what_was_not_told_differs_in_nothing(theirs: State, ours: State) -> None:
    quiet = State(theirs.version, None, None, None)
    assert compare(outlook={"m": quiet}, held={"m": ours}).different == []


@given(ours=STATES)
def test_a_change_of_ours_on_its_way_is_no_difference(ours: State) -> None:
    theirs = ours._replace(is_read=not ours.is_read)
    assert compare(outlook={"m": theirs}, held={"m": ours._replace(settled=False)}).different == []
    assert compare(outlook={"m": theirs}, held={"m": ours._replace(settled=True)}).different == ["m"]
