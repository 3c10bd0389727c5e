"""Subscriptions: handshake, limits, conflicts, ownership (Graph: subscription; receive notifications by webhooks)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.graph.endpoint import LIFE, URL, endpoint_for
from tests.contract.graph.stagecraft import NOW, Stage, iso_in, letter


async def test_both_addresses_are_asked_before_201(stage: Stage) -> None:
    """An empty POST with validationToken, form-encoded (plus for space, lower-case hex); own parameters stay."""
    hook = endpoint_for(stage)
    answer = await hook.subscribe()
    assert answer.status_code == 201
    sub = answer.json()
    assert sub["resource"] == "me/mailFolders('inbox')/messages" and sub["clientState"] == "secret"
    assert sub["creatorId"] == stage.ana.id and sub["expirationDateTime"] == "2026-11-25T03:40:00Z"
    assert {
        "applicationId",
        "latestSupportedTlsVersion",
        "lifecycleNotificationUrl",
        "includeResourceData",
    } <= set(sub)
    first, second = hook.handshakes
    raw = str(first.url)
    assert raw.startswith(f"{URL}&validationToken=Validation%3a+Testing+client+application+reachability+")
    assert str(second.url).startswith(f"{LIFE}?validationToken=")
    assert first.content == b"" and first.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("refuse", "Notification endpoint must respond with 200 OK to validation request."),
        ("encoded", "Response must exactly match validationToken query parameter."),
        ("html", "Response must exactly match validationToken query parameter."),
        ("hang", "Subscription validation request timed out."),
    ],
)
async def test_failed_handshake_refuses_the_subscription(stage: Stage, behaviour: str, words: str) -> None:
    hook = endpoint_for(stage)
    hook.handshake = behaviour
    stage.world.courier.timing.handshake = 0.05
    answer = await hook.subscribe()
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "InvalidRequest")
    assert words in error["message"]
    assert stage.world.subscriptions == {}


async def test_more_than_10070_minutes_are_refused_with_the_number(stage: Stage) -> None:
    hook = endpoint_for(stage)
    answer = await hook.subscribe(expirationDateTime=iso_in(NOW, minutes=10_080))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "ExtensionError"
    assert answer.json()["error"]["message"] == "Subscription expiration can only be 10070 minutes in the future."
    assert (await hook.subscribe(expirationDateTime=iso_in(NOW, minutes=10_070))).status_code == 201
    assert len(hook.handshakes) == 2


async def test_under_45_minutes_are_raised_to_45(stage: Stage) -> None:
    answer = await endpoint_for(stage).subscribe(expirationDateTime="2026-11-22T14:35:00+05:30")
    assert answer.json()["expirationDateTime"] == "2026-11-22T09:45:00Z"


async def test_same_change_type_and_resource_again_is_409_with_the_id(stage: Stage) -> None:
    hook = endpoint_for(stage)
    first = (await hook.subscribe()).json()["id"]
    again = await hook.subscribe(changeType="deleted,created,updated")
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "ObjectIdentifierInUse"
    assert again.json()["error"]["message"] == f"Subscription Id {first} already exists for the requested combination"
    assert (await hook.subscribe(changeType="created")).status_code == 201
    assert (await hook.subscribe(token="ben")).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"notificationUrl": "http://workestra.test/hook"},
        {"notificationUrl": "ftp://x"},
        {"notificationUrl": "/hook"},
        {"lifecycleNotificationUrl": "http://workestra.test/life"},
        {"notificationUrl": None},
        {"resource": None},
        {"changeType": None},
        {"expirationDateTime": None},
        {"changeType": "created,moved"},
        {"resource": "me/events"},
        {"resource": "me/mailFolders('inbox')"},
        {"resource": "me/messages?$select=subject"},
        {"clientState": "x" * 129},
        {"expirationDateTime": "tomorrow"},
        {"expirationDateTime": "2026-11-24T00:00:00"},
        {"expirationDateTime": "2026-11-21T00:00:00Z"},
        {"latestSupportedTlsVersion": "v9"},
        {"colour": "red"},
        {"includeResourceData": True},
    ],
)
async def test_subscription_that_graph_refuses_is_400_without_a_handshake(
    stage: Stage, changes: dict[str, Any]
) -> None:
    hook = endpoint_for(stage)
    answer = await hook.subscribe(**changes)
    assert answer.status_code == 400 and answer.json()["error"]["message"]
    assert hook.handshakes == [] and stage.world.subscriptions == {}


async def test_plain_http_is_for_loopback_only_and_can_be_forbidden(stage: Stage) -> None:
    hook = endpoint_for(stage)
    local = {
        "notificationUrl": "http://127.0.0.1:8000/h",
        "lifecycleNotificationUrl": "http://localhost:8000/l",
    }
    assert (await hook.subscribe(**local)).status_code == 201
    stage.world.allow_loopback_http = False
    assert (await hook.subscribe(**local, changeType="created")).status_code == 400


async def test_shared_mailbox_is_refused_or_silent_under_delegated_permission(stage: Stage) -> None:
    """Sharing permissions do not support subscriptions on items in shared or delegated folders."""
    hook = endpoint_for(stage)
    resource = "users/sales@harbour.example/mailFolders('inbox')/messages"
    answer = await hook.subscribe(resource=resource)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ExtensionError")
    stage.world.switches.shared_subscription = "silent"
    assert (await hook.subscribe(resource=resource)).status_code == 201
    await stage.world.start()
    stage.world.mailboxes[stage.shared.id].deliver(letter())
    assert await hook.quiet() == []


async def test_missing_mailbox_folder_or_scope_is_wrapped(stage: Stage) -> None:
    hook = endpoint_for(stage)
    foreign = stage.world.mailboxes[stage.ben.id].folder("inbox").id
    for token, resource, status in (
        ("olga", "me/messages", 404),
        ("ana", f"me/mailFolders('{foreign}')/messages", 404),
        ("ana-profile", "me/messages", 403),
    ):
        answer = await hook.subscribe(token=token, resource=resource)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, "ExtensionError")
        assert answer.json()["error"]["message"].startswith("Operation: Create; Exception: [Status Code: ")


async def test_owner_gets_lists_renews_and_deletes_and_nobody_else(stage: Stage) -> None:
    hook = endpoint_for(stage)
    sub = (await hook.subscribe()).json()["id"]
    path = f"/subscriptions/{sub}"
    assert (await stage.ok(path))["id"] == sub
    assert [one["id"] for one in (await stage.ok("/subscriptions"))["value"]] == [sub]
    assert (await stage.ok("/subscriptions", token="ben"))["value"] == []
    assert (await stage.refused(path, token="ben"))[0] == 404
    assert (await stage.refused("/subscriptions?$top=5"))[0] == 400
    renewed = await stage.ask("PATCH", path, json={"expirationDateTime": iso_in(NOW, minutes=9000)})
    assert renewed.status_code == 200 and renewed.json()["expirationDateTime"] == "2026-11-28T15:00:00Z"
    late = await stage.ask("PATCH", path, json={"expirationDateTime": iso_in(NOW, minutes=10_071)})
    assert late.status_code == 400
    life = await stage.ask("PATCH", path, json={"lifecycleNotificationUrl": LIFE})
    assert life.status_code == 400
    assert (await stage.ask("POST", f"{path}/reauthorize")).status_code == 200
    assert (await stage.ask("DELETE", path)).status_code == 204
    assert (await stage.refused(path, method="PATCH", json={"expirationDateTime": iso_in(NOW, hours=1)}))[0] == 404


async def test_expired_subscription_is_gone(stage: Stage) -> None:
    hook = endpoint_for(stage)
    sub = (await hook.subscribe(expirationDateTime=iso_in(NOW, minutes=60))).json()["id"]
    stage.clock.advance(minutes=61)
    assert (await stage.refused(f"/subscriptions/{sub}"))[0] == 404
    assert (await stage.ok("/subscriptions"))["value"] == []
