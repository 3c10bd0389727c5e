"""The people of the sandbox (SBX 3)."""

from __future__ import annotations

from m365sandbox import seed
from m365sandbox.people import PERSONAL_TENANT


def test_same_seed_gives_the_same_people_and_another_seed_shares_no_id() -> None:
    first, again, other = seed.company(1), seed.company(1), seed.company(2)
    assert set(first.people) == set(again.people)
    assert not set(first.people) & set(other.people)
    assert set(first.tenants) & set(other.tenants) == {PERSONAL_TENANT}


def test_company_has_everybody_that_connecting_must_cope_with() -> None:
    people = list(seed.company(7).people.values())
    assert {one.mailbox for one in people} == {"online", "none", "onprem"}
    assert any(one.personal for one in people)
    assert any(one.mfa for one in people)
    assert any(one.blocked == "53003" for one in people)
    assert any(one.tenant.consent == "admin" and not one.admin for one in people)
    assert any(one.tenant.consent == "admin" and one.admin for one in people)


def test_cleo_belongs_to_another_company_than_ana() -> None:
    directory = seed.company(7)
    ana = directory.person(address="ana@larkfield.example")
    cleo = directory.person(address="cleo@quillmark.example")
    assert ana is not None
    assert cleo is not None
    assert ana.tenant.id != cleo.tenant.id


def test_three_shared_mailboxes_give_different_people_different_rights() -> None:
    boxes = list(seed.company(7).shared.values())
    assert len(boxes) == 3
    assert len({frozenset(box.full_access) for box in boxes}) == 3
    assert any(box.send_as != box.send_on_behalf for box in boxes)


def test_all_addresses_are_reserved_for_examples() -> None:
    directory = seed.company(7)
    addresses = [one.address for one in (*directory.people.values(), *directory.shared.values(), *seed.outsiders())]
    assert all(address.endswith(".example") for address in addresses)
    assert len(set(addresses)) == len(addresses)
