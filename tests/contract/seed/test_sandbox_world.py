"""A world as the command and the tests make it (SBX 3)."""

from __future__ import annotations

import pytest

from m365sandbox.app import create_world, fill, make_folder

ANA, BEN = "ana@larkfield.example", "ben@larkfield.example"


def sizes(messages: int, **people: int) -> dict[str, int]:
    world = create_world(3, messages=messages, people={f"{name}@larkfield.example": n for name, n in people.items()})
    owners = {**world.directory.people, **world.directory.shared}
    return {owners[key].address: len(box) for key, box in world.mailboxes.items()}


def test_the_big_mailbox_is_anas_and_the_others_stay_small() -> None:
    found = sizes(6000)
    assert (found[ANA], found[BEN]) == (6000, 5000)
    assert {count for address, count in found.items() if address not in (ANA, BEN)} == {500}


def test_people_without_an_online_mailbox_get_none() -> None:
    found = sizes(0)
    assert "ivo@larkfield.example" not in found
    assert "lena@larkfield.example" not in found
    assert "support@larkfield.example" in found


def test_sizes_can_be_given_by_address() -> None:
    found = sizes(0, mira=40, support=15)
    assert (found["mira@larkfield.example"], found["support@larkfield.example"], found[ANA]) == (40, 15, 0)


def test_address_without_mailbox_is_refused() -> None:
    with pytest.raises(LookupError, match="ivo@"):
        create_world(3, people={"ivo@larkfield.example": 5})


def test_filled_mailbox_holds_letters_in_nested_folders_and_contacts_once() -> None:
    world = create_world(3, people={ANA: 800})
    box = world.mailbox_of(ANA)
    assert box is not None
    assert len(box.folder("Customers/Brightwater").index) > 0
    known = len(box.contacts)
    assert known > 20
    fill(world, ANA, 10)
    assert (len(box), len(box.contacts)) == (810, known)


def test_making_a_folder_twice_leaves_one() -> None:
    world = create_world(3, small=True)
    box = world.mailbox_of(ANA)
    assert box is not None
    before = len(box.folders)
    make_folder(box, "A/B/C")
    make_folder(box, "A/B/C")
    assert len(box.folders) == before + 3
