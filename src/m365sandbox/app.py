"""Puts the sandbox together: a world with people and mail, and one ASGI app that plays both of Microsoft's hosts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from starlette.applications import Starlette

from . import control, graph, home, identity, seed
from .letters import Letter
from .mailbox import Mailbox
from .people import Directory
from .server import Handle, Tls, serve_app_in_thread
from .tokens import Tokens, utc_now
from .world import World

MOST_FOR_BEN = 5_000
MOST_FOR_OTHERS = 500


def create_world(
    seed_number: int = 7,
    *,
    messages: int = 0,
    people: Mapping[str, int] | None = None,
    small: bool = False,
    mean_html: int = seed.MEAN_HTML,
    access_minutes: float | None = None,
    clock: Callable[[], datetime] = utc_now,
    directory: Directory | None = None,
    life: int = 0,
) -> World:
    """A world with the seeded company in it.

    `messages` letters lie in Ana's mailbox, as many but at most 5,000 in Ben's, and a tenth but at most 500 in
    everybody else's; `people` says otherwise by address. `access_minutes` fixes the life of access tokens.
    `life` tells one start of a seed from another: its change keys are its own, and so are the ids of what
    is made in it; delta tokens of another life are lost. Raises LookupError for an address without a mailbox.
    """
    everybody = directory or seed.company(seed_number, small=small)
    world = World(everybody, clock, seed_number, life)
    world.tokens = Tokens(now=lambda: world.clock(), minutes=access_minutes)
    owners = {one.id: one.address for one in everybody.people.values() if one.mailbox == "online"}
    owners.update((box.id, box.address) for box in everybody.shared.values())
    counts = {address: _share(address, messages) for address in owners.values()}
    for owner_id in owners:
        world.add_mailbox(owner_id).name_apart(life, ids=False)
    for address, count in (people or {}).items():
        if world.mailbox_of(address) is None:
            raise LookupError(f"{address} has no mailbox here")
        counts[address] = count
    for address, count in counts.items():
        fill(world, address, count, mean_html=mean_html)
    for box in world.mailboxes.values():
        box.name_apart(life, ids=True)
    return world


def _share(address: str, messages: int) -> int:
    if address.startswith("ana@"):
        return messages
    return min(messages, MOST_FOR_BEN) if address.startswith("ben@") else min(messages // 10, MOST_FOR_OTHERS)


def fill(world: World, address: str, count: int, *, mean_html: int = seed.MEAN_HTML) -> None:
    """Put `count` seeded letters into a mailbox, and with the first ones the owner's contacts."""
    box = world.mailbox_of(address)
    if box is None:
        raise LookupError(f"{address} has no mailbox here")
    if count <= 0:
        return
    stream = seed.letters(address, world.directory, count, world.seed, world.clock(), mean_html=mean_html)
    for letter, place in stream:
        make_folder(box, place.folder)
        box.deliver(letter, place.folder, place.is_read, place.categories, place.flag)
    if not box.contacts:
        for contact in seed.contacts():
            box.put_contact(contact)


def import_letters(world: World, address: str, letters: Iterable[Letter]) -> int:
    """Deliver real mail into a mailbox's Inbox, unread; how many letters."""
    box = world.mailbox_of(address)
    if box is None:
        raise LookupError(f"{address} has no mailbox here")
    count = 0
    for letter in letters:
        box.deliver(letter)
        count += 1
    return count


def make_folder(box: Mailbox, path: str) -> None:
    """See to it that a folder path such as "Customers/Brightwater" exists."""
    try:
        box.folder(path)
        return
    except KeyError:
        pass
    parent = "msgfolderroot"
    below = ""
    for name in path.split("/"):
        below = f"{below}/{name}" if below else name
        try:
            parent = box.folder(below).id
        except KeyError:
            parent = box.add_folder(name, parent).id


def build(world: World, *, issuer_url: str = "") -> Starlette:
    """The whole sandbox as one app. Its identity server is `app.state.identity`."""
    tokens = world.tokens
    if not isinstance(tokens, Tokens):
        tokens = world.tokens = Tokens(now=lambda: world.clock())
    people = identity.Identity(
        directory=world.directory, tokens=tokens, now=lambda: world.clock(), issuer_url=issuer_url
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await world.start()
        try:
            yield
        finally:
            await world.stop()

    app = Starlette(
        routes=[
            *home.routes(world),
            *graph.routes(world),
            *control.routes(world),
            *identity.routes(people),
        ],
        lifespan=lifespan,
    )
    app.state.identity = people
    app.state.world = world
    return app


def serve_in_thread(world: World, *, port: int = 0, tls: bool = False, issuer_url: str = "") -> Handle:
    """Serve a world on loopback in a thread of this process, for tests. Stop it with `handle.stop()`."""
    certificate = Tls.create() if tls else None
    return serve_app_in_thread(build(world, issuer_url=issuer_url), port=port, tls=certificate)
