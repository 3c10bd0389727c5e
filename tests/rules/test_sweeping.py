"""When a person is asked before what Outlook lost leaves here, too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workestra.rules.sweeping import LEAST, MOST, asks


@pytest.mark.parametrize(
    ("gone", "held", "agreed", "asked"),
    [
        (0, 0, 0, False),
        (49, 49, 0, False),
        (50, 50, 0, True),
        (50, 100, 0, False),
        (51, 100, 0, True),
        (10_000, 1_000_000, 0, False),
        (10_001, 1_000_000, 0, True),
        (120, 150, 120, False),
        (150, 150, 120, False),
        (170, 200, 120, True),
    ],
)
def test_most_of_a_folder_is_asked_about_and_what_was_agreed_to_is_not(
    gone: int, held: int, agreed: int, asked: bool
) -> None:
    assert asks(gone=gone, held=held, agreed=agreed) is asked


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_nothing_small_is_asked_about_and_nothing_huge_is_not(gone: int, held: int, agreed: int) -> None:
    asked = asks(gone=gone, held=held, agreed=agreed)
    if gone - agreed < LEAST:
        assert not asked
    if gone - agreed > MOST:
        assert asked
    assert not asks(gone=gone, held=held, agreed=gone)
