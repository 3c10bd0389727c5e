"""Letters that stand alone: newsletters, notices, invitations, bounces, junk and the odd ones."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..letters import Address, Letter
from . import outsiders
from .bulk import Bulk

# fmt: off
_WEIGHTS = {"newsletter": 52, "notice": 30, "junk": 9, "invitation": 4, "bounce": 2, "odd": 3}
_SUBJECTS: dict[str, tuple[str, ...]] = {
    "newsletter": ("This week at the bench", "Neues aus der Messtechnik", "La lettre du mois 📬", "The digest"),
    "notice": ("Parcel {number} is on its way", "Statement {number}", "A task was assigned to you"),
    "invitation": ("Invitation: Order review {number}", "Einladung: Jour fixe"),
    "bounce": ("Undeliverable: Quote",),
    "junk": ("YOU WON!!!", "Rank #1 on every search engine", "您的邮箱即将停用"),
    "odd": ("", "Re:", "RE: FW: AW: Re[2]: ", "=?utf-8?Q?not_decoded?=", "\u202egnp.exe", "x" * 255, "tab\there"),
}
# fmt: on
_KINDS = tuple(kind for kind, weight in _WEIGHTS.items() for _ in range(weight))


@dataclass(frozen=True, slots=True)
class Single:
    """One letter and what kind it is."""

    kind: str
    letter: Letter


def letter(rng: random.Random, *, owner: Address, received_at: datetime, mean_html: int) -> Single:
    """A letter of a random kind to the owner."""
    kind = _KINDS[rng.randrange(len(_KINDS))]
    number = rng.getrandbits(40)
    share = 1.2 if kind == "newsletter" else 0.3
    voice = Bulk(kind, number, int(mean_html * share * rng.lognormvariate(-0.2, 0.6)))
    sender = _sender(rng, kind, owner)
    made = Letter(
        subject=_subject(kind, number),
        sender=sender,
        to=(owner,),
        received_at=received_at,
        sent_at=received_at - timedelta(seconds=number % 40),
        internet_message_id=f"<{number:010x}.{rng.getrandbits(64):016x}@{sender.address.partition('@')[2]}>",
        body=voice.body,
        preview=voice.preview,
        conversation=f"single:{number:x}",
        headers=_headers(kind, number),
        odata_type="#microsoft.graph.eventMessageRequest" if kind == "invitation" else "#microsoft.graph.message",
    )
    return Single(kind, _twisted(made, number) if kind == "odd" else made)


def _sender(rng: random.Random, kind: str, owner: Address) -> Address:
    if kind == "junk":
        return Address(*rng.choice(outsiders.JUNK))
    if kind == "bounce":
        return Address("Microsoft Outlook", f"postmaster@{owner.address.partition('@')[2]}")
    if kind in ("invitation", "odd"):
        return rng.choice(outsiders.outsiders()).as_address
    return Address(*rng.choice(outsiders.BULK))


def _subject(kind: str, number: int) -> str:
    if kind == "notice" and number % 4 == 0:
        return "Your one-time code"
    choices = _SUBJECTS[kind]
    return choices[number % len(choices)].format(number=number % 100_000)


def _headers(kind: str, number: int) -> tuple[tuple[str, str], ...]:
    if kind == "newsletter":
        return (
            ("List-Unsubscribe", f"<https://news.example/unsubscribe?u={number:x}>"),
            ("List-Id", f"<weekly-{number % 8}.news.example>"),
            ("Precedence", "bulk"),
        )
    if kind in ("notice", "bounce"):
        return (("Auto-Submitted", "auto-generated" if kind == "notice" else "auto-replied"),)
    return ()


def _twisted(made: Letter, number: int) -> Letter:
    """Real mail without a sender, without recipients, or with far too many of them."""
    choice = number % 5
    if choice == 0:
        return replace(made, sender=None)
    if choice == 1:
        return replace(made, to=())
    if choice == 2:
        crowd = tuple(Address(f"Member {n}", f"member{n}@list.example") for n in range(180))
        return replace(made, to=crowd)
    if choice == 3:
        return replace(made, reply_to=(Address("", "answers@elsewhere.example"),), to=(Address("Undisclosed", ""),))
    return made
