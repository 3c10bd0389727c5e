"""Messages that name each other share a thread, in whatever order they come (SYN 12)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workestra.rules.threading import MOST_REFERENCES, Named, gather, keys_of

keys = st.sampled_from([bytes([n]) * 16 for n in range(12)])
pages = st.lists(st.lists(keys, max_size=4).map(tuple), max_size=12).map(
    lambda found: [Named(f"m{n}", one) for n, one in enumerate(found)]
)
threads = st.dictionaries(keys, st.integers(1, 4), max_size=8)


@given(messages=pages, known=threads)
def test_every_message_stands_in_one_group_and_no_key_or_thread_in_two(
    messages: list[Named], known: dict[bytes, int]
) -> None:
    groups = gather(messages=messages, known=known)
    assert sorted(one for group in groups for one in group.members) == sorted(one.immutable_id for one in messages)
    everywhere = [key for group in groups for key in group.keys]
    assert len(everywhere) == len(set(everywhere))
    adopted = [thread for group in groups for thread in group.threads]
    assert len(adopted) == len(set(adopted))


@given(messages=pages, known=threads, order=st.randoms(use_true_random=False))
def test_the_order_of_a_page_does_not_change_who_belongs_together(
    messages: list[Named], known: dict[bytes, int], order: object
) -> None:
    def shape(some: list[Named]) -> set[tuple[frozenset[str], tuple[int, ...]]]:
        return {(frozenset(group.members), group.threads) for group in gather(messages=some, known=known)}

    shuffled = list(messages)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shape(shuffled) == shape(messages)


@given(messages=pages, known=threads)
def test_two_messages_are_together_only_by_a_chain_of_shared_keys_or_threads(
    messages: list[Named], known: dict[bytes, int]
) -> None:
    names = {one.immutable_id: {*one.keys, *(known[key] for key in one.keys if key in known)} for one in messages}
    for group in gather(messages=messages, known=known):
        reached = {group.members[0]}
        while grown := {
            other
            for other in group.members
            if other not in reached and any(names[other] & names[one] for one in reached)
        }:
            reached |= grown
        assert reached == set(group.members)


def test_a_reply_shares_a_key_with_what_it_answers_across_mailboxes() -> None:
    first = keys_of(mailbox=1, internet_message_id="<a@x>", conversation_id="c", references=[])
    reply = keys_of(mailbox=2, internet_message_id="<b@y>", conversation_id="d", references=["<a@x>"])
    assert set(first) & set(reply)


def test_the_same_conversation_id_in_two_mailboxes_is_no_kinship() -> None:
    one = keys_of(mailbox=1, internet_message_id="<a@x>", conversation_id="c", references=[])
    two = keys_of(mailbox=2, internet_message_id="<b@y>", conversation_id="c", references=[])
    assert not set(one) & set(two)


def test_a_very_long_chain_of_references_counts_with_its_root_and_its_end() -> None:
    chain = [f"<{n}@example.com>" for n in range(500)]
    found = keys_of(mailbox=1, internet_message_id="<z@x>", conversation_id="", references=[" ".join(chain)])
    root = keys_of(mailbox=1, internet_message_id=chain[0], conversation_id="", references=[])
    last = keys_of(mailbox=1, internet_message_id=chain[-1], conversation_id="", references=[])
    assert len(found) == MOST_REFERENCES + 1
    assert set(root) | set(last) <= set(found)
