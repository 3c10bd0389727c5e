"""The control API: what people do in Outlook, and the truth that syncs are compared with (SBX 2, 5)."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import tracemalloc
from datetime import timedelta
from typing import Any

from tests.contract.graph.stagecraft import IMMUTABLE, NOW, Stage

from m365sandbox.letters import Address, Letter
from m365sandbox.world import World

BASE = "http://graph.test/_sandbox"
ANA = f"{BASE}/mailboxes/ana@harbour.example"


async def call(stage: Stage, method: str, url: str, **body: Any) -> dict[str, Any]:
    answer = await stage.http.request(method, url, json=body)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def truth(stage: Stage) -> list[dict[str, Any]]:
    answer = await stage.http.get(f"{ANA}/truth")
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_delivered_letter_is_what_graph_shows(stage: Stage) -> None:
    made = await call(
        stage,
        "POST",
        f"{ANA}/letters",
        **{"from": "Cora <cora@customer.example>"},
        to=["ana@harbour.example"],
        subject="Plan",
        html="<p>See file</p>",
        categories=["Red category"],
        flag="flagged",
        attachments=[{"name": "p.txt", "content_type": "text/plain", "content": base64.b64encode(b"hi").decode()}],
    )
    message = await stage.ok(f"/me/messages/{made['id']}?$expand=attachments", prefer=IMMUTABLE)
    assert message["subject"] == "Plan" and message["from"]["emailAddress"] == {
        "name": "Cora",
        "address": "cora@customer.example",
    }
    assert message["receivedDateTime"] == "2026-11-22T09:00:00Z" and message["bodyPreview"] == "See file"
    assert message["attachments"][0]["contentBytes"] == "aGk=" and message["flag"] == {"flagStatus": "flagged"}


async def test_reply_joins_the_conversation_of_what_it_answers(stage: Stage) -> None:
    first = await call(stage, "POST", f"{ANA}/letters", subject="Q", text="?")
    second = await call(
        stage, "POST", f"{ANA}/letters", subject="RE: Q", text="!", in_reply_to=first["internetMessageId"]
    )
    assert first["conversationId"] == second["conversationId"]


async def test_person_in_outlook_reads_flags_files_moves_and_deletes(stage: Stage) -> None:
    made = await call(stage, "POST", f"{ANA}/letters", subject="A", text="a")
    for verb, more in (
        ("read", {}),
        ("flag", {}),
        ("categorise", {"categories": ["Blue"]}),
        ("move", {"folder": "archive"}),
    ):
        await call(stage, "POST", f"{ANA}/messages/{verb}", id=made["id"], **more)
    (line,) = await truth(stage)
    assert (line["isRead"], line["flag"], line["categories"], line["folder"]) == (
        True,
        "flagged",
        ["Blue"],
        "Archive",
    )
    await call(stage, "POST", f"{ANA}/messages/unread", internetMessageId=made["internetMessageId"])
    await call(stage, "POST", f"{ANA}/messages/delete", id=made["id"])
    (line,) = await truth(stage)
    assert (line["isRead"], line["folder"]) == (False, "Deleted Items")
    await call(stage, "POST", f"{ANA}/messages/purge", id=made["id"])
    assert await truth(stage) == []


async def test_folders_are_added_renamed_moved_and_deleted(stage: Stage) -> None:
    made = await call(stage, "POST", f"{ANA}/folders", name="Projects")
    below = await call(stage, "POST", f"{ANA}/folders", name="Harbour", parent=made["id"])
    assert below["path"] == "Projects/Harbour"
    again = await stage.http.post(f"{ANA}/folders", json={"name": "PROJECTS"})
    assert again.status_code == 409
    assert (await call(stage, "PATCH", f"{ANA}/folders", folder="Projects", name="Works"))["path"] == "Works"
    await call(stage, "PATCH", f"{ANA}/folders", folder=below["id"], parent="archive")
    await call(stage, "DELETE", f"{ANA}/folders", folder=below["id"])
    paths = {f["path"] for f in (await call(stage, "GET", f"{ANA}/folders"))["value"]}
    assert {"Works", "Deleted Items/Harbour"} <= paths and "Projects" not in paths


async def test_truth_hashes_the_body_as_graph_serves_it(stage: Stage) -> None:
    await call(
        stage,
        "POST",
        f"{ANA}/letters",
        subject="H",
        html="<p>Grüße</p>",
        to=["a@x.example"],
        cc=["b@x.example"],
    )
    await call(stage, "POST", f"{ANA}/letters", subject="T", text="plain <b>")
    for line in await truth(stage):
        message = await stage.ok(f"/me/messages/{line['id']}", prefer=IMMUTABLE)
        assert line["bodySha256"] == hashlib.sha256(message["body"]["content"].encode()).hexdigest()
        assert line["conversationId"] == message["conversationId"] and line["folderId"] == message["parentFolderId"]
        assert line["receivedDateTime"] == message["receivedDateTime"]
        assert line["internetMessageId"] == message["internetMessageId"]


async def test_faults_latency_switches_and_tokens_are_set_from_outside(stage: Stage) -> None:
    await call(stage, "POST", f"{BASE}/faults", match="/me/messages", kind="status", status=503, times=2)
    assert (await call(stage, "GET", f"{BASE}/faults"))["value"][0]["times"] == 2
    assert (await stage.get("/me/messages")).status_code == 503
    await call(stage, "DELETE", f"{BASE}/faults")
    assert (await stage.get("/me/messages")).status_code == 200
    await call(stage, "PUT", f"{BASE}/latency", per_request=1, per_message=0.5)
    assert (stage.world.ms_per_request, stage.world.ms_per_message) == (1, 0.5)
    shown = await call(stage, "PATCH", f"{BASE}/switches", delta_empty_pages=True, notices={"drop": 0.5})
    assert shown["delta_empty_pages"] is True and shown["notices"]["drop"] == 0.5
    unknown = await stage.http.patch(f"{BASE}/switches", json={"nonsense": 1})
    assert unknown.status_code == 400
    _, link = await stage.round("/me/mailFolders/inbox/messages/delta")
    await call(stage, "POST", f"{BASE}/expire-delta", mailbox="ana@harbour.example", folder="inbox")
    assert (await stage.get(link)).status_code == 410


async def test_request_counters_are_read_and_reset(stage: Stage) -> None:
    await stage.get("/me/messages")
    log = await call(stage, "GET", f"{BASE}/requests")
    assert log["counters"]["total"] == 1 and log["value"][0]["path"] == "/me/messages"
    await call(stage, "DELETE", f"{BASE}/requests")
    assert (await call(stage, "GET", f"{BASE}/requests"))["counters"]["total"] == 0


async def test_what_is_not_there_is_said_plainly(stage: Stage) -> None:
    for method, url, body, status in (
        ("POST", f"{BASE}/mailboxes/nobody@x/letters", {}, 404),
        ("GET", f"{BASE}/mailboxes/nobody@x/truth", {}, 404),
        ("POST", f"{ANA}/messages/read", {"id": "nonsense"}, 400),
        ("POST", f"{ANA}/messages/read", {}, 404),
        ("POST", f"{ANA}/letters", {"folder": "nowhere"}, 400),
        ("POST", f"{BASE}/faults", {"match": "("}, 400),
        ("POST", f"{BASE}/revoke", {"address": "x"}, 501),
    ):
        answer = await stage.http.request(method, url, json=body)
        assert answer.status_code == status and answer.json()["error"], (url, answer.text)


async def test_large_mailbox_is_light(stage: Stage) -> None:
    """About a kilobyte a message; pages come from the index."""
    world = World(stage.world.directory, stage.clock, seed=1)
    box = world.add_mailbox(stage.ana.id)
    sender, to = Address("C", "c@x.example"), (Address("A", "a@x.example"),)
    tracemalloc.start()
    began = time.process_time()
    for n in range(20_000):
        at = NOW - timedelta(seconds=n * 7919 % 3_000_000)
        box.deliver(
            Letter(
                f"Subject {n}",
                sender,
                to,
                at,
                at,
                f"<{n}@x.example>",
                lambda: ("html", "x"),
                lambda: "x",
                conversation=f"t{n // 3}",
            )
        )
    box.folder("inbox").index.items()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 20_000 * 1500
    assert time.process_time() - began < 20  # a guard against quadratic building, not a measurement
