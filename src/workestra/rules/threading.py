"""Which thread a message belongs to.

A message names itself and its kin by keys: its own Message-ID, those in References and In-Reply-To
(RFC 5322, 3.6.4), and the conversation that its mailbox put it in. Messages that share a key share a thread,
so that replies meet across the mailboxes of a workspace, in whatever order they arrive. Subjects never count:
strangers write the same ones. What people split and merge stands above this: see `rules.arranging`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MESSAGE_ID = re.compile(r"<[^<>\s]{3,900}>")
MOST_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Named:
    """A message and its keys, own names first."""

    immutable_id: str
    keys: tuple[bytes, ...]


def _digest(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}\x1f{text}".encode("utf-8", "surrogatepass")).digest()[:16]


def message_ids(text: str | None) -> list[str]:
    """The message ids in a header's value, in order."""
    return MESSAGE_ID.findall(text or "")


def lone_key(*, connection: int, immutable_id: str) -> bytes:
    """The key of a stored copy that names neither itself nor its kin: it is its own alone, however often it comes."""
    return _digest(f"copy {connection}", immutable_id)


def keys_of(
    *, mailbox: int, internet_message_id: str, conversation_id: str, references: Iterable[str]
) -> tuple[bytes, ...]:
    """The keys of one message. `references`: values of References and In-Reply-To headers.

    A long References header counts with its first id and its last ones: the root and the nearest kin.
    """
    kin = [one for value in references for one in message_ids(value)]
    if len(kin) > MOST_REFERENCES:
        kin = kin[:1] + kin[-(MOST_REFERENCES - 1) :]
    own = message_ids(internet_message_id) or ([internet_message_id.strip()] if internet_message_id.strip() else [])
    keys = [_digest("message", one) for one in (*own, *kin)]
    if conversation_id:
        keys.append(_digest(f"conversation {mailbox}", conversation_id))
    return tuple(dict.fromkeys(keys))


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that belong together, all their keys, and the threads that some of the keys name already."""

    members: tuple[str, ...]
    keys: tuple[bytes, ...]
    threads: tuple[int, ...]


def gather(*, messages: Sequence[Named], known: Mapping[bytes, int]) -> list[Group]:
    """Join messages that share a key, directly or through threads that exist, into groups.

    A message without any key stands alone.
    """
    parent: dict[object, object] = {}

    def root(node: object) -> object:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for message in messages:
        me = ("m", message.immutable_id)
        root(me)
        for key in message.keys:
            parent[root(("k", key))] = root(me)
            if key in known:
                parent[root(("t", known[key]))] = root(me)
    members: dict[object, list[Named]] = {}
    for message in messages:
        members.setdefault(root(("m", message.immutable_id)), []).append(message)
    groups = []
    for joined in members.values():
        keys = tuple(dict.fromkeys(key for message in joined for key in message.keys))
        threads = tuple(sorted({known[key] for key in keys if key in known}))
        groups.append(Group(members=tuple(m.immutable_id for m in joined), keys=keys, threads=threads))
    return groups
