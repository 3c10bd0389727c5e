"""Folders: the whole tree, and roles asked for by well-known name."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from tests.graph.wiring import BASE, Wire, ok, sent

from workestra.graph import folders
from workestra.graph.errors import Throttled, Unreachable


async def test_tree_is_walked_through_children_and_pages_without_search_folders() -> None:
    pages: dict[str, Any] = {
        "/v1.0/me/mailFolders": {
            "value": [
                {"id": "a", "childFolderCount": 2},
                {"id": "s", "@odata.type": "#microsoft.graph.mailSearchFolder"},
            ],
            "@odata.nextLink": f"{BASE}/me/mailFolders?$skip=2",
        },
        "/v1.0/me/mailFolders?$skip=2": {"value": [{"id": "b", "childFolderCount": 0}, {"id": "a"}]},
        "/v1.0/me/mailFolders/a/childFolders": {"value": [{"id": "a1", "childFolderCount": 1}, {"id": "a2"}]},
        "/v1.0/me/mailFolders/a1/childFolders": {"value": [{"id": "a11"}]},
    }

    def answer(request: httpx2.Request) -> httpx2.Response:
        raw = request.url.raw_path.decode()
        return ok(pages[raw if "$skip" in raw else raw.partition("?")[0]])

    wire = Wire(handler=answer)
    tree = await folders.folder_tree(wire.graph())
    assert [one.id for one in tree] == ["a", "b", "a1", "a2", "a11"]
    assert not any("includeHiddenFolders" in str(request.url) for request in wire.requests)


async def test_hidden_folders_come_only_when_asked_for() -> None:
    wire = Wire(ok({"value": []}))
    await folders.folder_tree(wire.graph(), hidden=True)
    assert wire.requests[0].url.params["includeHiddenFolders"] == "true"


async def test_roles_are_asked_by_well_known_name_in_one_request() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        responses = []
        for item in sent(request)["requests"]:
            name = item["url"].partition("?")[0].rpartition("/")[2]
            if name in {"archive", "clutter"}:
                responses.append(
                    {"id": item["id"], "status": 404, "body": {"error": {"code": "ErrorFolderNotFound"}}}
                )
            else:
                responses.append({"id": item["id"], "status": 200, "body": {"id": f"id-{name}"}})
        return ok({"responses": responses})

    wire = Wire(handler=answer)
    roles = await folders.well_known(wire.graph(), root="users/sales@example.com")
    assert roles["inbox"] == "id-inbox"
    assert "archive" not in roles
    assert len(roles) == len(folders.WELL_KNOWN) - 2
    assert len(wire.requests) == 1


async def test_role_that_was_throttled_is_not_taken_for_missing() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        items = sent(request)["requests"]
        return ok(
            {"responses": [{"id": item["id"], "status": 429, "headers": {"retry-after": "2"}} for item in items]}
        )

    with pytest.raises(Throttled) as caught:
        await folders.well_known(Wire(handler=answer).graph())
    assert caught.value.retry_after == 2


async def test_folder_changes_come_with_a_link_to_go_on_from() -> None:
    link = f"{BASE}/me/mailFolders/delta?$deltatoken=x"
    wire = Wire(ok({"value": [{"id": "a", "@removed": {"reason": "deleted"}}], "@odata.deltaLink": link}))
    page = await folders.folders_delta(wire.graph())
    assert page.value[0].removed is not None
    assert (await folders.folders_delta(wire.graph(), link=link)).delta_link == link
    with pytest.raises(Unreachable):
        await folders.folders_delta(Wire(ok({"value": []})).graph())


async def test_root_folder_names_the_mailbox() -> None:
    wire = Wire(ok({"id": "root"}))
    root = await folders.folder(wire.graph(), folder="msgfolderroot", root="users/sales@example.com")
    assert root.id == "root"
    assert wire.requests[0].url.raw_path.startswith(b"/v1.0/users/sales%40example.com/mailFolders/msgfolderroot?")
