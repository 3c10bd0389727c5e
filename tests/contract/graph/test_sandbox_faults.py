"""Every fault on demand, by probability or for the next requests, before and after taking effect (SBX 5)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import pytest
from tests.contract.graph.endpoint import URL, endpoint_for
from tests.contract.graph.stagecraft import IMMUTABLE, NOW, Stage, letter

from m365sandbox import app as sandbox
from m365sandbox.faults import Fault
from m365sandbox.server import Handle

LIST = "GET /me/messages"
DELTA = "/me/mailFolders/inbox/messages/delta"


async def set_fault(stage: Stage, **fault: Any) -> None:
    answer = await stage.http.post("http://graph.test/_sandbox/faults", json=fault)
    assert answer.status_code == 200, answer.text


def fill(stage: Stage, count: int = 3) -> list[str]:
    box = stage.world.mailboxes[stage.ana.id]
    return [box.immutable_id(box.deliver(letter(f"Letter {n}"))) for n in range(count)]


@pytest.mark.parametrize(
    ("said", "header"),
    [("7", "7"), ("2.5", "2.5"), ("", None)],
)
async def test_throttling_says_its_pause_in_seconds_decimals_or_not_at_all(
    stage: Stage, said: str, header: str | None
) -> None:
    await set_fault(stage, match=LIST, kind="throttle", retry_after=said)
    answer = await stage.get("/me/messages")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, header)
    assert (await stage.get("/me/messages")).status_code == 200


async def test_throttling_says_its_pause_as_a_date(stage: Stage) -> None:
    await set_fault(stage, match=LIST, kind="throttle", retry_after="date:30")
    answer = await stage.get("/me/messages")
    until = parsedate_to_datetime(answer.headers["Retry-After"])
    assert (until - NOW).total_seconds() == 30


async def test_throttling_inside_a_batch_lies_behind_an_outer_200(stage: Stage) -> None:
    """Graph: JSON batching: each request has a status of its own."""
    await set_fault(stage, match=LIST, kind="throttle", retry_after="7", batched=True, times=None)
    batch = {
        "requests": [{"id": "1", "method": "GET", "url": "/me/messages"}, {"id": "2", "method": "GET", "url": "/me"}]
    }
    answer = await stage.ask("POST", "/$batch", json=batch)
    assert answer.status_code == 200
    first, second = sorted(answer.json()["responses"], key=lambda one: one["id"])
    assert (first["status"], first["headers"]["Retry-After"], second["status"]) == (429, "7", 200)
    assert (await stage.get("/me/messages")).status_code == 200


async def test_a_claims_challenge_carries_its_claims(stage: Stage) -> None:
    await set_fault(stage, match=LIST, kind="challenge")
    answer = await stage.get("/me/messages")
    assert answer.status_code == 401
    assert 'error="insufficient_claims"' in answer.headers["WWW-Authenticate"]


async def test_a_fault_before_or_after_taking_effect_differs_in_the_effect(stage: Stage) -> None:
    (item,) = fill(stage, 1)
    box = stage.world.mailboxes[stage.ana.id]
    for after in (False, True):
        await set_fault(stage, match="PATCH", kind="status", status=504, after=after)
        answer = await stage.ask("PATCH", f"/me/messages/{item}", prefer=IMMUTABLE, json={"isRead": True})
        assert answer.status_code == 504
        found = box.find(item)
        assert found is not None
        assert found.is_read is after


async def test_faults_by_probability_are_drawn_from_the_seed(stage: Stage) -> None:
    def hits() -> list[int]:
        stage.world.random.seed(3)
        return [stage.world.faults.take("GET", "/me") is not None for _ in range(200)]

    stage.world.faults.add(Fault("GET", "status", times=None, probability=0.2))
    first = hits()
    assert first == hits()
    assert 20 < sum(first) < 60


async def test_the_next_so_many_requests_are_hit_after_those_that_are_skipped(stage: Stage) -> None:
    await set_fault(stage, match=LIST, kind="status", status=503, times=2, skip=1)
    assert [(await stage.get("/me/messages")).status_code for _ in range(4)] == [200, 503, 503, 200]


@pytest.mark.parametrize(
    "fault", [{"kind": "weather"}, {"kind": "status", "probability": 0}, {"kind": "cut", "match": "("}]
)
async def test_a_fault_that_is_none_is_refused_in_words(stage: Stage, fault: dict[str, Any]) -> None:
    answer = await stage.http.post("http://graph.test/_sandbox/faults", json={"match": "GET", **fault})
    assert answer.status_code == 400
    assert answer.json()["error"]


async def walked(stage: Stage) -> tuple[list[Any], int]:
    """Ids of a first delta round, and the pages that it took."""
    page = await stage.ok(DELTA, prefer=IMMUTABLE)
    ids, pages = [one["id"] for one in page["value"]], 1
    while "@odata.nextLink" in page:
        page = await stage.ok(page["@odata.nextLink"], prefer=IMMUTABLE)
        ids, pages = ids + [one["id"] for one in page["value"]], pages + 1
    assert "@odata.deltaLink" in page
    return ids, pages


@pytest.mark.parametrize(("kind", "times"), [("empty", 1), ("repeat", 2), ("double", 1), ("ghost", 1)])
async def test_odd_pages_name_all_that_is_there_in_their_odd_way(stage: Stage, kind: str, times: int) -> None:
    mine = set(fill(stage))
    plain, pages = await walked(stage)
    await set_fault(stage, match="GET .*/delta", kind=kind)
    ids, odd_pages = await walked(stage)
    assert {one for one in ids if one in mine} == mine
    if kind == "empty":
        assert (sorted(ids), odd_pages) == (sorted(plain), pages + 1)
    elif kind == "repeat":
        assert (sorted(ids), odd_pages) == (sorted(plain * times), pages + 1)
    elif kind == "double":
        assert len(ids) == len(plain) + 1
    else:
        assert len(set(ids) - mine) == 1


async def test_a_foreign_link_leads_to_another_host(stage: Stage) -> None:
    fill(stage)
    await set_fault(stage, match=LIST, kind="foreign")
    page = await stage.ok("/me/messages")
    assert httpx2.URL(page["@odata.nextLink"]).host != "graph.test"


async def test_what_is_no_page_is_left_alone_by_faults_of_pages(stage: Stage) -> None:
    await set_fault(stage, match="GET /me$", kind="empty", times=None)
    assert "value" not in await stage.ok("/me")


async def test_a_ceiling_of_subscriptions_is_refused_with_graphs_words(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await stage.http.patch("http://graph.test/_sandbox/switches", json={"subscriptions_per_mailbox": 1})
    assert (await hook.subscribe()).status_code == 201
    answer = await hook.subscribe(resource="me/mailFolders('archive')/messages")
    assert answer.status_code == 403
    assert "limit of 1 subscriptions" in answer.json()["error"]["message"]


async def test_a_hasty_notice_arrives_before_the_answer_that_creates_its_subscription(stage: Stage) -> None:
    (item,) = fill(stage, 1)
    hook = endpoint_for(stage)
    await stage.http.patch("http://graph.test/_sandbox/switches", json={"notices": {"hasty": True}})
    made = await hook.subscribe(prefer=IMMUTABLE)
    assert made.status_code == 201  # the courier does not even run: the notice came within the request
    (notice,) = await hook.wait(1)
    assert (notice["subscriptionId"], notice["resourceData"]["id"]) == (made.json()["id"], item)


async def test_a_thousand_notices_come_in_one_body(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await stage.http.patch("http://graph.test/_sandbox/switches", json={"notices": {"per_body": 1000}})
    sub = (await hook.subscribe()).json()
    notice = {"subscriptionId": sub["id"], "changeType": "updated", "resource": "x", "clientState": "secret"}
    await stage.http.post("http://graph.test/_sandbox/forge", json={"url": URL, "notice": notice, "copies": 1000})
    await stage.world.start()
    assert len(await hook.wait(1000)) == 1000
    assert len(hook.posts) == 1


async def test_what_was_due_while_the_clock_jumped_is_due(stage: Stage) -> None:
    """A virtual clock: notices that are late by an hour come when an hour has passed here."""
    hook = endpoint_for(stage)
    await stage.world.start()
    await hook.subscribe()
    await stage.http.patch("http://graph.test/_sandbox/switches", json={"notices": {"delay_seconds": 3600}})
    fill(stage, 1)
    assert await hook.quiet() == []
    for sub in stage.world.subscriptions.values():
        sub.token_expires_at = sub.expires_at
    await stage.http.post("http://graph.test/_sandbox/clock", json={"seconds": 3601})
    assert len(await hook.wait(1)) == 1


@pytest.fixture
def served() -> Iterator[Handle]:
    with sandbox.serve_in_thread(sandbox.create_world(5, small=True)) as handle:
        yield handle


def test_over_a_socket_a_dropped_line_gives_no_byte(served: Handle) -> None:
    served.app.state.world.faults.add(Fault("GET", "drop", times=None))
    with httpx2.Client(base_url=served.url, trust_env=False) as client, pytest.raises(httpx2.RemoteProtocolError):
        client.get("/v1.0/me")


def test_over_a_socket_a_stalled_answer_begins_and_does_not_end(served: Handle) -> None:
    served.app.state.world.faults.add(Fault("GET", "stall", seconds=20))
    begun = time.monotonic()
    with (
        httpx2.Client(base_url=served.url, trust_env=False, timeout=0.5) as client,
        client.stream("GET", "/v1.0/me") as answer,
    ):
        assert answer.status_code == 200
        with pytest.raises(httpx2.ReadTimeout):
            answer.read()
    assert time.monotonic() - begun < 20
