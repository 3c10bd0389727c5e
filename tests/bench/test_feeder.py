"""The page feeder answers in Graph's shape, in full, and with its own limits."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import msgspec
import pytest
from bench.feed.answers import Asked, Desk
from bench.feed.mailbox import IDS, Mailbox
from bench.peers import bare

from bench import processes

NEWEST = datetime(2026, 6, 1, 12, tzinfo=UTC)
INBOX = "/v1.0/me/mailFolders/inbox/messages"


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    """50 messages."""
    return Mailbox(count=50, mean=3000, days=10, newest=NEWEST, seed=7)


def get(mailbox: Mailbox, path: str, *, prefer: str = "", **options: object) -> dict[str, Any]:
    """A decoded answer."""
    query = urlencode({f"${name}": value for name, value in options.items()})
    made = Desk(mailbox=mailbox).answer(Asked(origin="http://feeder", path=path, query=query, prefer=prefer))
    assert made.status == 200, made.body
    return msgspec.json.decode(made.body)


def follow(mailbox: Mailbox, link: str, *, prefer: str = "") -> dict[str, Any]:
    """The answer to a link, exactly as it was given."""
    parts = urlsplit(link)
    asked = Asked(origin="http://feeder", path=parts.path, query=parts.query, prefer=prefer)
    return msgspec.json.decode(Desk(mailbox=mailbox).answer(asked).body)


def test_next_links_lead_through_every_message_once_newest_first(mailbox: Mailbox) -> None:
    page = get(mailbox, INBOX, top=20, count="true", orderby="receivedDateTime desc")
    seen = page["value"]
    assert page["@odata.count"] == 50
    while "@odata.nextLink" in page:
        page = follow(mailbox, page["@odata.nextLink"])
        seen += page["value"]
    assert len({one["id"] for one in seen}) == len(seen) == 50
    received = [one["receivedDateTime"] for one in seen]
    assert received == sorted(received, reverse=True)


def test_date_slices_meet_without_gap_or_overlap(mailbox: Mailbox) -> None:
    everything = [one["id"] for one in get(mailbox, INBOX, top=1000)["value"]]
    cut = get(mailbox, INBOX, top=1, skip=20)["value"][0]["receivedDateTime"]
    newer = get(mailbox, INBOX, top=1000, filter=f"receivedDateTime ge {cut}")["value"]
    older = get(
        mailbox,
        INBOX,
        top=1000,
        filter=f"receivedDateTime lt {cut} and receivedDateTime ge 2020-01-01T00:00:00Z",
    )
    assert len(newer) >= 21
    assert [one["id"] for one in newer + older["value"]] == everything


def test_pages_with_bodies_carry_headers_and_attachment_metadata_without_bytes(mailbox: Mailbox) -> None:
    page = get(mailbox, INBOX, top=50, select="id,body,internetMessageHeaders", expand="attachments($select=id,name)")
    assert all(one["body"]["contentType"] == "html" and one["internetMessageHeaders"] for one in page["value"])
    attachments = [file for one in page["value"] for file in one["attachments"]]
    assert attachments and not any("contentBytes" in file for file in attachments)


def test_small_selection_is_served_without_bodies(mailbox: Mailbox) -> None:
    first = get(mailbox, INBOX, top=1, select="id,isRead,changeKey")["value"][0]
    assert "body" not in first and first["changeKey"] in first["@odata.etag"]


def test_delta_round_ends_in_a_link_that_brings_nothing_new(mailbox: Mailbox) -> None:
    prefer = 'IdType="ImmutableId", odata.maxpagesize=30'
    first = get(mailbox, f"{INBOX}/delta", prefer=prefer, select="id,isRead")
    second = follow(mailbox, first["@odata.nextLink"], prefer=prefer)
    assert (len(first["value"]), len(second["value"])) == (30, 20)
    assert "@odata.deltaLink" not in first and "@odata.nextLink" not in second
    assert "body" not in second["value"][0]
    third = follow(mailbox, second["@odata.deltaLink"], prefer=prefer)
    assert third["value"] == [] and "@odata.deltaLink" in third


@pytest.mark.parametrize("query", ["%24search=x", "%24filter=isRead+eq+false", "%24top=1001", "%24orderby=subject"])
def test_options_it_does_not_know_are_refused(mailbox: Mailbox, query: str) -> None:
    assert Desk(mailbox=mailbox).answer(Asked(origin="http://feeder", path=INBOX, query=query)).status == 400


def test_folders_resolve_by_id_by_well_known_name_and_in_quotes(mailbox: Mailbox) -> None:
    listed = get(mailbox, "/v1.0/me/mailFolders")["value"]
    assert {one["id"] for one in listed} == set(IDS.values())
    for name in ("/SentItems", "('sentitems')", f"/{IDS['sentitems']}"):
        assert get(mailbox, f"/v1.0/me/mailFolders{name}")["displayName"] == "Sent Items"
    assert get(mailbox, "/v1.0/me/mailFolders/inbox/childFolders")["value"] == []
    assert get(mailbox, "/v1.0/me/mailFolders/sentitems/messages")["value"] == []


def test_batch_answers_each_item_by_its_id(mailbox: Mailbox) -> None:
    wanted = [
        {"id": "1", "method": "GET", "url": "/me/mailFolders/inbox"},
        {"id": "2", "method": "GET", "url": "/me/mailFolders/nowhere"},
    ]
    asked = Asked(origin="http://feeder", path="/v1.0/$batch")
    made = Desk(mailbox=mailbox).batch(asked=asked, body=msgspec.json.encode({"requests": wanted}))
    statuses = {one["id"]: one["status"] for one in msgspec.json.decode(made.body)["responses"]}
    assert statuses == {"1": 200, "2": 404}


def test_compressed_page_inflates_to_the_plain_one(mailbox: Mailbox) -> None:
    desk = Desk(mailbox=mailbox)
    for query in ("%24top=7&%24skip=3", "%24top=50", "%24top=5&%24skip=50"):
        plain = desk.answer(Asked(origin="http://feeder", path=INBOX, query=query))
        packed = desk.answer(Asked(origin="http://feeder", path=INBOX, query=query, packed=True))
        assert packed.packed and gzip.decompress(packed.body) == plain.body


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A feeder process with 50 messages and Graph's latency."""
    with processes.feeder(messages=50, arguments=["--mean", "3000"]) as started:
        yield started


