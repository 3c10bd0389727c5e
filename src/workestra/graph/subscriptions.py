"""Registrations for change notifications: create, renew, reauthorise, read, list, delete.

Only the signed-in person's own mailbox can be subscribed to under delegated permission; shared ones are
polled. Graph: "Create subscription", "Update subscription", "subscription: reauthorize", "Reduce missing
subscriptions and change notifications". Both addresses are called by Microsoft before `create` returns: be
ready to answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from .client import Graph
from .errors import AlreadySubscribed, Gone, GraphError, HandshakeFailed, LifeTooLong, NoMailbox, Refused
from .exchange import segment
from .wire import Subscription, SubscriptionPage

LONGEST_MINUTES = 10_070
"""Mail subscriptions live no longer, whatever is asked; ask for clearly less, for clocks differ."""
ALL_CHANGES = "created,updated,deleted"

_MINUTES = re.compile(r"can only be (\d{1,6}) minutes in the future", re.IGNORECASE)
_EXISTING = re.compile(r"subscription id\s+\W?([0-9a-f-]{36})\W?\s+already exists", re.IGNORECASE)
_HANDSHAKE = re.compile(r"validation request|validationtoken", re.IGNORECASE)

E = TypeVar("E", bound=GraphError)


def folder_resource(*, folder: str) -> str:
    """The resource of the messages of one of the person's own folders, by id or well-known name."""
    return f"me/mailFolders('{folder}')/messages"


async def create(
    graph: Graph,
    *,
    resource: str,
    notification_url: str,
    lifecycle_url: str,
    client_state: str,
    expires_at: datetime,
    change_type: str = ALL_CHANGES,
) -> Subscription:
    """A new subscription, whose notices name immutable ids. Its own expiry counts, not the one asked for.

    Raises `AlreadySubscribed`, `LifeTooLong` or `HandshakeFailed`.
    """
    body = {
        "changeType": change_type,
        "resource": resource,
        "notificationUrl": notification_url,
        "lifecycleNotificationUrl": lifecycle_url,
        "clientState": client_state,
        "expirationDateTime": _moment(expires_at),
        "latestSupportedTlsVersion": "v1_2",
    }
    with _explaining():
        return await graph.send(method="POST", path="/subscriptions", kind=Subscription, body=body)


async def renew(graph: Graph, *, subscription_id: str, expires_at: datetime) -> Subscription:
    """A longer life, carried by the present token; it reauthorises too. Raises `Gone`: create a new one."""
    body = {"expirationDateTime": _moment(expires_at)}
    with _explaining():
        return await graph.send(method="PATCH", path=_path(subscription_id), kind=Subscription, body=body)


async def reauthorize(graph: Graph, *, subscription_id: str) -> None:
    """Lets it ride on the present token; the expiry stays. Not within ten minutes of a renewal."""
    with _explaining():
        await graph.command(method="POST", path=f"{_path(subscription_id)}/reauthorize")


async def get(graph: Graph, *, subscription_id: str) -> Subscription:
    """One subscription as Microsoft has it. Raises `Gone`."""
    with _explaining():
        return await graph.get(path=_path(subscription_id), kind=Subscription)


async def list_all(graph: Graph) -> list[Subscription]:
    """All subscriptions of this app and person."""
    page = await graph.get(path="/subscriptions", kind=SubscriptionPage)
    found = list(page.value)
    while page.next_link is not None:
        page = await graph.follow(link=page.next_link, kind=SubscriptionPage)
        found += page.value
    return found


async def delete(graph: Graph, *, subscription_id: str) -> None:
    """Ends a subscription. Raises `Gone` where there is none: that is as good."""
    with _explaining():
        await graph.command(method="DELETE", path=_path(subscription_id))


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise explained(error) from error
    except NoMailbox as error:
        # The code that elsewhere means "no mailbox" means here that there is no such subscription.
        if error.status != 404:
            raise
        raise _as(Gone, error) from error


def explained(error: Refused) -> Refused:
    """The same refusal as the finer error that its text tells of; only the text holds these facts."""
    minutes = _MINUTES.search(error.message)
    if minutes:
        finer = _as(LifeTooLong, error)
        finer.minutes = int(minutes[1])
        return finer
    if error.status == 409 or error.code.lower() == "objectidentifierinuse":
        existing = _EXISTING.search(error.message)
        twin = _as(AlreadySubscribed, error)
        twin.existing_id = existing[1] if existing else None
        return twin
    if _HANDSHAKE.search(error.message) or error.code.lower() == "validationerror":
        return _as(HandshakeFailed, error)
    return error


def _as(kind: type[E], error: GraphError) -> E:
    return kind(
        code=error.code,
        message=error.message,
        status=error.status,
        request_id=error.request_id,
        client_request_id=error.client_request_id,
    )


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _path(subscription_id: str) -> str:
    return f"/subscriptions/{segment(subscription_id)}"
