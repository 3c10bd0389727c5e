"""Whatever happens in a mailbox, a client that follows delta by the book ends with what is there."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from tests.contract.graph.stagecraft import ANA, IMMUTABLE, NOW, Clock, FakeAccess, FakeTokens, letter

from m365sandbox import graph
from m365sandbox.mailbox import Mailbox
from m365sandbox.people import Directory, Person, Tenant
from m365sandbox.world import World

FOLDERS = ("inbox", "archive", "sentitems")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deliver", "read", "move", "delete", "flag", "page", "page", "page"]),
        st.integers(0, 30),
        st.sampled_from(FOLDERS),
    ),
    min_size=5,
    max_size=60,
)


class Client:
    """Keeps one folder as the documentation says: the latest entry of an id wins, @removed takes it away."""

    def __init__(self, http: httpx2.AsyncClient, folder: str, prefer: str) -> None:
        self.http = http
        self.link = f"http://graph.test/v1.0/me/mailFolders/{folder}/messages/delta?$select=subject,isRead,flag"
        self.headers = {"Authorization": f"Bearer {ANA}", "Prefer": f"{prefer}odata.maxpagesize=3"}
        self.held: dict[str, dict[str, Any]] = {}

    async def page(self) -> bool:
        """Ask for one page; whether it was empty and the last of its round."""
        answer = await self.http.get(self.link, headers=self.headers)
        body = answer.json()
        assert answer.status_code == 200, body
        for entry in body["value"]:
            if "@removed" in entry:
                self.held.pop(entry["id"], None)
            else:
                self.held[entry["id"]] = entry
        self.link = body.get("@odata.nextLink") or body["@odata.deltaLink"]
        return "@odata.deltaLink" in body and not body["value"]


def act(box: Mailbox, verb: str, number: int, folder: str) -> None:
    """One thing that a person does in Outlook."""
    items = list(box.truth())
    if verb == "deliver" or not items:
        box.deliver(letter(f"S{number}", received_at=NOW - timedelta(minutes=number)), folder)
        return
    item = items[number % len(items)]
    if verb == "read":
        box.mark_read(item, not item.is_read)
    elif verb == "flag":
        box.flag(item)
    elif verb == "move":
        box.move(item, folder)
    elif verb == "delete":
        box.delete(item)


@pytest.mark.parametrize("prefer", ["", f"{IMMUTABLE}, "])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_client_ends_with_what_is_there(prefer: str, steps: list[tuple[str, int, str]]) -> None:
    async def play() -> None:
        tenant = Tenant("t", "T", "harbour.example")
        ana = Person("a0000000-0000-4000-8000-00000000000a", tenant, "Ana", "ana@harbour.example", "x")
        world = World(Directory({"t": tenant}, {ana.id: ana}, {}, {}), Clock(), seed=3)
        world.tokens = FakeTokens({ANA: FakeAccess(ana)})
        box = world.add_mailbox(ana.id)
        transport = httpx2.ASGITransport(app=Starlette(routes=graph.routes(world)))
        async with httpx2.AsyncClient(transport=transport, trust_env=False) as http:
            clients = {folder: Client(http, folder, prefer) for folder in FOLDERS}
            for number in range(24):  # enough for first rounds of several pages
                act(box, "deliver", number, FOLDERS[number % 3])
            for verb, number, folder in steps:
                if verb == "page":
                    await clients[folder].page()
                else:
                    act(box, verb, number, folder)
            for folder, client in clients.items():
                quiet = 0  # the first round may end on an empty page: only a second one says that all is told
                while quiet < 2:
                    quiet = quiet + 1 if await client.page() else 0
                name = box.immutable_id if prefer else box.default_id
                there = {
                    name(item): (item.letter.subject, item.is_read, item.flag["flagStatus"])
                    for item in box.folder(folder).index.items()
                }
                held = {
                    key: (entry["subject"], entry["isRead"], entry["flag"]["flagStatus"])
                    for key, entry in client.held.items()
                }
                assert held == there

    asyncio.run(play())