def test_fifth_request_at_once_is_throttled_and_counted(origin: str) -> None:
    async def burst() -> list[int]:
        async with httpx2.AsyncClient(trust_env=False, headers={"Authorization": "Bearer burst.1"}) as client:
            answers = await asyncio.gather(*(client.get(f"{origin}/v1.0/me") for _ in range(6)))
            return sorted(one.status_code for one in answers)

    processes.ask(url=f"{origin}/_feeder/reset", method="POST")
    assert asyncio.run(burst()) == [200, 200, 200, 200, 429, 429]
    counted = processes.ask(url=f"{origin}/_feeder/counters")
    assert (counted["requests"], counted["throttled"], counted["max_in_flight"]) == (6, 2, 4)


def test_refresh_token_keeps_naming_its_mailbox(origin: str) -> None:
    with httpx2.Client(trust_env=False) as client:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": "ana.old",
            "client_id": "x",
            "scope": "Mail.Read",
        }
        fresh = client.post(f"{origin}/common/oauth2/v2.0/token", data=form).json()
        assert fresh["access_token"].startswith("ana.") and fresh["refresh_token"] != "ana.old"
        assert client.get(f"{origin}/v1.0/me").status_code == 401


def test_bare_downloader_reads_every_message_on_four_streams(origin: str) -> None:
    processes.ask(url=f"{origin}/_feeder/reset?latency=on", method="POST")
    result = bare.run(feeder_url=origin, database_url="", page_size=5, messages=50)
    counted = processes.ask(url=f"{origin}/_feeder/counters")
    assert result.messages == counted["messages"] == 50
    assert (counted["throttled"], counted["max_in_flight"]) == (0, 4)


def test_runner_that_fails_is_reported_with_its_own_words(origin: str) -> None:
    with pytest.raises(processes.Failed, match="ConnectError"):
        processes.runner(
            module="bench.peers.bare",
            feeder_url="http://127.0.0.1:9",
            database_url="",
            page_size=10,
            messages=10,
            timeout=60,
        )


def test_feeder_process_is_gone_after_use() -> None:
    with processes.feeder(messages=1, arguments=["--mean", "1000"]) as started:
        port = urlsplit(started).port
    listening = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True, check=True).stdout
    assert not any(
        line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in listening.splitlines()[1:]
    )
