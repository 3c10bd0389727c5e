"""Delivery of notices: content, tokens, retries, lifecycle, faults (Graph: change notifications)."""

from __future__ import annotations

from datetime import timedelta

from tests.contract.graph.endpoint import LIFE, endpoint_for
from tests.contract.graph.stagecraft import IMMUTABLE, NOW, Stage, letter

from m365sandbox.endpoint_health import EndpointHealth


async def test_notice_names_subscription_message_and_state(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await stage.world.start()
    sub = (await hook.subscribe(prefer=IMMUTABLE)).json()
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(letter())
    box.deliver(letter(), folder="archive")
    (notice,) = await hook.wait(1)
    known = box.immutable_id(item)
    assert notice["subscriptionId"] == sub["id"] and notice["clientState"] == "secret"
    assert notice["changeType"] == "created" and notice["tenantId"] == stage.ana.tenant.id
    assert notice["resource"] == f"Users/{stage.ana.id}/Messages/{known}"
    assert notice["resourceData"]["id"] == known
    assert notice["resourceData"]["@odata.type"] == "#Microsoft.Graph.Message"
    assert notice["resourceData"]["@odata.etag"].startswith('W/"')
    assert notice["subscriptionExpirationDateTime"] == sub["expirationDateTime"]
    assert len(await hook.quiet()) == 1


async def test_changes_make_updated_deleted_and_created_again(stage: Stage) -> None:
    """A move is deleted from the source and created in the target for folder subscriptions."""
    hook = endpoint_for(stage)
    await stage.world.start()
    await hook.subscribe()
    await hook.subscribe(resource="me/mailFolders('archive')/messages", changeType="created")
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(letter())
    old = box.default_id(item)
    box.mark_read(item)
    box.move(item, "archive")
    notices = await hook.wait(4)
    assert [n["changeType"] for n in notices] == ["created", "updated", "deleted", "created"]
    assert notices[2]["resourceData"]["id"] == old
    assert notices[3]["resourceData"]["id"] == box.default_id(item) != old


async def test_filtered_subscription_tells_what_leaves_its_filter_as_deleted(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await stage.world.start()
    assert (
        await hook.subscribe(resource="me/mailFolders('inbox')/messages?$filter=isRead eq false")
    ).status_code == 201
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(letter())
    box.deliver(letter(), is_read=True)
    box.mark_read(item)
    box.flag(item)
    box.mark_read(item, False)
    assert [n["changeType"] for n in await hook.wait(3)] == ["created", "deleted", "created"]
    assert len(await hook.quiet()) == 3


async def test_refused_notice_is_sent_again_until_taken(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await stage.world.start()
    await hook.subscribe()
    hook.statuses = [500, 503]
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    await hook.wait(1)
    assert len(hook.posts) == 3 and len({post[1][0]["id"] for post in hook.posts}) == 1


async def test_slow_answer_counts_as_none(stage: Stage) -> None:
    """3 s for the first try, 10 s for the next ones."""
    timing = stage.world.courier.timing
    assert (timing.first_try, timing.retry) == (3.0, 10.0)
    hook = endpoint_for(stage)
    timing.first_try = 0.03
    hook.seconds = 0.1
    await stage.world.start()
    await hook.subscribe()
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    await hook.wait(1)
    assert stage.world.courier.waiting()["waiting"] == 0


async def test_expired_token_stops_delivery_until_reauthorized(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await stage.world.start()
    sub = (await hook.subscribe()).json()["id"]
    stage.clock.advance(minutes=56)
    (notice,) = await hook.wait(1)
    assert notice["lifecycleEvent"] == "reauthorizationRequired" and "resource" not in notice
    assert set(notice) == {
        "id",
        "subscriptionId",
        "subscriptionExpirationDateTime",
        "tenantId",
        "clientState",
        "lifecycleEvent",
    }
    assert hook.posts[-1][0] == LIFE
    stage.clock.advance(minutes=5)
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    assert len(await hook.quiet()) == 1
    assert stage.world.courier.waiting()["held"] == 1
    stage.tokens.known["ana"].expires_at = stage.clock.now + timedelta(hours=1)
    assert (await stage.ask("POST", f"/subscriptions/{sub}/reauthorize")).status_code == 200
    assert (await hook.wait(2))[1]["changeType"] == "created"


async def test_renewal_carries_the_token_on_too(stage: Stage) -> None:
    hook = endpoint_for(stage)
    sub = (await hook.subscribe()).json()["id"]
    stage.tokens.known["ana"].expires_at = NOW + timedelta(hours=2)
    await stage.ask("PATCH", f"/subscriptions/{sub}", json={"expirationDateTime": "2026-11-23T09:00:00Z"})
    assert stage.world.subscriptions[sub].token_expires_at == NOW + timedelta(hours=2)


async def test_notices_can_be_dropped_doubled_and_shuffled(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await stage.world.start()
    await hook.subscribe()
    faults, box = stage.world.courier.faults, stage.world.mailboxes[stage.ana.id]
    faults.drop_next = 1
    box.deliver(letter())
    assert await hook.quiet() == [] and stage.world.courier.dropped == 1
    faults.duplicate = 1.0
    box.deliver(letter())
    first, second = await hook.wait(2)
    assert first == second
    faults.duplicate, faults.reorder = 0.0, True
    order = [box.default_id(box.deliver(letter())) for _ in range(12)]
    seen = [n["resourceData"]["id"] for n in (await hook.wait(14))[2:]]
    assert sorted(seen) == sorted(order) and seen != order


async def test_drained_notices_say_so(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await hook.subscribe()
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    state = (await stage.http.get("http://graph.test/_sandbox/notices")).json()
    assert state["waiting"] == 1 and state["drained"] is False
    await stage.world.start()
    await hook.wait(1)
    await hook.quiet(0.05)
    state = (await stage.http.get("http://graph.test/_sandbox/notices")).json()
    assert state["drained"] is True and state["delivered"] == 1


async def test_lifecycle_and_forged_notices_come_on_demand(stage: Stage) -> None:
    hook = endpoint_for(stage)
    await stage.world.start()
    sub = (await hook.subscribe()).json()["id"]
    control = "http://graph.test/_sandbox"
    await stage.http.post(f"{control}/lifecycle", json={"event": "missed"})
    await stage.http.post(f"{control}/lifecycle", json={"event": "subscriptionRemoved", "id": sub})
    await stage.http.post(
        f"{control}/forge", json={"url": LIFE, "notice": {"subscriptionId": "x", "clientState": "bad"}}
    )
    notices = await hook.wait(3)
    assert [n.get("lifecycleEvent") for n in notices] == ["missed", "subscriptionRemoved", None]
    assert stage.world.subscriptions == {}


def test_slow_and_dropped_endpoints_follow_the_documented_shares() -> None:
    """Over 10 % of answers above 3 s in ten minutes: slow. Over 15 % above 10 s: drop. It passes with the window."""
    health = EndpointHealth()
    for n in range(100):
        health.answered(n, 0.1)
    assert health.state(100) == "well"
    for n in range(12):
        health.answered(100 + n, 4)
    assert health.state(112) == "slow"
    for n in range(22):
        health.answered(112 + n, 11)
    assert health.state(134) == "drop"
    assert health.state(1000) == "well"
