"""Two light items of one message on a page are one: delta may tell of a message twice, each time in part."""

from __future__ import annotations

from workestra.mail.intake import Mark, merged


def _mark(**told: object) -> Mark:
    nothing = {"change_key": "", "folder": "", "is_read": None, "flag": None, "categories": None}
    return Mark(immutable_id="m", received_at=None, **{**nothing, **told})  # type: ignore[arg-type]


def test_what_the_later_item_does_not_tell_is_kept_of_the_earlier() -> None:
    one = merged(marks=[_mark(change_key="1", categories=["Blue"], folder="f"), _mark(change_key="2", is_read=False)])
    assert one == [_mark(change_key="2", folder="f", categories=["Blue"], is_read=False)]


def test_what_both_tell_is_as_the_later_says() -> None:
    assert merged(marks=[_mark(is_read=True, categories=["Blue"]), _mark(is_read=False, categories=[])]) == [
        _mark(is_read=False, categories=[])
    ]
