"""The calls against a server that behaves as Microsoft documents it, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from m365sandbox.app import create_world, serve_in_thread
from m365sandbox.faults import Fault
from m365sandbox.mailbox import Mailbox
from m365sandbox.people import Person
from m365sandbox.world import World
from workestra.graph import attachments, contacts, errors, folders, mail, subscriptions
from workestra.graph.client import Graph
from workestra.graph.wire import Message

SCOPES = frozenset(
    ["Mail.Read", "Mail.ReadWrite", "Mail.Read.Shared", "Mail.ReadWrite.Shared", "User.Read", "Contacts.Read"]
)


@dataclass
class Tokens:
    """Always a good token of one person."""

    issue: Callable[[], str]

    async def token(self, *, stale: str | None = None) -> str:
        return self.issue()


@dataclass
class Sandbox:
    world: World
    url: str
    http: httpx2.AsyncClient

    def person(self, beginning: str) -> Person:
        return next(one for one in self.world.directory.people.values() if one.address.startswith(beginning))

    def box(self, address: str) -> Mailbox:
        box = self.world.mailbox_of(address)
        assert box is not None
        return box

    def graph(self, person: Person) -> Graph:
        def issue() -> str:
            return self.world.tokens.issue_access(person=person, app_id="app", scopes=SCOPES)[0]  # type: ignore[attr-defined]

        return Graph(base_url=f"{self.url}/v1.0", tokens=Tokens(issue), http=self.http)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[World, str]]:
    world = create_world(messages=300)
    handle = serve_in_thread(world)
    yield world, handle.url
    handle.stop()


@pytest.fixture
async def sandbox(served: tuple[World, str]) -> AsyncIterator[Sandbox]:
    world, url = served
    async with httpx2.AsyncClient(trust_env=False) as http:
        yield Sandbox(world, url, http)


async def history(graph: Graph, **more: object) -> list[Message]:
    page = await mail.messages(graph, size=50, **more)  # type: ignore[arg-type]
    found = list(page.value)
    while page.next_link:
        page = await mail.messages(graph, link=page.next_link)
        found += page.value
    return found


async def delta(graph: Graph, folder: str, link: str | None = None) -> tuple[list[Message], str]:
    found: list[Message] = []
    while True:
        page = await mail.messages_delta(graph, folder=folder, link=link, size=40)
        found += page.value
        if page.delta_link:
            return found, page.delta_link
        link = page.next_link


async def test_history_brings_every_message_once_newest_first(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana@")
    graph = sandbox.graph(ana)
    box = sandbox.box(ana.address)
    found = await history(graph)
    truth = {box.immutable_id(item) for item in box.truth()}
    assert len(found) == len(truth) > 250
    assert {message.id for message in found} == truth
    times = [message.received_date_time for message in found]
    assert None not in times
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]
    assert all(message.body and message.internet_message_headers and message.change_key for message in found)
    assert await mail.count(graph) == len(truth)


async def test_slices_add_up_to_the_whole(sandbox: Sandbox) -> None:
    graph = sandbox.graph(sandbox.person("ana@"))
    cut = datetime.now(UTC) - timedelta(days=60)
    older = await history(graph, until=cut)
    newer = await history(graph, since=cut)
    assert older and newer
    assert len(older) + len(newer) == await mail.count(graph)
    assert await mail.count(graph, since=cut) == len(newer)
    assert not {one.id for one in older} & {one.id for one in newer}


async def test_folders_and_their_roles(sandbox: Sandbox) -> None:
    graph = sandbox.graph(sandbox.person("ana@"))
    tree = await folders.folder_tree(graph)
    roles = await folders.well_known(graph)
    ids = {one.id for one in tree}
    assert {roles["inbox"], roles["sentitems"], roles["drafts"], roles["junkemail"]} <= ids
    assert roles["msgfolderroot"] not in ids
    page = await folders.folders_delta(graph)
    assert {one.id for one in page.value} >= ids


async def test_changes_come_through_the_delta(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana@")
    graph = sandbox.graph(ana)
    box = sandbox.box(ana.address)
    first, link = await delta(graph, "inbox")
    inbox = [item for item in box.truth() if item.folder.well_known == "inbox"]
    assert {message.id for message in first} == {box.immutable_id(item) for item in inbox}
    assert all(message.body is None for message in first)
    read, moved = inbox[0], inbox[1]
    box.mark_read(read, not read.is_read)
    moved_id = box.immutable_id(moved)
    box.move(moved, "archive")
    changed, link = await delta(graph, "inbox", link)
    assert [m.id for m in changed if m.removed] == [moved_id]
    assert box.immutable_id(read) in {m.id for m in changed if not m.removed}
    again = await mail.message(graph, message_id=moved_id)
    assert again.parent_folder_id == (await folders.well_known(graph))["archive"]
    assert (await delta(graph, "inbox", link))[0] == []


async def test_read_state_is_set_and_seen(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana@")
    graph = sandbox.graph(ana)
    box = sandbox.box(ana.address)
    item = next(item for item in box.truth() if not item.is_read)
    answer = await mail.mark_read(graph, message_id=box.immutable_id(item), is_read=True)
    assert answer.is_read is True
    found = box.find(box.immutable_id(item))
    assert found is not None and found.is_read
    many = await mail.mark_many_read(graph, message_ids=[box.immutable_id(item), "nowhere"], is_read=False)
    assert isinstance(many[box.immutable_id(item)], Message)
    assert isinstance(many["nowhere"], errors.GraphError)


async def test_several_messages_come_in_one_request(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana@")
    box = sandbox.box(ana.address)
    ids = [box.immutable_id(item) for item in list(box.truth())[:25]]
    found = await mail.messages_by_id(sandbox.graph(ana), message_ids=ids)
    kinds = {type(one) for one in found.values()}
    assert kinds <= {Message, errors.Throttled}
    assert {key: one.id for key, one in found.items() if isinstance(one, Message)}.items() <= {
        i: i for i in ids
    }.items()
    assert sum(isinstance(one, Message) for one in found.values()) >= 8


async def test_attachments_are_listed_and_streamed(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana@")
    graph = sandbox.graph(ana)
    box = sandbox.box(ana.address)
    item = next(item for item in box.truth() if any(e.kind == "file" for e in item.letter.enclosures))
    message_id = box.immutable_id(item)
    listed = await attachments.attachments(graph, message_id=message_id)
    assert [one.name for one in listed] == [one.name for one in item.letter.enclosures]
    position = next(n for n, one in enumerate(item.letter.enclosures) if one.kind == "file")
    assert listed[position].content_id == item.letter.enclosures[position].content_id
    async with attachments.attachment_bytes(
        graph, message_id=message_id, attachment_id=listed[position].id
    ) as download:
        content = b"".join([chunk async for chunk in download.chunks])
    assert content == item.letter.enclosures[position].content()


async def test_shared_mailbox_is_read_by_those_with_access_only(sandbox: Sandbox) -> None:
    shared = next(box for box in sandbox.world.directory.shared.values() if box.full_access)
    people = sandbox.world.directory.people
    delegate = next(people[one] for one in shared.full_access if people[one].mailbox == "online")
    root = f"users/{shared.address}"
    graph = sandbox.graph(delegate)
    recent = await mail.received_since(graph, since=datetime(2020, 1, 1, tzinfo=UTC), root=root)
    box = sandbox.box(shared.address)
    inbox = {box.immutable_id(item) for item in box.truth() if item.folder.well_known == "inbox"}
    assert {message.id for message in recent.value} <= inbox
    assert (await folders.folder(graph, folder="msgfolderroot", root=root)).id
    stranger = next(
        one
        for one in people.values()
        if one.tenant is delegate.tenant and one.mailbox == "online" and one.id not in shared.full_access
    )
    with pytest.raises((errors.AccessDenied, errors.Gone)):
        await folders.folder(sandbox.graph(stranger), folder="msgfolderroot", root=root)


async def test_account_without_cloud_mailbox_is_told_apart(sandbox: Sandbox) -> None:
    person = next(one for one in sandbox.world.directory.people.values() if one.mailbox == "onprem")
    graph = sandbox.graph(person)
    assert (await mail.me(graph)).id == person.id
    with pytest.raises(errors.NoMailbox):
        await folders.folder(graph, folder="inbox")


async def test_contacts_come_in_full_and_as_changes(sandbox: Sandbox) -> None:
    graph = sandbox.graph(sandbox.person("ana@"))
    page = await contacts.contacts(graph, size=500)
    round_ = await contacts.contacts_delta(graph, size=500)
    assert {one.id for one in round_.value} == {one.id for one in page.value}


async def test_subscription_whose_address_does_not_answer_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(errors.HandshakeFailed):
        await subscriptions.create(
            sandbox.graph(sandbox.person("ana@")),
            resource=subscriptions.folder_resource(folder="inbox"),
            notification_url="http://127.0.0.1:9/hook",
            lifecycle_url="http://127.0.0.1:9/hook",
            client_state="x",
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )
    assert await subscriptions.list_all(sandbox.graph(sandbox.person("ana@"))) == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("messages", "status", status=429, headers={"Retry-After": "3"}), errors.Throttled),
        (Fault("messages", "status", status=503), errors.Unreachable),
        (Fault("messages", "status", status=504), errors.TooLarge),
        (Fault("messages", "malformed"), errors.Unreachable),
        (Fault("messages", "html", status=200), errors.Unreachable),
        (Fault("messages", "html", status=502), errors.Unreachable),
        (Fault("messages", "cut", times=2), errors.Unreachable),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else value.__name__,
)
async def test_fault_ends_in_its_error_and_the_next_call_is_well(
    sandbox: Sandbox, fault: Fault, kind: type[errors.GraphError]
) -> None:
    graph = sandbox.graph(sandbox.person("ana@"))
    sandbox.world.faults.add(fault)
    with pytest.raises(kind):
        await mail.messages(graph, folder="inbox")
    sandbox.world.faults.clear()
    assert (await mail.messages(graph, folder="inbox", size=5)).value


async def test_worn_out_cursor_starts_a_new_round(sandbox: Sandbox) -> None:
    graph = sandbox.graph(sandbox.person("ana@"))
    _, link = await delta(graph, "inbox")
    with pytest.raises(errors.CursorExpired):
        await mail.messages_delta(graph, folder="inbox", link=link + "x")
    assert (await delta(graph, "inbox"))[0]
