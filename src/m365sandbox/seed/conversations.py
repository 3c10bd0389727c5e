"""Plans one conversation: who writes to whom, when, in which program, with which attachments."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..letters import Address, Enclosure, Letter
from . import enclosures, words
from .bodies import Conversation, Turn, Voice
from .outsiders import Outsider


@dataclass(slots=True)
class Plan:
    """The letters of one conversation in order; `draft` is the last one where it was never sent."""

    outsider: Outsider | None
    letters: list[Letter] = field(default_factory=list)
    draft: Letter | None = None


def plan(
    rng: random.Random,
    *,
    inside: tuple[Address, ...],
    outsider: Outsider | None,
    started_at: datetime,
    now: datetime,
    mean_html: int,
    shared: Address | None = None,
    with_draft: bool = False,
) -> Plan:
    """One to eight letters between `inside` and an outsider, none later than `now`.

    `shared`: the answers come from this shared mailbox, written by somebody inside on its behalf.
    """
    language = words.language(outsider.language if outsider else "en", job=bool(outsider and not outsider.company))
    subject = _subject(rng, language)
    made = Plan(outsider)
    talk = Conversation(language, subject, int(mean_html * _spread(rng)))
    moment, root = started_at, f"{rng.getrandbits(96):024x}"
    ids: list[str] = []
    length = min(8, 1 + int(rng.expovariate(0.55)))
    ours = outsider is None or rng.random() < 0.35
    for index in range(length):
        drafting = with_draft and index == length - 1 and ours
        author, to, cc = _parties(rng, index, ours=ours, inside=inside, outsider=outsider, shared=shared)
        letter = _letter(
            rng,
            talk=talk,
            author=author,
            to=to,
            cc=cc,
            moment=moment,
            ids=ids,
            root=root,
            sender=inside[0] if shared and author == shared else None,
        )
        ids.append(letter.internet_message_id)
        made.letters.append(letter)
        if drafting:
            made.draft = letter
        ours = not ours if outsider else True
        moment += timedelta(seconds=int(rng.expovariate(1 / 70_000)) + 180)
        if moment >= now:
            break
    return made


def _parties(
    rng: random.Random,
    index: int,
    *,
    ours: bool,
    inside: tuple[Address, ...],
    outsider: Outsider | None,
    shared: Address | None,
) -> tuple[Address, tuple[Address, ...], tuple[Address, ...]]:
    mailbox = (shared,) if shared else inside
    if outsider is None:
        author = inside[index % len(inside)]
        others = tuple(one for one in inside if one != author)
        return author, others[:2], others[2:]
    guest = outsider.as_address
    if ours:
        author = mailbox[index % len(mailbox)]
        return author, (guest,), tuple(one for one in mailbox if one != author)
    extra: tuple[Address, ...] = ()
    if rng.random() < 0.15:
        extra = (Address("", f"team@{guest.address.partition('@')[2]}"),)
    return guest, mailbox[:1], (*mailbox[1:], *extra)


def _letter(
    rng: random.Random,
    *,
    talk: Conversation,
    author: Address,
    to: tuple[Address, ...],
    cc: tuple[Address, ...],
    moment: datetime,
    ids: list[str],
    root: str,
    sender: Address | None,
) -> Letter:
    index = len(talk.turns)
    number = rng.getrandbits(40)
    style = ("outlook", "outlook", "outlook", "web", "text")[number % 5]
    enclosed = _enclosed(rng, style=style, number=number)
    picture = next((one.content_id or "" for one in enclosed if one.is_inline), "")
    talk.turns.append(Turn(author, to, moment, number, style, picture))
    voice = Voice(talk, index)
    return Letter(
        subject=talk.subject if index == 0 else talk.language.reply + talk.subject,
        sender=sender or author,
        from_=author if sender else None,
        to=to,
        cc=cc,
        received_at=moment + timedelta(seconds=2),
        sent_at=moment,
        internet_message_id=f"<{number:010x}.{root}@{author.address.partition('@')[2]}>",
        body=voice.body,
        preview=voice.preview,
        importance="high" if number % 37 == 0 else "normal",
        conversation=root,
        enclosures=enclosed,
        in_reply_to=ids[-1] if ids else None,
        references=tuple(ids),
    )


def _enclosed(rng: random.Random, *, style: str, number: int) -> tuple[Enclosure, ...]:
    dice = rng.random()
    found: list[Enclosure] = []
    if dice < 0.12 and style == "outlook":
        found.append(enclosures.picture(number, content_id=f"image{number % 9 + 1:03}.png@{number:010X}"))
    if 0.08 < dice < 0.26:
        found.extend(enclosures.attachment(number + extra) for extra in range(1 + number % 3))
    elif 0.26 < dice < 0.27:
        found.append(enclosures.forwarded(number))
    elif 0.27 < dice < 0.275:
        found.append(enclosures.shared_file(number))
    return tuple(found)


def _subject(rng: random.Random, language: words.Language) -> str:
    return rng.choice(language.subjects).format(
        product=rng.choice(words.PRODUCTS),
        number=rng.randint(2, 99_999),
        date=f"{rng.randint(1, 28)}.{rng.randint(1, 12)}.",
        place=rng.choice(words.PLACES),
    )


def _spread(rng: random.Random) -> float:
    """A factor around one with a long tail, as sizes of real mail have."""
    return rng.lognormvariate(-0.32, 0.8)
