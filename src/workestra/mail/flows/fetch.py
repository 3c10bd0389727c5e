"""The content of messages that a light page or a notice named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from workestra.graph import mail
from workestra.graph.batch import MOST
from workestra.graph.client import Graph
from workestra.graph.errors import AccessDenied, Gone, GraphError, Refused, Throttled
from workestra.graph.wire import Message
from workestra.kit.hop import hop
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.slots import SLOTS
from workestra.mail.flows.lane import lane
from workestra.mail.intake import Letter, Mark, letter, mark
from workestra.rules import replication

FEW = 3
BROKEN = 500  # Outlook stumbles over this very message
NO_IDS = ("ErrorInvalidIdMalformed", "ErrorInvalidId")  # what is no id of this mailbox is not there


def askable(*, message_id: str) -> bool:
    """Whether a message can be asked for by this id: not every text can stand in an address."""
    try:
        mail.message_path("me", message_id)
    except Refused:
        return False
    return True


@dataclass(slots=True)
class Answers:
    """Messages that could be read, ids of those that could not (gone, not readable yet, or not askable), and what
    Outlook said of those that it has but does not give out: one broken message is not to stop the others.
    """

    messages: list[Message] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    kept_back: dict[str, GraphError] = field(default_factory=dict)

    def add(self, *, one: str, answer: Message | GraphError) -> None:
        """Sort one in. Raises what concerns more than this message."""
        if isinstance(answer, Message):
            self.messages.append(answer)
        elif isinstance(answer, Gone) or (isinstance(answer, Refused) and answer.code in NO_IDS):
            self.gone.append(one)
        elif isinstance(answer, (AccessDenied, Refused)) or answer.status == BROKEN:
            self.kept_back[one] = answer
        else:
            raise answer


async def by_id(*, graph: Graph, ref: Ref, ids: Sequence[str], light: bool) -> Answers:
    """These messages, read by their ids.

    A few are asked for one by one; more go by batches of twenty, of which Outlook runs four at once: a batch
    therefore holds all four slots.
    """
    wanted = [one for one in dict.fromkeys(ids) if askable(message_id=one)]
    found = Answers(gone=list(set(ids) - set(wanted)))
    if len(wanted) <= FEW and not light:
        for one in wanted:
            async with lane(ref=ref):
                try:
                    found.add(one=one, answer=await mail.message(graph, message_id=one, root=ref.root))
                except GraphError as problem:
                    found.add(one=one, answer=problem)
        return found
    for start in range(0, len(wanted), MOST):
        some = wanted[start : start + MOST]
        async with lane(ref=ref, count=SLOTS):
            answers = await mail.messages_by_id(graph, message_ids=some, root=ref.root, light=light)
            for answer in answers.values():
                if isinstance(answer, Throttled):
                    raise answer
        for one, answer in answers.items():
            found.add(one=one, answer=answer)
    return found


async def listed(*, graph: Graph, ref: Ref, folder: str, received: Mapping[str, datetime | None]) -> list[Message]:
    """Those of these messages (immutable id -> when received) that the folder's list gives although a request by
    id does not: mail that came, or was moved, a moment ago.
    """
    times = sorted({at for at in received.values() if at is not None}, reverse=True)
    found: dict[str, Message] = {}
    stumbles = 0
    for at in times:
        if received.keys() <= found.keys() or stumbles == FEW:
            break
        until = replication.second_after(moment=at)
        try:
            async with lane(ref=ref):
                page = await mail.messages(graph, root=ref.root, folder=folder, since=at, until=until, size=50)
        except GraphError as problem:
            if problem.status != BROKEN:
                raise
            stumbles += 1  # a list stumbles over it as well
            continue
        found |= {one.id: one for one in page.value if one.id in received}
    return list(found.values())


async def letters(*, ref: Ref, messages: Sequence[Message], asked_at: datetime, folder: str = "") -> list[Letter]:
    """Letters of full messages. `folder`: where they lie if they do not say. Hashing and compressing leave the event
    loop free.
    """
    if not messages:
        return []
    return await hop(
        lambda: [letter(message=one, mailbox=ref.mailbox, asked_at=asked_at, folder=folder) for one in messages]
    )


def consumed(*, ref: Ref, messages: list[Message], asked_at: datetime, folder: str) -> list[Letter]:
    """Letters of full messages, which leave the list one by one: a page is never held twice. Takes a while."""
    made = []
    messages.reverse()
    while messages:
        made.append(letter(message=messages.pop(), mailbox=ref.mailbox, asked_at=asked_at, folder=folder))
    return made


def marks(*, messages: Sequence[Message], folder: str = "") -> list[Mark]:
    """Marks of light messages. `folder`: where they lie if they do not say."""
    return [mark(message=one, folder=folder) for one in messages]
