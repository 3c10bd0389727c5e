"""What people split and merge, and how it sticks (SYN 12).

Messages that share keys form a family, whatever anybody does (`rules.threading`). As long as nobody touched it, a
family is one thread. Splitting and merging pin: each mail of the families concerned that is known at that moment to
the thread that it is in from then on. Merging also makes one family of two, so that what comes for either is met.

    pinned                                    -> where it is pinned
    else the nearest mail that it answers     -> wherever that one is (and so on)
    else those pinned that answer it, or that answer what it answers, or of its conversation:
         all in one thread                    -> there
    else                                      -> the family's own thread

This is worked out anew from all that is known whenever something comes to a family that was touched. So the order in
which mail arrives cannot matter, nor can a replay or a full resync; and since pins are only ever changed by people,
nothing that arrives undoes what they did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workestra.rules.threading import MOST_REFERENCES, keys_of, lone_key, message_ids


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, by whichever copies are known of it. `answers`: whom it answers, the nearest first."""

    name: bytes
    answers: tuple[bytes, ...]
    conversations: frozenset[bytes]


def mail(
    *,
    mailbox: int,
    connection: int,
    immutable_id: str,
    internet_message_id: str,
    conversation_id: str,
    references: Iterable[str],
    in_reply_to: Iterable[str],
) -> Mail:
    """The Mail of one stored copy. `references`, `in_reply_to`: values of these headers."""
    named = keys_of(mailbox=0, internet_message_id=internet_message_id, conversation_id="", references=[])
    name = named[0] if named else lone_key(connection=connection, immutable_id=immutable_id)
    kin = [one for value in in_reply_to for one in message_ids(value)]
    kin += reversed([one for value in references for one in message_ids(value)])
    if len(kin) > MOST_REFERENCES:
        kin = kin[: MOST_REFERENCES - 1] + kin[-1:]
    answers = dict.fromkeys(
        keys_of(mailbox=0, internet_message_id=one, conversation_id="", references=[])[0] for one in kin
    )
    answers.pop(name, None)
    talk = keys_of(mailbox=mailbox, internet_message_id="", conversation_id=conversation_id, references=[])
    return Mail(name=name, answers=tuple(answers), conversations=frozenset(talk))


def place(*, mails: Iterable[Mail], pins: Mapping[bytes, int], home: int) -> dict[bytes, int]:
    """The thread of each mail of one family, by its name. `home`: the family's own thread."""
    known = _known(mails)
    answered, talks = _pinned(known, pins)
    found = {name: pins[name] for name in known if name in pins}
    for start in sorted(known):
        path = {start: None}
        while (here := next(reversed(path))) not in found:
            nearest = next((one for one in known[here].answers if one in known and one not in path), None)
            if nearest is None:
                found[here] = _by_others(known[here], answered, talks, home)
            else:
                path[nearest] = None
        found |= dict.fromkeys(path.keys() - found.keys(), found[here])
    return found


def _known(mails: Iterable[Mail]) -> dict[bytes, Mail]:
    """One Mail a name: copies in several mailboxes tell the same, or one of them tells more."""
    known: dict[bytes, Mail] = {}
    for one in mails:
        other = known.get(one.name, one)
        answers = max(one.answers, other.answers, key=lambda some: (len(some), some))
        known[one.name] = Mail(one.name, answers, one.conversations | other.conversations)
    return known


def _pinned(
    known: Mapping[bytes, Mail], pins: Mapping[bytes, int]
) -> tuple[dict[bytes, set[int]], dict[bytes, set[int]]]:
    """The threads of pinned mails, by what they answer and by their conversations."""
    answered: dict[bytes, set[int]] = {}
    talks: dict[bytes, set[int]] = {}
    for one in known.values():
        if one.name in pins:
            for name in one.answers:
                answered.setdefault(name, set()).add(pins[one.name])
            for talk in one.conversations:
                talks.setdefault(talk, set()).add(pins[one.name])
    return answered, talks


def _by_others(one: Mail, answered: Mapping[bytes, set[int]], talks: Mapping[bytes, set[int]], home: int) -> int:
    told = [answered.get(name, set()) for name in (one.name, *one.answers)]
    told.append({thread for talk in one.conversations for thread in talks.get(talk, ())})
    return next((min(threads) for threads in told if len(threads) == 1), home)
