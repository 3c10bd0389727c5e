"""Delta of messages and folders (Graph: delta query overview; message: delta; mailFolder: delta)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.contract.graph.stagecraft import IMMUTABLE, NOW, Stage, letter

URL = "/me/mailFolders/inbox/messages/delta"


def fill(stage: Stage, count: int, folder: str = "inbox") -> list[Any]:
    box = stage.world.mailboxes[stage.ana.id]
    return [
        box.deliver(letter(f"Letter {n}", received_at=NOW - timedelta(minutes=n)), folder=folder)
        for n in range(count)
    ]


def live(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["subject"] for entry in entries if "@removed" not in entry]


def removed(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries if "@removed" in entry]


async def test_first_round_brings_the_folder_newest_first_and_then_nothing(stage: Stage) -> None:
    fill(stage, 23)
    fill(stage, 3, folder="archive")
    entries, link = await stage.round(URL)
    assert live(entries) == [f"Letter {n}" for n in range(23)]
    assert all(entry["@odata.type"] == "#microsoft.graph.message" and entry["@odata.etag"] for entry in entries)
    again, _ = await stage.round(link)
    assert again == []


async def test_page_has_next_link_or_delta_link_bound_to_the_folder_and_never_both(stage: Stage) -> None:
    fill(stage, 12)
    page = await stage.ok(URL)
    folder = stage.world.mailboxes[stage.ana.id].folder("inbox").id
    assert page["@odata.context"].endswith("/v1.0/$metadata#Collection(message)")
    assert page["@odata.nextLink"].startswith(
        f"http://graph.test/v1.0/me/mailFolders('{folder}')/messages/delta?$skiptoken="
    )
    assert "@odata.deltaLink" not in page and len(page["value"]) == 10
    page = await stage.ok(page["@odata.nextLink"])
    assert "?$deltatoken=" in page["@odata.deltaLink"] and "@odata.nextLink" not in page


async def test_page_size_follows_the_preference_of_each_request(stage: Stage) -> None:
    """Prefer: odata.maxpagesize is not carried by tokens: it is sent on every request."""
    fill(stage, 30)
    answer = await stage.get(URL, prefer="odata.maxpagesize=7")
    assert len(answer.json()["value"]) == 7
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=7, odata.track-changes"
    page = await stage.ok(answer.json()["@odata.nextLink"], prefer="odata.maxpagesize=3")
    assert len(page["value"]) == 3
    page = await stage.ok(page["@odata.nextLink"])
    assert len(page["value"]) == 10


async def test_top_is_a_cap_that_ends_the_round_with_an_empty_page(stage: Stage) -> None:
    """$top is not a page size here: the nextLink leads to an empty page with the deltaLink, the rest never comes."""
    fill(stage, 30)
    page = await stage.ok(f"{URL}?$top=4")
    assert len(page["value"]) == 4 and "@odata.nextLink" in page
    page = await stage.ok(page["@odata.nextLink"])
    assert page["value"] == [] and "@odata.deltaLink" in page


async def test_filtered_round_stops_silently_at_the_cap(stage: Stage) -> None:
    """$filter limits a round to 5,000 messages."""
    assert stage.world.switches.first_page_limit == 5_000
    stage.world.switches.first_page_limit = 25
    fill(stage, 40)
    entries, link = await stage.round(f"{URL}?$filter=receivedDateTime ge 2026-01-01T00:00:00Z")
    assert live(entries) == [f"Letter {n}" for n in range(25)]
    assert (await stage.round(link))[0] == []
    entries, _ = await stage.round(URL)
    assert len(entries) == 40


async def test_filter_bounds_the_first_round_and_the_later_ones(stage: Stage) -> None:
    items = fill(stage, 10)
    entries, link = await stage.round(f"{URL}?$filter=receivedDateTime ge 2026-11-22T08:57:00Z&$select=subject")
    assert live(entries) == [f"Letter {n}" for n in range(4)]
    assert set(entries[0]) == {"@odata.type", "@odata.etag", "id", "subject"}
    box = stage.world.mailboxes[stage.ana.id]
    for item in (items[2], items[8]):
        box.mark_read(item)
    entries, _ = await stage.round(link)
    assert live(entries) == ["Letter 2"]


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("$filter=isRead eq false", "ErrorInvalidUrlQuery", "only a value of 'receivedDateTime ge value'"),
        (
            "$filter=receivedDateTime le 2026-01-01T00:00:00Z",
            "ErrorInvalidUrlQuery",
            "'$filter' parameter value",
        ),
        (
            "$filter=receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq false",
            "ErrorInvalidUrlQuery",
            "'$filter' parameter",
        ),
        ("$orderby=receivedDateTime asc", "ErrorInvalidUrlQuery", "'$orderby' parameter value"),
        ("$orderby=subject", "ErrorInvalidUrlQuery", "'$orderby' parameter value"),
        ('$search="x"', "ErrorInvalidUrlQuery", "'$search'"),
        ("$skip=5", "BadRequest", "'$skip'"),
        ("$count=true", "BadRequest", "'$count'"),
        ("$deltatoken=latest", "ErrorInvalidUrlQuery", "'latest'"),
        ("changeType=moved", "ErrorInvalidUrlQuery", "'changeType'"),
        ("$select=nothing", "BadRequest", "'nothing'"),
    ],
)
async def test_options_that_delta_does_not_take_are_refused(stage: Stage, query: str, code: str, words: str) -> None:
    status, found, message = await stage.refused(f"{URL}?{query}")
    assert (status, found) == (400, code)
    assert words in message


async def test_there_is_no_delta_over_the_whole_mailbox(stage: Stage) -> None:
    status, code, _ = await stage.refused("/me/messages/delta")
    assert status == 400 and code == "ErrorInvalidIdMalformed"


async def test_later_round_tells_new_changed_moved_and_deleted(stage: Stage) -> None:
    items = fill(stage, 6)
    _, link = await stage.round(URL, prefer=IMMUTABLE)
    box = stage.world.mailboxes[stage.ana.id]
    box.deliver(letter("New"))
    box.mark_read(items[0])
    box.categorise(items[1], ["Red category"])
    box.flag(items[1])
    box.move(items[2], "archive")
    box.delete(items[3])
    entries, link = await stage.round(link, prefer=IMMUTABLE)
    assert live(entries) == ["New", "Letter 0", "Letter 1"]
    one = next(entry for entry in entries if entry.get("subject") == "Letter 1")
    assert one["categories"] == ["Red category"] and one["flag"]["flagStatus"] == "flagged"
    gone = [entry for entry in entries if "@removed" in entry]
    assert {entry["id"] for entry in gone} == {box.immutable_id(items[2]), box.immutable_id(items[3])}
    assert all(entry["@removed"] == {"reason": "deleted"} for entry in gone)
    assert all(set(entry) == {"@odata.type", "id", "@removed"} for entry in gone)
    assert (await stage.round(link, prefer=IMMUTABLE))[0] == []


async def test_move_appears_in_the_target_folder_with_the_same_immutable_id(stage: Stage) -> None:
    items = fill(stage, 2)
    _, archive = await stage.round("/me/mailFolders/archive/messages/delta", prefer=IMMUTABLE)
    box = stage.world.mailboxes[stage.ana.id]
    known = box.immutable_id(items[0])
    box.move(items[0], "archive")
    entries, _ = await stage.round(archive, prefer=IMMUTABLE)
    assert [entry["id"] for entry in entries] == [known]


async def test_move_kills_the_default_id_and_removes_the_old_one(stage: Stage) -> None:
    items = fill(stage, 2)
    box = stage.world.mailboxes[stage.ana.id]
    old = box.default_id(items[0])
    _, link = await stage.round(URL)
    box.move(items[0], "archive")
    box.move(items[0], "inbox")
    entries, _ = await stage.round(link)
    assert removed(entries) == [old]
    assert [entry["id"] for entry in entries if "@removed" not in entry] == [box.default_id(items[0])] != [old]


async def test_move_out_and_back_shows_the_message_unless_the_known_gap_is_switched_on(stage: Stage) -> None:
    """Known issue of immutable ids: out and back between two rounds comes as removed, and never reappears."""
    items = fill(stage, 2)
    box = stage.world.mailboxes[stage.ana.id]
    _, link = await stage.round(URL, prefer=IMMUTABLE)
    box.move(items[0], "archive")
    box.move(items[0], "inbox")
    entries, _ = await stage.round(link, prefer=IMMUTABLE)
    assert live(entries) == ["Letter 0"] and removed(entries) == []
    stage.world.switches.immutable_id_gap = True
    entries, link = await stage.round(link, prefer=IMMUTABLE)
    assert live(entries) == [] and removed(entries) == [box.immutable_id(items[0])]
    assert (await stage.round(link, prefer=IMMUTABLE))[0] == []


async def test_changes_during_the_first_round_are_not_lost(stage: Stage) -> None:
    items = fill(stage, 20)
    box = stage.world.mailboxes[stage.ana.id]
    page = await stage.ok(URL, prefer=IMMUTABLE)
    box.mark_read(items[1])
    box.deliver(letter("Meanwhile", received_at=NOW))
    box.move(items[2], "archive")
    box.move(items[15], "archive")
    entries, link = await stage.round(page["@odata.nextLink"], prefer=IMMUTABLE)
    state = {entry["id"]: entry for entry in page["value"] + entries}
    entries, _ = await stage.round(link, prefer=IMMUTABLE)
    for entry in entries:
        state[entry["id"]] = entry
    present = {entry["subject"] for entry in state.values() if "@removed" not in entry}
    assert present == {f"Letter {n}" for n in range(20) if n not in (2, 15)} | {"Meanwhile"}
    assert state[box.immutable_id(items[1])]["isRead"] is True


async def test_long_later_round_is_paged_and_each_message_comes_once(stage: Stage) -> None:
    items = fill(stage, 40)
    _, link = await stage.round(URL, prefer=IMMUTABLE)
    box = stage.world.mailboxes[stage.ana.id]
    for _ in range(3):
        for item in items[:25]:
            box.mark_read(item, not item.is_read)
    entries, _ = await stage.round(link, prefer=IMMUTABLE)
    assert sorted(live(entries)) == sorted(f"Letter {n}" for n in range(25))


async def test_change_type_narrows_the_round(stage: Stage) -> None:
    items = fill(stage, 3)
    links = {
        kind: (await stage.round(f"{URL}?changeType={kind}", prefer=IMMUTABLE))[1]
        for kind in ("created", "updated", "deleted")
    }
    box = stage.world.mailboxes[stage.ana.id]
    box.deliver(letter("New"))
    box.mark_read(items[0])
    box.delete(items[1])
    seen = {kind: (await stage.round(link, prefer=IMMUTABLE))[0] for kind, link in links.items()}
    assert live(seen["created"]) == ["New"] and removed(seen["created"]) == []
    assert live(seen["updated"]) == ["Letter 0"] and removed(seen["updated"]) == []
    assert live(seen["deleted"]) == [] and removed(seen["deleted"]) == [box.immutable_id(items[1])]


async def test_options_sent_along_with_a_token_change_nothing(stage: Stage) -> None:
    """Tokens carry the options of the first request; another $select needs a new first round."""
    fill(stage, 12)
    page = await stage.ok(f"{URL}?$select=subject")
    page = await stage.ok(page["@odata.nextLink"] + "&$select=isRead")
    assert set(page["value"][0]) == {"@odata.type", "@odata.etag", "id", "subject"}


async def test_same_link_may_be_asked_again_and_answers_the_same(stage: Stage) -> None:
    fill(stage, 25)
    page = await stage.ok(URL)
    first = await stage.ok(page["@odata.nextLink"])
    again = await stage.ok(page["@odata.nextLink"])
    assert first["value"] == again["value"]


async def test_old_next_link_ends_in_410_when_newer_generations_exist(stage: Stage) -> None:
    """About three generations of a chain are remembered."""
    fill(stage, 60)
    page = await stage.ok(URL)
    old = page["@odata.nextLink"]
    for _ in range(4):
        page = await stage.ok(page["@odata.nextLink"])
    answer = await stage.get(old)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (410, "SyncStateNotFound")
    assert error["message"].startswith("The sync state generation is not found; generation=")
    fresh = await stage.ok(answer.headers["Location"])
    assert len(fresh["value"]) == 10 and fresh["value"][0]["subject"] == "Letter 0"
    await stage.ok(page["@odata.nextLink"])


async def test_cut_off_tokens_end_in_410_until_a_new_round(stage: Stage) -> None:
    fill(stage, 5)
    _, link = await stage.round(URL)
    _, other = await stage.round("/me/mailFolders/archive/messages/delta")
    box = stage.world.mailboxes[stage.ana.id]
    stage.world.cursors.expire(owner=box.owner_id, folder=box.folder("inbox").number)
    assert (await stage.refused(link))[:2] == (410, "SyncStateNotFound")
    assert (await stage.round(other))[0] == []
    stage.world.cursors.expire(owner=box.owner_id)
    assert (await stage.refused(other))[:2] == (410, "SyncStateNotFound")
    assert len((await stage.round(URL))[0]) == 5


async def test_token_serves_its_own_folder_mailbox_and_text_only(stage: Stage) -> None:
    fill(stage, 5)
    _, link = await stage.round(URL)
    token = link.partition("deltatoken=")[2]
    for path in (
        f"/me/mailFolders/archive/messages/delta?$deltatoken={token}",
        f"/users/sales@harbour.example/mailFolders/inbox/messages/delta?$deltatoken={token}",
        f"/me/mailFolders/delta?$deltatoken={token}",
        f"{URL}?$deltatoken={token[:-3]}",
        f"{URL}?$deltatoken=nonsense",
    ):
        assert (await stage.refused(path))[:2] == (410, "SyncStateInvalid")


async def test_odd_rounds_can_be_switched_on(stage: Stage) -> None:
    """Empty pages with a nextLink, repeated entries and removals of unknown ids are all legal."""
    fill(stage, 15)
    stage.world.switches.delta_empty_pages = True
    page = await stage.ok(URL)
    assert page["value"] == [] and "@odata.nextLink" in page
    stage.world.switches.delta_duplicates = stage.world.switches.delta_ghosts = True
    entries, _ = await stage.round(URL)
    assert len(live(entries)) == 16 and len(set(live(entries))) == 15 and len(removed(entries)) == 1


async def test_function_form_and_shared_mailbox_form_answer_too(stage: Stage) -> None:
    fill(stage, 1)
    box = stage.world.mailboxes[stage.ana.id]
    page = await stage.ok(f"/me/mailFolders('{box.folder('inbox').id}')/messages/microsoft.graph.delta()")
    assert len(page["value"]) == 1
    stage.world.mailboxes[stage.shared.id].deliver(letter("To sales"))
    entries, link = await stage.round("/users/sales@harbour.example/mailFolders('Inbox')/messages/delta")
    assert live(entries) == ["To sales"] and "/users/sales@harbour.example/mailFolders(" in link


async def test_folder_delta_brings_the_whole_tree_and_then_its_changes(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    top = box.add_folder("Projects")
    below = box.add_folder("Harbour", top.id)
    entries, link = await stage.round("/me/mailFolders/delta?$select=displayName")
    names = [entry["displayName"] for entry in entries]
    assert {"Inbox", "Projects", "Harbour", "Conflicts"} <= set(names) and "Clutter" not in names
    assert (await stage.round(link))[0] == []
    box.rename_folder(top.id, "Works")
    box.delete_folder(below.id)
    entries, link = await stage.round(link)
    assert [entry["displayName"] for entry in entries] == ["Works", "Harbour"]
    box.delete_folder(below.id)
    entries, _ = await stage.round(link)
    assert entries == [
        {"@odata.type": "#microsoft.graph.mailFolder", "id": below.id, "@removed": {"reason": "deleted"}}
    ]
