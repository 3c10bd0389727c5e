"""The notification endpoint, asked by Microsoft and by strangers (SYN 1, 2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import msgspec
import pytest
from django.conf import settings as django_settings
from tests.mail import hands
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.kit.live import conninfo
from workestra.mail.doors import watches
from workestra.mail.hooks import BODY_CAP, PATH, Endpoint, _decoder
from workestra.mail.models import Connection, Notice, Schedule, Subscription
from workestra.tenancy.models import Member

SECRET = "a secret of forty and more characters, as we make them"


def _subscription(connection: Connection) -> Subscription:
    return Subscription.objects.create(
        mailbox_id=connection.mailbox_id,
        resource="inbox",
        graph_id=f"7f105c7d-0000-4000-8000-{connection.pk:012d}",
        secret_digest=watches.digest(secret=SECRET),
        created_at=clock.now(),
    )


@pytest.fixture
def connection(ana: Member, outlook: Outlook) -> Connection:
    return outlook.connect(ana)


@pytest.fixture
def subscription(connection: Connection) -> Subscription:
    return _subscription(connection)


def told(subscription: Subscription, item: str = "AAkALgAA", **more: Any) -> dict[str, Any]:
    """A notice as Graph writes it."""
    return {
        "subscriptionId": subscription.graph_id,
        "subscriptionExpirationDateTime": "2026-11-25T11:00:00.0000000Z",
        "changeType": "created",
        "resource": f"Users/1/Messages/{item}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "@odata.id": "x", "id": item},
        "clientState": SECRET,
        "tenantId": "t",
        **more,
    }


Talk = Callable[[httpx2.AsyncClient], Awaitable[Any]]


def talk(what: Talk, *, info: str = "") -> Any:
    """Let a client talk to an endpoint of its own."""

    async def main() -> Any:
        endpoint = Endpoint(conninfo=info or conninfo(settings=django_settings.DATABASES["default"]))
        transport = httpx2.ASGITransport(app=endpoint)
        try:
            async with httpx2.AsyncClient(transport=transport, base_url="http://workestra.example") as client:
                return await what(client)
        finally:
            await _close(endpoint)

    return asyncio.run(main())


async def _close(endpoint: Endpoint) -> None:
    writer = endpoint._writer
    if writer is not None:
        if writer._task is not None:
            writer._task.cancel()
            await asyncio.gather(writer._task, return_exceptions=True)
        await writer._drop()


def post(*notices: dict[str, Any], **more: Any) -> httpx2.Response:
    """One POST with these notices."""
    body = more.pop("body", msgspec.json.encode({"value": list(notices)}))
    answer: httpx2.Response = talk(lambda client: client.post(PATH, content=body), **more)
    return answer


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("validationToken=abc", "abc"),
        ("validationToken=Validation%3a+Testing+client%20x", "Validation: Testing client x"),
        ("validationToken=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "<script>alert(1)</script>"),
        ("validationToken=100%2525", "100%25"),
        ("validationToken=gr%C3%BC%C3%9Fe", "grüße"),
        ("validationToken=", ""),
        ("a=b&validationToken=x%26y", "x&y"),
    ],
)
def test_the_handshake_gives_the_token_back_decoded_once_as_plain_text(query: str, answer: str) -> None:
    got = talk(lambda client: client.post(f"{PATH}?{query}"))
    assert (got.status_code, got.text) == (200, answer)
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert got.headers["x-content-type-options"] == "nosniff"


def test_a_token_that_is_far_too_long_is_refused() -> None:
    assert talk(lambda client: client.post(f"{PATH}?validationToken={'x' * 5000}")).status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_answered(method: str) -> None:
    got = talk(lambda client: client.request(method, PATH))
    assert (got.status_code, got.headers["allow"]) == (405, "POST")


def test_a_notice_is_stored_before_it_is_acknowledged(connection: Connection, subscription: Subscription) -> None:
    assert post(told(subscription, "one")).status_code == 202
    assert hands.notices(connection) == [("created", "one")]
    subscription.refresh_from_db()
    assert subscription.last_notice_at is not None


def test_each_connection_of_the_mailbox_is_told_in_every_workspace(
    connection: Connection, cleo: Member, outlook: Outlook, subscription: Subscription
) -> None:
    other = outlook.connect(cleo)
    assert other.mailbox_id == connection.mailbox_id
    post(told(subscription, "one"))
    assert hands.notices(connection) == hands.notices(other) == [("created", "one")]
    assert set(Notice.objects.filter(subscription=subscription).values_list("workspace_id", "connection_id")) == {
        (connection.workspace_id, connection.pk),
        (other.workspace_id, other.pk),
    }


def test_a_connection_that_is_no_longer_looked_after_is_not_told(
    connection: Connection, subscription: Subscription
) -> None:
    Schedule.objects.filter(connection_id=connection.pk).update(active=False)
    assert post(told(subscription)).status_code == 202
    assert hands.notices(connection) == []


@pytest.mark.parametrize(
    "forged",
    [
        {"clientState": "wrong"},
        {"clientState": None},
        {"clientState": ""},
        {"clientState": SECRET + " "},
        {"subscriptionId": "00000000-0000-4000-8000-000000000000"},
        {"subscriptionId": None},
        {"subscriptionId": "x' or 1=1 --"},
    ],
)
def test_a_forged_notice_is_dropped_with_the_same_answer(
    connection: Connection, subscription: Subscription, forged: dict[str, Any]
) -> None:
    honest, wrong = post(told(subscription, "honest")), post(told(subscription, "forged", **forged))
    assert (wrong.status_code, wrong.content, dict(wrong.headers)) == (
        honest.status_code,
        honest.content,
        dict(honest.headers),
    )
    assert hands.notices(connection) == [("created", "honest")]


@pytest.mark.parametrize("field", ["subscriptionId", "clientState", "changeType", "lifecycleEvent"])
@pytest.mark.parametrize("bad", ["\x00", "a\x00b", "x" * 5000, "\u202e", "\U0010ffff"])
def test_hostile_text_in_one_notice_does_not_cost_the_others(
    connection: Connection, subscription: Subscription, field: str, bad: str
) -> None:
    got = post(told(subscription, "hostile", **{field: bad}), told(subscription, "honest"))
    assert got.status_code == 202
    assert ("created", "honest") in hands.notices(connection)


def test_an_item_that_no_database_holds_does_not_cost_the_others(
    connection: Connection, subscription: Subscription
) -> None:
    assert post(told(subscription, "a\x00b"), told(subscription, "honest")).status_code == 202
    assert hands.notices(connection) == [("created", "honest")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"value": null}',
        b'{"value": [1]}',
        b'{"value": "x"}',
        b"\xff\xfe",
        b'{"value": [], "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"value": [{"clientState": "\xff"}]}',
    ],
)
def test_a_malformed_body_is_refused(body: bytes) -> None:
    assert post(body=body).status_code == 400


def test_a_body_of_two_megabytes_is_refused(connection: Connection, subscription: Subscription) -> None:
    body = msgspec.json.encode({"value": [told(subscription)], "padding": "x" * (2 * BODY_CAP)})
    assert post(body=body).status_code == 413
    assert hands.notices(connection) == []


def test_a_body_in_endless_parts_is_cut_off(db: None) -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 65_536

    assert talk(lambda client: client.post(PATH, content=parts())).status_code == 413


def test_without_a_database_microsoft_is_asked_to_come_again(subscription: Subscription) -> None:
    got = post(told(subscription), info="host=127.0.0.1 port=9 dbname=none user=none connect_timeout=2")
    assert got.status_code == 503


def test_the_endpoint_recovers_when_its_database_connection_is_killed(
    connection: Connection, subscription: Subscription
) -> None:
    async def twice(client: httpx2.AsyncClient) -> list[int]:
        transport: Any = client._transport
        body = msgspec.json.encode({"value": [told(subscription, "one")]})
        codes = [(await client.post(PATH, content=body)).status_code]
        pid = transport.app._writer._connection.info.backend_pid

        await asyncio.to_thread(hands.kill_backend, pid)
        for item in ("two", "three"):
            body = msgspec.json.encode({"value": [told(subscription, item)]})
            codes.append((await client.post(PATH, content=body)).status_code)
        return codes

    assert talk(twice) == [202, 503, 202]
    assert hands.notices(connection) == [("created", "one"), ("created", "three")]


def test_a_thousand_notices_in_one_body_are_stored(connection: Connection, subscription: Subscription) -> None:
    assert post(*(told(subscription, f"item-{one}") for one in range(1000))).status_code == 202
    assert {item for _, item in hands.notices(connection)} == {f"item-{one}" for one in range(1000)}


def test_the_same_told_many_times_in_one_body_is_stored_once(
    connection: Connection, subscription: Subscription
) -> None:
    post(*[told(subscription, "one")] * 50, told(subscription, "one", changeType="updated"))
    assert sorted(hands.notices(connection)) == [("created", "one"), ("updated", "one")]


def test_a_client_that_hangs_up_does_not_disturb_the_others(
    connection: Connection, subscription: Subscription
) -> None:
    async def crowd(client: httpx2.AsyncClient) -> list[int]:
        def send(item: str) -> asyncio.Task[httpx2.Response]:
            body = msgspec.json.encode({"value": [told(subscription, item)]})
            return asyncio.create_task(client.post(PATH, content=body))

        tasks = [send(f"item-{one}") for one in range(20)]
        for _ in range(8):
            await asyncio.sleep(0)
        for task in tasks[::4]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return [one.status_code for one in answers if isinstance(one, httpx2.Response)]

    assert talk(crowd) == [202] * 15
    held = {item for _, item in hands.notices(connection)}
    assert held >= {f"item-{one}" for one in range(20) if one % 4}


@pytest.mark.parametrize("event", ["reauthorizationRequired", "subscriptionRemoved"])
def test_a_lifecycle_notice_marks_the_subscription(
    connection: Connection, subscription: Subscription, event: str
) -> None:
    post(told(subscription, lifecycleEvent=event, changeType=None, resourceData=None))
    subscription.refresh_from_db()
    assert subscription.reauthorize_at is not None
    assert hands.notices(connection) == [(event, "")]


def test_an_ordinary_notice_does_not_ask_for_reauthorisation(
    connection: Connection, subscription: Subscription
) -> None:
    post(told(subscription))
    subscription.refresh_from_db()
    assert subscription.reauthorize_at is None


@pytest.mark.parametrize("until", ["2026-11-28T06:00:00.0000000Z", "2026-11-28T06:00:00", ""])
def test_an_odd_date_costs_no_notice(until: str) -> None:
    note = {"subscriptionId": "a", "subscriptionExpirationDateTime": until, "resourceData": {"id": "x"}}
    assert _decoder.decode(msgspec.json.encode({"value": [note]})).value[0].subscription_id == "a"
