"""Throttling, batches, faults and the request log (Graph: throttling limits, JSON batching)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.contract.graph.stagecraft import NOW, FakeAccess, Stage, letter

from m365sandbox.faults import Fault


async def test_fifth_request_at_once_on_one_mailbox_is_throttled(stage: Stage) -> None:
    """Four concurrent requests per app and mailbox; others are not affected."""
    stage.world.latency(60, 0)
    stage.tokens.known["other-app"] = FakeAccess(stage.ana, app_id="99999999-aaaa-4bbb-8ccc-222222222222")
    answers = await asyncio.gather(
        *(stage.get("/me/messages") for _ in range(5)),
        stage.get("/me/messages", token="ben"),
        stage.get("/users/sales@harbour.example/messages"),
        stage.get("/me/messages", token="other-app"),
    )
    assert [a.status_code for a in answers] == [200, 200, 200, 200, 429, 200, 200, 200]
    error = answers[4].json()["error"]
    assert (error["code"], error["message"]) == (
        "ApplicationThrottled",
        "Application is over its MailboxConcurrency limit.",
    )
    assert answers[4].headers["Retry-After"].isdigit()
    assert (await stage.get("/me/messages")).status_code == 200
    assert stage.world.requests.max_in_flight[stage.ana.id] == 5


async def test_ten_thousand_requests_in_ten_minutes_are_the_limit(stage: Stage) -> None:
    assert (stage.world.throttle.per_window, stage.world.throttle.window_seconds) == (10_000, 600)
    stage.world.throttle.per_window = 5
    for _ in range(5):
        assert (await stage.get("/me/messages/$count")).status_code == 200
    answer = await stage.get("/me/messages/$count")
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) == 600
    stage.clock.advance(seconds=601)
    assert (await stage.get("/me/messages/$count")).status_code == 200


async def test_latency_is_per_request_and_per_message(stage: Stage) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    stage.world.sleep = sleep
    stage.world.latency(150, 2)
    for n in range(10):
        stage.world.mailboxes[stage.ana.id].deliver(letter(received_at=NOW - timedelta(minutes=n)))
    await stage.ok("/me/messages?$top=7")
    await stage.ok("/me/mailFolders/inbox")
    assert waits == pytest.approx([0.164, 0.150])


async def batch(stage: Stage, *requests: dict[str, Any]) -> httpx2.Response:
    return await stage.ask("POST", "/$batch", json={"requests": list(requests)})


async def test_batch_answers_each_item_alone(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    item = box.immutable_id(box.deliver(letter("One")))
    answer = await batch(
        stage,
        {"id": "1", "method": "GET", "url": "/me/messages?$select=subject"},
        {
            "id": "2",
            "method": "PATCH",
            "url": f"/me/messages/{item}",
            "headers": {"Content-Type": "application/json"},
            "body": {"isRead": True},
        },
        {"id": "3", "method": "GET", "url": "me/messages/nonsense"},
        {"id": "4", "method": "GET", "url": f"/me/messages/{item}/$value"},
    )
    assert answer.status_code == 200
    replies = {reply["id"]: reply for reply in answer.json()["responses"]}
    assert {name: reply["status"] for name, reply in replies.items()} == {
        "1": 200,
        "2": 200,
        "3": 400,
        "4": 200,
    }
    assert replies["1"]["body"]["value"][0]["subject"] == "One"
    assert replies["3"]["body"]["error"]["code"] == "ErrorInvalidIdMalformed"
    assert isinstance(replies["4"]["body"], str)
    assert replies["1"]["headers"]["Content-Type"] == "application/json"
    assert box.find(item) is not None and box.find(item).is_read is True  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"id": str(n), "method": "GET", "url": "/me"} for n in range(21)],
        [{"id": "1", "method": "GET", "url": "/me"}] * 2,
        [{"id": "1", "method": "GET"}],
        [{"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/me"}],
        [{"id": "1", "method": "PATCH", "url": "/me", "body": {}}],
        [{"id": "1", "method": "GET", "url": "/me", "dependsOn": ["9"]}],
        [
            {"id": "1", "method": "GET", "url": "/me"},
            {"id": "2", "method": "GET", "url": "/me"},
            {"id": "3", "method": "GET", "url": "/me", "dependsOn": ["1"]},
        ],
    ],
)
async def test_batch_that_is_malformed_is_refused_whole(stage: Stage, requests: list[dict[str, Any]]) -> None:
    assert (await batch(stage, *requests)).status_code == 400


async def test_failed_dependency_is_424(stage: Stage) -> None:
    answer = await batch(
        stage,
        {"id": "a", "method": "GET", "url": "/me/messages/nonsense"},
        {"id": "b", "method": "GET", "url": "/me", "dependsOn": ["a"]},
        {"id": "c", "method": "GET", "url": "/me", "dependsOn": ["b"]},
    )
    statuses = {reply["id"]: reply["status"] for reply in answer.json()["responses"]}
    assert statuses == {"a": 400, "b": 424, "c": 424}


async def test_batch_of_twenty_stays_within_four_at_once_but_shares_them_with_others(stage: Stage) -> None:
    stage.world.latency(10, 0)
    many = [{"id": str(n), "method": "GET", "url": "/me/messages"} for n in range(20)]
    alone = await batch(stage, *many)
    assert {reply["status"] for reply in alone.json()["responses"]} == {200}
    both = await asyncio.gather(batch(stage, *many), stage.get("/me/messages"), stage.get("/me/messages"))
    throttled = [reply for reply in both[0].json()["responses"] if reply["status"] == 429]
    refused = [answer for answer in both[1:] if answer.status_code == 429]
    assert both[0].status_code == 200 and (throttled or refused)
    assert all(reply["headers"]["Retry-After"] == "1" for reply in throttled)


async def test_fault_meets_the_next_request_only_and_then_is_used_up(stage: Stage) -> None:
    stage.world.faults.add(Fault("GET /me/messages", "status", status=503, headers={"Retry-After": "2.128"}))
    answer = await stage.get("/me/messages")
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "2.128" and "error" in answer.json()
    assert (await stage.get("/me/messages")).status_code == 200


async def test_fault_after_the_effect_has_taken_it(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(letter())
    path = f"/me/messages/{box.immutable_id(item)}"
    stage.world.faults.add(Fault("^PATCH", "status", status=504, after=True))
    assert (await stage.ask("PATCH", path, json={"isRead": True})).status_code == 504
    assert item.is_read is True
    stage.world.faults.add(Fault("^PATCH", "cut"))
    with pytest.raises(httpx2.ReadError):
        await stage.ask("PATCH", path, json={"isRead": False})
    assert item.is_read is True
    stage.world.faults.add(Fault("^PATCH", "cut", after=True))
    with pytest.raises(httpx2.ReadError):
        await stage.ask("PATCH", path, json={"isRead": False})
    assert item.is_read is False


async def test_malformed_and_html_answers(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    stage.world.faults.add(Fault("messages", "malformed", after=True))
    answer = await stage.get("/me/messages")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()
    stage.world.faults.add(Fault("messages", "html", status=200))
    answer = await stage.get("/me/messages")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")


async def test_fault_in_a_batch_meets_one_item(stage: Stage) -> None:
    stage.world.faults.add(Fault("GET /me/mailFolders", "status", status=429, headers={"Retry-After": "7"}))
    answer = await batch(
        stage,
        {"id": "1", "method": "GET", "url": "/me"},
        {"id": "2", "method": "GET", "url": "/me/mailFolders"},
    )
    replies = {reply["id"]: reply for reply in answer.json()["responses"]}
    assert answer.status_code == 200 and replies["1"]["status"] == 200
    assert replies["2"]["status"] == 429 and replies["2"]["headers"]["Retry-After"] == "7"


async def test_request_log_names_mailbox_status_and_method(stage: Stage) -> None:
    await stage.get("/me/messages?$top=3")
    await stage.get("/me/messages/nonsense")
    log = stage.world.requests
    assert [(e.method, e.path, e.query, e.status, e.mailbox) for e in log.entries] == [
        ("GET", "/me/messages", "$top=3", 200, stage.ana.id),
        ("GET", "/me/messages/nonsense", "", 400, stage.ana.id),
    ]
    assert log.by_method == {"GET": 2} and log.by_status == {200: 1, 400: 1} and log.entries[0].size > 0
