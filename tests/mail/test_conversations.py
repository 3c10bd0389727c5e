"""Threads across mailboxes; what people split and merge sticks through sync, resync, replies and replays (SYN 12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.compare import differences
from tests.mail.hands import start, sync, work
from tests.sandboxes import Outlook, ref_of

from m365sandbox.mailbox import Item
from workestra.kit import clock
from workestra.mail.doors import conversations, queries, readstate
from workestra.mail.models import Connection, Folder, Message, SeenMark, Thread, ThreadAct, ThreadCopy, ThreadPin
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

Letters = list[Item]


def _talk(outlook: Outlook, count: int, name: str = "ana", conversation: str = "talk", first: int = 0) -> Letters:
    """A conversation in which each letter answers the one before."""
    made: Letters = []
    for n in range(first, first + count):
        chain = [f"<{conversation}{k}@outside.example>" for k in range(n)]
        made.append(_deliver(outlook, f"<{conversation}{n}@outside.example>", chain, name, conversation))
    return made


def _deliver(
    outlook: Outlook,
    own: str,
    references: list[str],
    name: str = "ana",
    conversation: str = "talk",
    subject: str = "",
) -> Item:
    at = clock.now().replace(microsecond=0) - timedelta(minutes=30) + timedelta(seconds=len(references))
    return outlook.deliver(
        name,
        internet_message_id=own,
        references=tuple(references),
        in_reply_to=references[-1] if references else None,
        conversation=conversation,
        subject=subject or f"{conversation} {own}",
        at=at,
    )


def _connected(member: Member, outlook: Outlook, name: str = "ana") -> Connection:
    connection = outlook.connect(member, name)
    start(connection)
    work(connection)
    return connection


def _where(connection: Connection) -> dict[str, int]:
    """The thread of each mail, by its Message-ID."""
    with scope(workspace=connection.workspace_id):
        rows = Message.objects.filter(connection_id=connection.pk)
        return dict(rows.values_list("internet_message_id", "thread_id"))


def _partition(connection: Connection) -> set[frozenset[str]]:
    groups: dict[int, set[str]] = {}
    for name, thread in _where(connection).items():
        groups.setdefault(thread, set()).add(name)
    return {frozenset(one) for one in groups.values()}


def _name(n: int, conversation: str = "talk") -> str:
    return f"<{conversation}{n}@outside.example>"


def _split(connection: Connection, *names: str, member: Member | None = None) -> int | None:
    with scope(workspace=connection.workspace_id):
        rows = Message.objects.filter(connection_id=connection.pk, internet_message_id__in=names)
        return conversations.split(
            member=member or connection.owner,
            thread_id=_where(connection)[names[0]],
            message_ids=[row.pk for row in rows],
            now=clock.now(),
        )


def _merge(connection: Connection, name: str, into: str) -> int | None:
    where = _where(connection)
    with scope(workspace=connection.workspace_id):
        return conversations.merge(member=connection.owner, thread_id=where[name], into=where[into], now=clock.now())


def _view(connection: Connection, name: str, member: Member | None = None) -> list[str]:
    with scope(workspace=connection.workspace_id):
        found = queries.thread(member=member or connection.owner, thread_id=_where(connection)[name])
    return [] if found is None else [one.from_address for one in found.messages]


def _resync(connection: Connection) -> None:
    """Everything is read anew: cursors forgotten, folders proven, and the history pulled once more."""
    with scope(workspace=connection.workspace_id):
        Folder.objects.filter(connection_id=connection.pk).update(cursor="", link="", prove=True)
        Message.objects.filter(connection_id=connection.pk).update(change_key="old")
    sync(connection, "full")
    start(connection, "90d")
    work(connection)


def test_what_was_split_stays_split_through_replies_sync_and_a_full_resync(ana: Member, outlook: Outlook) -> None:
    _talk(outlook, 4)
    here = _connected(ana, outlook)
    new = _split(here, _name(2), _name(3))
    assert _partition(here) == {frozenset({_name(0), _name(1)}), frozenset({_name(2), _name(3)})}
    chain = [_name(n) for n in range(4)]
    _deliver(outlook, "<late@outside.example>", chain)
    _deliver(outlook, "<other@outside.example>", chain[:2])
    sync(here)
    where = _where(here)
    assert where["<late@outside.example>"] == new, "an answer goes where what it answers is"
    assert where["<other@outside.example>"] == where[_name(0)]
    before = _partition(here)
    _resync(here)
    assert _partition(here) == before
    assert differences(outlook, here, "ana") == []


def test_what_was_merged_stays_merged_and_draws_later_mail_of_both(ana: Member, outlook: Outlook) -> None:
    _talk(outlook, 2)
    _talk(outlook, 2, conversation="other")
    here = _connected(ana, outlook)
    assert len(_partition(here)) == 2
    _merge(here, _name(0), _name(0, "other"))
    assert len(_partition(here)) == 1
    _talk(outlook, 1, first=2)
    _talk(outlook, 1, conversation="other", first=2)
    sync(here)
    _resync(here)
    assert len(_partition(here)) == 1
    assert len(_view(here, _name(0))) == 6


def test_a_part_that_was_split_off_can_be_merged_into_a_stranger_and_the_rest_stays(
    ana: Member, outlook: Outlook
) -> None:
    _talk(outlook, 4)
    _talk(outlook, 2, conversation="other")
    here = _connected(ana, outlook)
    _split(here, _name(3))
    _merge(here, _name(3), _name(0, "other"))
    wanted = {
        frozenset({_name(0), _name(1), _name(2)}),
        frozenset({_name(3), _name(0, "other"), _name(1, "other")}),
    }
    assert _partition(here) == wanted
    _talk(outlook, 1, conversation="other", first=2)
    _deliver(outlook, "<answer@outside.example>", [_name(0), _name(3)])
    sync(here)
    _resync(here)
    where = _where(here)
    assert where[_name(2, "other")] == where["<answer@outside.example>"] == where[_name(3)]
    assert where[_name(0)] == where[_name(2)] != where[_name(3)]


def test_merging_back_undoes_a_split_and_splitting_undoes_a_merge(ana: Member, outlook: Outlook) -> None:
    _talk(outlook, 3)
    here = _connected(ana, outlook)
    _split(here, _name(1))
    _merge(here, _name(1), _name(0))
    assert len(_partition(here)) == 1
    _split(here, _name(2))
    sync(here, "full")
    assert _partition(here) == {frozenset({_name(0), _name(1)}), frozenset({_name(2)})}


ARRIVALS: dict[str, Callable[[Outlook], object]] = {
    "joins the rest to another family": lambda outlook: _deliver(
        outlook, "<bridge@outside.example>", [_name(0, "other"), _name(0)], conversation="bridge"
    ),
    "names the part and another family": lambda outlook: _deliver(
        outlook, "<bridge@outside.example>", [_name(0, "other"), _name(1)], conversation="bridge"
    ),
}


@pytest.mark.parametrize("arrival", list(ARRIVALS))
def test_a_letter_that_joins_families_does_not_undo_a_split(ana: Member, outlook: Outlook, arrival: str) -> None:
    _talk(outlook, 2)
    _talk(outlook, 2, conversation="other")
    here = _connected(ana, outlook)
    _split(here, _name(1))
    ARRIVALS[arrival](outlook)
    sync(here)
    where = _where(here)
    assert where[_name(0)] != where[_name(1)]
    before = _partition(here)
    _resync(here)
    assert _partition(here) == before


def test_the_same_mail_in_two_mailboxes_shows_once_and_goes_together(ana: Member, outlook: Outlook) -> None:
    for name in ("ana", "ben"):
        _talk(outlook, 3, name)
    one, two = _connected(ana, outlook), _connected(ana, outlook, "ben")
    assert _where(one) == _where(two)
    assert len(_view(one, _name(0))) == 3
    with scope(workspace=ana.workspace_id):
        row = queries.thread_row(member=ana, thread_id=_where(one)[_name(0)])
        assert row is not None
        assert (row.message_count, len(row.mailboxes)) == (3, 2)
    _split(one, _name(2))
    assert _where(one) == _where(two)
    assert len(_view(one, _name(2))) == 1
    _resync(two)
    assert _where(one) == _where(two)


def test_messages_that_only_one_mailbox_has_are_counted_with_those_of_both(ana: Member, outlook: Outlook) -> None:
    _talk(outlook, 2)
    _talk(outlook, 2, "ben", first=1)
    one = _connected(ana, outlook)
    _connected(ana, outlook, "ben")
    with scope(workspace=ana.workspace_id):
        row = queries.thread_row(member=ana, thread_id=_where(one)[_name(0)])
    assert row is not None
    assert row.message_count == 3


def test_each_sees_their_own_copies_of_a_shared_thread_alone(ana: Member, ben: Member, outlook: Outlook) -> None:
    _talk(outlook, 3)
    _talk(outlook, 1, "ben")
    hers, his = _connected(ana, outlook), _connected(ben, outlook, "ben")
    thread = _where(hers)[_name(0)]
    assert _where(his)[_name(0)] == thread
    assert len(_view(hers, _name(0))) == 3
    assert len(_view(hers, _name(0), ben)) == 1
    with scope(workspace=ana.workspace_id):
        hidden = Message.objects.get(connection_id=hers.pk, internet_message_id=_name(2)).pk
        with pytest.raises(conversations.NothingToSplit):
            conversations.split(member=ben, thread_id=thread, message_ids=[hidden], now=clock.now())
    _split(hers, _name(0))
    assert _where(his)[_name(0)] == _where(hers)[_name(0)] != _where(hers)[_name(1)]
    assert len(_view(hers, _name(0), ben)) == 1, "what he sees of it went along"


def test_who_does_not_see_a_thread_can_neither_split_nor_merge_it(
    ana: Member, ben: Member, cleo: Member, outlook: Outlook
) -> None:
    _talk(outlook, 2)
    _talk(outlook, 1, conversation="other")
    here = _connected(ana, outlook)
    before = _partition(here)
    where = _where(here)
    for other in (ben, cleo):
        assert _split(here, _name(1), member=other) is None
        with scope(workspace=here.workspace_id):
            given = {"thread_id": where[_name(0)], "into": where[_name(0, "other")], "now": clock.now()}
            assert conversations.merge(member=other, **given) is None
            assert conversations.choices(member=other, thread_id=0, text="") == []
    assert _partition(here) == before
    with scope(workspace=here.workspace_id):
        assert not ThreadAct.objects.exists()


def test_taking_nothing_or_everything_is_no_split(ana: Member, outlook: Outlook) -> None:
    _talk(outlook, 2)
    here = _connected(ana, outlook)
    with pytest.raises(conversations.NothingToSplit):
        _split(here, _name(0), _name(1))
    with scope(workspace=here.workspace_id), pytest.raises(conversations.NothingToSplit):
        conversations.split(member=ana, thread_id=_where(here)[_name(0)], message_ids=[], now=clock.now())
    with scope(workspace=here.workspace_id):
        assert not ThreadPin.objects.exists()


def test_lists_counts_and_acts_follow(ana: Member, outlook: Outlook) -> None:
    _talk(outlook, 3)
    here = _connected(ana, outlook)
    old = _where(here)[_name(0)]
    new = _split(here, _name(2))
    assert new is not None
    with scope(workspace=here.workspace_id):
        counts = dict(ThreadCopy.objects.values_list("thread_id", "messages"))
        assert counts == {old: 2, new: 1}
        act = ThreadAct.objects.get()
        assert (act.kind, act.member_id, act.source, act.target, len(act.messages)) == ("split", ana.pk, old, new, 1)
    _merge(here, _name(0), _name(2))
    with scope(workspace=here.workspace_id):
        assert dict(ThreadCopy.objects.values_list("thread_id", "messages")) == {new: 3}
        assert conversations.merged_into(thread_id=old) == new
        readstate.mark(member=ana, thread_id=new, is_read=True, now=clock.now())
        assert ThreadCopy.objects.get().unread == 0


def test_private_marks_go_along(ana: Member, outlook: Outlook) -> None:
    _talk(outlook, 2)
    _talk(outlook, 1, conversation="other")
    here = _connected(ana, outlook)
    with scope(workspace=here.workspace_id):
        Connection.objects.filter(pk=here.pk).update(state="disconnected")
        readstate.mark(member=ana, thread_id=_where(here)[_name(0)], is_read=True, now=clock.now())
    new = _split(here, _name(1))
    with scope(workspace=here.workspace_id):
        assert SeenMark.objects.filter(thread_id=new).exists()
        assert not queries.thread_row(member=ana, thread_id=new or 0).unread  # type: ignore[union-attr]
    _merge(here, _name(1), _name(0, "other"))
    with scope(workspace=here.workspace_id):
        found = queries.thread_row(member=ana, thread_id=_where(here)[_name(1)])
        assert found is not None
        assert found.unread, "what was never seen is not seen by merging"


def test_a_message_without_any_name_keeps_its_thread(ana: Member, outlook: Outlook) -> None:
    _talk(outlook, 1)
    here = _connected(ana, outlook)
    from tests.mail.test_store_absorb import _absorb, _letter

    ref = ref_of(here)
    bare = {"internetMessageId": None, "conversationId": None}
    _absorb(ref, [_letter(ref, "bare", **bare)])
    before = _where(here)[""]
    _absorb(ref, [_letter(ref, "bare", changeKey="k2", **bare)], seconds=9)
    assert _where(here)[""] == before
    _merge(here, "", _name(0))
    _absorb(ref, [_letter(ref, "bare", changeKey="k3", **bare)], seconds=99)
    assert len(_partition(here)) == 1


def test_a_merge_is_found_by_words_and_its_names_are_no_patterns(ana: Member, outlook: Outlook) -> None:
    _deliver(outlook, "<a@outside.example>", [], conversation="a", subject="100% of the harbour_plan")
    _deliver(outlook, "<b@outside.example>", [], conversation="b", subject="Something else")
    here = _connected(ana, outlook)
    with scope(workspace=here.workspace_id):

        def found(text: str) -> list[str]:
            return [one.subject for one in conversations.choices(member=ana, thread_id=0, text=text)]

        assert found("HARBOUR") == ["100% of the harbour_plan"]
        assert found("%") == ["100% of the harbour_plan"]
        assert found("_") == ["100% of the harbour_plan"]
        assert found("dora") != []
        assert found("\x00\\") == []
        assert len(found("")) == 2


def test_threads_of_no_workspace_but_ones_own_are_touched(ana: Member, cleo: Member, outlook: Outlook) -> None:
    _talk(outlook, 2)
    hers, theirs = _connected(ana, outlook), _connected(cleo, outlook)
    before = _partition(theirs)
    _split(hers, _name(1))
    sync(theirs, "full")
    assert _partition(theirs) == before
    with scope(workspace=theirs.workspace_id):
        assert Thread.objects.count() == 1
