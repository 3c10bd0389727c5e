"""The content of messages that a light page or a notice named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workestra.graph import mail
from workestra.graph.batch import MOST
from workestra.graph.client import Graph
from workestra.graph.errors import Gone, GraphError
from workestra.graph.wire import Message
from workestra.kit.hop import hop
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.slots import SLOTS
from workestra.mail.flows.lane import lane
from workestra.mail.intake import Letter, Mark, letter, mark

FEW = 3


async def by_id(*, graph: Graph, ref: Ref, ids: Sequence[str], light: bool) -> tuple[list[Message], list[str]]:
    """The messages that can be read, and the ids of those that cannot (gone, or not readable yet).

    A few are asked for one by one; more go by batches of twenty, of which Outlook runs four at once: a batch
    therefore holds all four slots. Raises what any of them got beyond "gone".
    """
    found: list[Message] = []
    gone: list[str] = []
    wanted = list(dict.fromkeys(ids))
    if len(wanted) <= FEW and not light:
        for one in wanted:
            async with lane(ref=ref):
                try:
                    found.append(await mail.message(graph, message_id=one, root=ref.root))
                except Gone:
                    gone.append(one)
        return found, gone
    for start in range(0, len(wanted), MOST):
        some = wanted[start : start + MOST]
        async with lane(ref=ref, count=SLOTS):
            answers = await mail.messages_by_id(graph, message_ids=some, root=ref.root, light=light)
        for one, answer in answers.items():
            if isinstance(answer, Message):
                found.append(answer)
            elif isinstance(answer, Gone):
                gone.append(one)
            elif isinstance(answer, GraphError):
                raise answer
    return found, gone


async def letters(*, ref: Ref, messages: Sequence[Message], asked_at: datetime) -> list[Letter]:
    """Letters of full messages. Hashing and compressing leave the event loop free."""
    if not messages:
        return []
    return await hop(lambda: [letter(message=one, mailbox=ref.mailbox, asked_at=asked_at) for one in messages])


def consumed(*, ref: Ref, messages: list[Message], asked_at: datetime) -> list[Letter]:
    """Letters of full messages, which leave the list one by one: a page is never held twice. Takes a while."""
    made = []
    messages.reverse()
    while messages:
        made.append(letter(message=messages.pop(), mailbox=ref.mailbox, asked_at=asked_at))
    return made


def marks(*, messages: Sequence[Message]) -> list[Mark]:
    """Marks of light messages."""
    return [mark(message=one) for one in messages]
