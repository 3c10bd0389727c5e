"""Contacts are read, page by page, and never written."""

from __future__ import annotations

import pytest
from tests.graph.wiring import BASE, Wire, ok

from workestra.graph import contacts
from workestra.graph.errors import Unreachable


async def test_contacts_come_with_names_and_addresses() -> None:
    person = {
        "id": "c",
        "displayName": "Ana",
        "emailAddresses": [{"name": "Ana", "address": "ana@example.com"}, None],
    }
    page = await contacts.contacts(Wire(ok({"value": [person]})).graph())
    assert page.value[0].email_addresses is not None
    assert [one.address for one in page.value[0].email_addresses] == ["ana@example.com"]


async def test_changes_are_followed_by_links_with_a_page_size() -> None:
    link = f"{BASE}/me/contactFolders('contacts')/contacts/delta?$deltatoken=x"
    wire = Wire(ok({"value": [{"id": "c", "@removed": {"reason": "deleted"}}], "@odata.deltaLink": link}))
    page = await contacts.contacts_delta(wire.graph(), size=30)
    assert page.value[0].removed is not None
    await contacts.contacts_delta(wire.graph(), link=page.delta_link, size=30)
    assert all("odata.maxpagesize=30" in request.headers["prefer"] for request in wire.requests)
    with pytest.raises(Unreachable):
        await contacts.contacts_delta(Wire(ok({"value": []})).graph())


async def test_lists_go_on_from_links() -> None:
    link = f"{BASE}/me/contacts?$skip=1"
    wire = Wire(ok({"value": [], "@odata.nextLink": link}), ok({"value": []}))
    page = await contacts.contacts(wire.graph())
    await contacts.contacts(wire.graph(), link=page.next_link)
    await contacts.contact_folders(wire.graph())
    await contacts.contact_folders(wire.graph(), link=link)
    paths = [request.url.path for request in wire.requests]
    assert paths == ["/v1.0/me/contacts", "/v1.0/me/contacts", "/v1.0/me/contactFolders", "/v1.0/me/contacts"]
