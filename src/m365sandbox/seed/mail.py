"""Fourteen months of mail for one mailbox: how much, from whom, when, and where it came to lie (SBX 3).

Deterministic: the same person, seed, count and now give the same letters. Every fifth conversation belongs to the
whole company, so that colleagues hold copies of the same letters (same internetMessageId).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ..letters import Address, Letter
from ..people import Directory
from . import conversations, singles
from .outsiders import Outsider, outsiders

SPAN = timedelta(days=425)
MEAN_HTML = 9_000


class Placement(NamedTuple):
    """Where a letter lies: a well-known folder name or a path, and what the person did with it."""

    folder: str
    is_read: bool
    categories: tuple[str, ...]
    flag: str  # notFlagged | flagged | complete


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose mailbox it is. `writers` answer from it: the person, or those with rights on a shared mailbox."""

    address: Address
    domain: str
    shared: bool
    writers: tuple[Address, ...]
    colleagues: tuple[Address, ...]


def letters(
    person_address: str,
    directory: Directory,
    count: int,
    seed: int,
    now: datetime,
    *,
    mean_html: int = MEAN_HTML,
) -> Iterator[tuple[Letter, Placement]]:
    """`count` letters with their places, oldest first. `mean_html`: mean size of HTML bodies in bytes.

    Raises LookupError when nobody has the address.
    """
    owner = _owner(person_address, directory)
    now = now.replace(microsecond=0)
    found: list[tuple[Letter, Placement]] = []
    rng = random.Random(_number(seed, owner.address.address))
    outside = outsiders()
    company = _company_threads(owner, outside, seed=seed, now=now, mean_html=mean_html)
    while len(found) < count:
        dice = rng.random()
        if dice < 0.13 and owner.colleagues and not owner.shared:
            plan = next(company)
        elif dice < 0.55:
            plan = _own_plan(rng, owner, outside, now=now, mean_html=mean_html)
        else:
            letter = singles.letter(rng, owner=owner.address, received_at=_moment(rng, now), mean_html=mean_html)
            found.append((letter.letter, _place_single(rng, letter.kind, letter.letter, now)))
            continue
        found.extend(_placed(rng, owner, plan, now))
    yield from sorted(found[:count], key=lambda pair: pair[0].received_at)


def _owner(wanted: str, directory: Directory) -> Owner:
    person = directory.person(address=wanted)
    if person is not None:
        own = Address(person.name, person.address)
        colleagues = tuple(
            Address(one.name, one.address)
            for one in directory.people.values()
            if one.tenant is person.tenant and one is not person and not person.personal
        )
        return Owner(own, person.tenant.domain, False, (own,), colleagues)
    for box in directory.shared.values():
        if wanted.casefold() in (box.address.casefold(), *(one.casefold() for one in box.aliases)):
            writers = tuple(
                Address(one.name, one.address)
                for one in directory.people.values()
                if one.id in box.full_access | box.send_as | box.send_on_behalf
            )
            own = Address(box.name, box.address)
            return Owner(own, box.tenant.domain, True, writers or (own,), writers)
    raise LookupError(wanted)


def _company_threads(
    owner: Owner, outside: tuple[Outsider, ...], *, seed: int, now: datetime, mean_html: int
) -> Iterator[conversations.Plan]:
    team = sorted((owner.address, *owner.colleagues), key=lambda one: one.address)
    for number in range(10**9):
        rng = random.Random(_number(seed, f"{owner.domain}:{number}"))
        inside = tuple(one for place, one in enumerate(team) if rng.random() < (0.7 if place < 2 else 0.3))
        if len(inside) < 2:
            inside = tuple(team[:2])
        guest = rng.choice(outside) if rng.random() < 0.6 else None
        plan = conversations.plan(
            rng, inside=inside, outsider=guest, started_at=_moment(rng, now), now=now, mean_html=mean_html
        )
        if owner.address in inside:
            yield plan


def _own_plan(
    rng: random.Random, owner: Owner, outside: tuple[Outsider, ...], *, now: datetime, mean_html: int
) -> conversations.Plan:
    outsider = rng.choice(outside)
    writer = rng.choice(owner.writers)
    return conversations.plan(
        rng,
        inside=(writer,),
        outsider=outsider,
        started_at=_moment(rng, now),
        now=now,
        mean_html=mean_html,
        shared=owner.address if owner.shared else None,
        with_draft=rng.random() < 0.02,
    )


def _placed(
    rng: random.Random, owner: Owner, plan: conversations.Plan, now: datetime
) -> Iterator[tuple[Letter, Placement]]:
    home = ""
    if plan.outsider and plan.outsider.kind == "candidate":
        home = "Recruiting"
    elif plan.outsider and plan.outsider.company == "Brightwater Foods":
        home = "Customers/Brightwater"
    filed = home if rng.random() < 0.6 else ""
    dropped = rng.random() < 0.05
    for letter in plan.letters:
        age = now - letter.received_at
        if plan.draft is letter:
            yield letter, Placement("drafts", True, (), "notFlagged")
        elif _is_own(letter, owner):
            yield letter, Placement("sentitems", True, (), "notFlagged")
        else:
            old = age > timedelta(days=90)
            folder = filed or ("archive" if old and rng.random() < 0.45 else "inbox")
            if dropped:
                folder = "deleteditems"
            read = rng.random() < (0.97 if age > timedelta(days=14) else 0.65)
            yield letter, Placement(folder, read, _categories(rng, plan), _flag(rng))


def _is_own(letter: Letter, owner: Owner) -> bool:
    author = letter.from_ or letter.sender
    return author is not None and author.address == owner.address.address


def _place_single(rng: random.Random, kind: str, letter: Letter, now: datetime) -> Placement:
    if kind == "junk":
        return Placement("junkemail", False, (), "notFlagged")
    old = now - letter.received_at > timedelta(days=60)
    dice = rng.random()
    folder = "deleteditems" if dice < 0.12 else "archive" if old and dice < 0.45 else "inbox"
    if kind == "newsletter" and dice > 0.8:
        folder = "Newsletters"
    return Placement(folder, rng.random() < (0.9 if old else 0.5), (), "notFlagged")


def _categories(rng: random.Random, plan: conversations.Plan) -> tuple[str, ...]:
    dice = rng.random()
    if plan.outsider and plan.outsider.kind == "candidate" and dice < 0.3:
        return ("Recruiting",)
    if dice < 0.05:
        return ("Red category", "Customers/VIP") if dice < 0.01 else ("Follow up",)
    return ()


def _flag(rng: random.Random) -> str:
    dice = rng.random()
    return "flagged" if dice < 0.03 else "complete" if dice < 0.05 else "notFlagged"


def _moment(rng: random.Random, now: datetime) -> datetime:
    day: datetime = (now - SPAN * (rng.random() ** 1.25)).replace(microsecond=0)
    moment: datetime = day.replace(hour=rng.randint(6, 18), minute=rng.randint(0, 59), second=rng.randint(0, 59))
    return moment if moment < now else day


def _number(seed: int, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{what}".encode()).digest()[:8], "big")
