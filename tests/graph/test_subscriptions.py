"""Subscriptions: what is asked, and what the refusals tell."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest
from tests.graph.wiring import NOW, Wire, error, ok, sent

from workestra.graph import subscriptions
from workestra.graph.errors import AlreadySubscribed, Forbidden, Gone, HandshakeFailed, LifeTooLong, Refused
from workestra.graph.wire import Subscription

ID = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"


async def create(wire: Wire) -> Subscription:
    return await subscriptions.create(
        wire.graph(),
        resource=subscriptions.folder_resource(folder="inbox"),
        notification_url="https://w.example/hooks/graph",
        lifecycle_url="https://w.example/hooks/lifecycle",
        client_state="secret",
        expires_at=NOW,
    )


async def test_subscription_asks_for_all_changes_of_a_folder_and_for_lifecycle_events() -> None:
    created = {"id": ID, "expirationDateTime": "2026-11-24T12:00:00+05:30", "clientState": None}
    wire = Wire(httpx2.Response(201, json=created))
    made = await create(wire)
    assert made.expiration_date_time == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    assert sent(wire.requests[0]) == {
        "changeType": "created,updated,deleted",
        "resource": "me/mailFolders('inbox')/messages",
        "notificationUrl": "https://w.example/hooks/graph",
        "lifecycleNotificationUrl": "https://w.example/hooks/lifecycle",
        "clientState": "secret",
        "expirationDateTime": "2026-11-22T12:00:00.000000Z",
        "latestSupportedTlsVersion": "v1_2",
    }
    assert wire.requests[0].headers["prefer"] == 'IdType="ImmutableId"'


@pytest.mark.parametrize(
    ("text", "existing"),
    [
        (f"Subscription Id {ID} already exists for the requested combination", ID),
        (f"Subscription Id <{ID}> already exists for the requested combination", ID),
        ("Something else", None),
    ],
)
async def test_doubled_subscription_names_its_twin(text: str, existing: str | None) -> None:
    with pytest.raises(AlreadySubscribed) as caught:
        await create(Wire(error(409, "ObjectIdentifierInUse", text)))
    assert caught.value.existing_id == existing
    with pytest.raises(AlreadySubscribed):
        await create(Wire(error(409, "", text)))


async def test_ceiling_is_read_from_the_refusal() -> None:
    text = "Subscription expiration can only be 10070 minutes in the future."
    with pytest.raises(LifeTooLong) as caught:
        await create(Wire(error(400, "ExtensionError", text)))
    assert caught.value.minutes == subscriptions.LONGEST_MINUTES == 10_070
    with pytest.raises(LifeTooLong):
        await subscriptions.renew(
            Wire(error(400, "ExtensionError", text)).graph(), subscription_id=ID, expires_at=NOW
        )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("InvalidRequest", "Subscription validation request failed. Response must exactly match validationToken"),
        ("InvalidRequest", "Subscription validation request timed out."),
        ("ValidationError", "x"),
    ],
)
async def test_failed_handshake_is_told_apart(code: str, text: str) -> None:
    with pytest.raises(HandshakeFailed):
        await create(Wire(error(400, code, text)))


async def test_other_refusal_stays_what_it_is() -> None:
    with pytest.raises(Refused) as caught:
        await create(Wire(error(400, "BadRequest", "resource")))
    assert type(caught.value) is Refused


async def test_renewal_and_reauthorisation_are_two_requests() -> None:
    wire = Wire(ok({"id": ID, "expirationDateTime": "2026-11-25T12:00:00Z"}))
    await subscriptions.renew(wire.graph(), subscription_id=ID, expires_at=NOW)
    await subscriptions.reauthorize(wire.graph(), subscription_id=ID)
    assert [(r.method, r.url.path) for r in wire.requests] == [
        ("PATCH", f"/v1.0/subscriptions/{ID}"),
        ("POST", f"/v1.0/subscriptions/{ID}/reauthorize"),
    ]
    assert wire.requests[1].headers["content-length"] == "0"


async def test_vanished_subscription_is_gone() -> None:
    with pytest.raises(Gone):
        await subscriptions.renew(Wire(error(404, "ResourceGone")).graph(), subscription_id=ID, expires_at=NOW)


async def test_missing_subscription_is_gone_and_not_a_missing_mailbox() -> None:
    with pytest.raises(Gone):
        await subscriptions.get(Wire(error(404, "ResourceNotFound")).graph(), subscription_id=ID)


async def test_list_get_and_delete() -> None:
    wire = Wire(ok({"value": [{"id": ID, "resource": "me/messages"}]}))
    assert [one.id for one in await subscriptions.list_all(wire.graph())] == [ID]
    assert (await subscriptions.get(Wire(ok({"id": ID})).graph(), subscription_id=ID)).id == ID
    wire = Wire(httpx2.Response(204))
    await subscriptions.delete(wire.graph(), subscription_id=ID)
    assert (wire.requests[0].method, wire.requests[0].url.path) == ("DELETE", f"/v1.0/subscriptions/{ID}")


@pytest.mark.parametrize("hostile", ["../me/messages/AAA", "..%2Fme", "", "a/b", "x" * 65, "a.b"])
async def test_delete_of_anything_but_a_subscription_never_leaves(hostile: str) -> None:
    wire = Wire(httpx2.Response(204))
    with pytest.raises((Forbidden, Refused)):
        await subscriptions.delete(wire.graph(), subscription_id=hostile)
    assert wire.requests == []
