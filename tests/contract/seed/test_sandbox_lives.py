"""A sandbox that is started again with the same seed: nothing of its former life is taken for something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from m365sandbox.app import create_world
from m365sandbox.delta import SyncStateLost
from m365sandbox.graph.message_view import View, show
from m365sandbox.mailbox import Item, Mailbox
from m365sandbox.world import World

ANA = "ana@larkfield.example"


def live(life: int) -> tuple[World, Mailbox]:
    world = create_world(7, messages=20, small=True, life=life)
    box = world.mailbox_of(ANA)
    assert box is not None
    return world, box


def some(box: Mailbox) -> Item:
    return next(iter(box.truth()))


def test_what_the_seed_gives_has_the_same_ids_in_every_life() -> None:
    first, second = (live(life)[1] for life in (1_800_000_000, 1_800_000_001))
    assert not {one.change for one in first.truth()} & {one.change for one in second.truth()}, "their dates differ"
    assert [first.immutable_id(one) for one in first.truth()] == [second.immutable_id(one) for one in second.truth()]


def test_what_comes_or_changes_later_is_named_apart() -> None:
    ids, changes = set(), set()
    for life in (1_800_000_000, 1_800_000_001):
        _, box = live(life)
        new = box.deliver(replace(some(box).letter, subject=f"Of life {life}", references=("<a@b.example>",)))
        assert show(View(box), new, None)["subject"] == f"Of life {life}"
        changed = some(box)
        box.mark_read(changed, not changed.is_read)
        ids.add(box.immutable_id(new))
        changes |= {new.change, changed.change}
    assert (len(ids), len(changes)) == (2, 4)


def test_a_delta_token_of_a_former_life_is_lost() -> None:
    (first, box), (second, _) = live(1_800_000_000), live(1_800_000_001)
    where = {"kind": "messages", "owner": box.owner_id, "folder": box.folder("inbox").number}
    token = first.cursors.issue(first.cursors.start(**where, since=0, options=[]))
    assert first.cursors.read(token, **where).owner == box.owner_id
    with pytest.raises(SyncStateLost):
        second.cursors.read(token, **where)
