"""Change-notification subscriptions (Graph: subscription: create, get, list, update, delete, reauthorize)."""

from __future__ import annotations

import ipaddress
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ..notify import ValidationFailed
from ..subscription import Subscription
from .errors import GraphError, bad_request
from .query import Options
from .subscription_target import Target, target
from .wire import Reply, Request

MOST = timedelta(minutes=10_070)
LEAST = timedelta(minutes=45)
CHANGES = ("created", "updated", "deleted")
KNOWN = (
    "changeType",
    "notificationUrl",
    "lifecycleNotificationUrl",
    "resource",
    "expirationDateTime",
    "clientState",
    "latestSupportedTlsVersion",
    "includeResourceData",
    "encryptionCertificate",
    "encryptionCertificateId",
    "notificationUrlAppId",
    "notificationQueryOptions",
)


def _invalid(message: str) -> GraphError:
    return bad_request(message, "InvalidRequest")


def _text(body: dict[str, Any], name: str, *, required: bool = False, most: int = 2048) -> str | None:
    value = body.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value:
        raise _invalid(f"A non-empty value is required for the property '{name}'.")
    if len(value) > most:
        raise _invalid(f"The value of the property '{name}' is longer than {most} characters.")
    return value


def _expiry(request: Request, text: str) -> datetime:
    now = request.world.clock()
    try:
        head, _, tail = text.partition(".")
        if tail:  # seven digits of a second are one more than Python reads
            digits = len(tail) - len(tail.lstrip("0123456789"))
            text = f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise bad_request(
            f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'.",
            "RequestBodyRead",
        ) from problem
    if moment.tzinfo is None:
        raise bad_request(
            f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'.",
            "RequestBodyRead",
        )
    moment = moment.astimezone(UTC)
    if moment <= now:
        raise _invalid("Subscription expiration must be in the future.")
    if moment - now > MOST:
        raise bad_request("Subscription expiration can only be 10070 minutes in the future.", "ExtensionError")
    return max(moment, now + LEAST)


def _url(request: Request, name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError as problem:
        raise _invalid(f"The property '{name}' is not a valid URL.") from problem
    if not host or parts.fragment:
        raise _invalid(f"The property '{name}' is not a valid URL.")
    if parts.scheme == "https" or (parts.scheme == "http" and request.world.allow_loopback_http and _loopback(host)):
        return url
    raise _invalid(f"The property '{name}' must use the HTTPS protocol.")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _changes(text: str) -> frozenset[str]:
    found = [part.strip() for part in text.split(",")]
    if not found or any(part not in CHANGES for part in found):
        raise _invalid(f"The changeType '{text}' is not valid; it is a list of created, updated, deleted.")
    return frozenset(found)


async def create(request: Request) -> Reply:
    """POST /subscriptions: both addresses are asked first, then 201."""
    world, token = request.world, request.access
    Options(request.query).only()
    body = {name: value for name, value in request.json.items() if not name.startswith("@odata.")}
    for name in body:
        if name not in KNOWN:
            raise bad_request(
                f"The property '{name}' does not exist on type 'microsoft.graph.subscription'. Make sure "
                "to only use property names that are defined by the type.",
                "RequestBodyRead",
            )
    resource = _text(body, "resource", required=True) or ""
    change_type = _text(body, "changeType", required=True) or ""
    changes = _changes(change_type)
    notification = _url(request, "notificationUrl", _text(body, "notificationUrl", required=True) or "")
    life = _text(body, "lifecycleNotificationUrl")
    lifecycle = None if life is None else _url(request, "lifecycleNotificationUrl", life)
    state = _text(body, "clientState", most=128)
    tls = _text(body, "latestSupportedTlsVersion") or "v1_2"
    if tls not in ("v1_0", "v1_1", "v1_2", "v1_3"):
        raise _invalid(f"The latestSupportedTlsVersion '{tls}' is not valid.")
    if body.get("includeResourceData") not in (None, False):
        raise _invalid("The resource does not support notifications with resource data.")
    expires = _expiry(request, _text(body, "expirationDateTime", required=True) or "")
    aim = target(request, resource)
    _free(request, aim, changes, resource)
    for url in (notification, *([lifecycle] if lifecycle is not None else [])):
        try:
            await world.courier.validate(url)
        except ValidationFailed as problem:
            raise _invalid(str(problem)) from problem
    _free(request, aim, changes, resource)  # another request may have been faster during the handshake
    sub = Subscription(
        id=str(uuid.UUID(int=world.random.getrandbits(128), version=4)),
        owner=aim.owner,
        kind=aim.kind,
        folder=aim.folder,
        resource=resource,
        change_types=changes,
        change_type=change_type,
        notification_url=notification,
        lifecycle_url=lifecycle,
        client_state=state,
        expires_at=expires,
        app_id=token.app_id,
        creator=token.person.id,
        tenant_id=token.tenant_id,
        immutable=request.prefer.immutable,
        token_expires_at=token.expires_at,
        tls=tls,
        query_options=aim.query,
        silent=aim.silent,
        matches=aim.matches,
    )
    world.subscriptions[sub.id] = sub
    if world.courier.faults.hasty:
        await world.courier.hasten(sub)
    return Reply(201, {"@odata.context": f"{request.base}/$metadata#subscriptions/$entity", **sub.wire()})


def _free(request: Request, aim: Target, changes: frozenset[str], resource: str) -> None:
    mine = [sub for sub in request.world.subscriptions.values() if sub.owner == aim.owner]
    most = request.world.switches.subscriptions_per_mailbox
    if len(mine) >= most:
        message = f"The limit of {most} subscriptions for the mailbox has been reached."
        raise GraphError(403, "ExtensionError", message)
    for sub in mine:
        same = (sub.app_id, sub.creator) == (request.access.app_id, request.access.person.id)
        if (
            same
            and sub.change_types == changes
            and sub.resource.strip("/").casefold() == resource.strip("/").casefold()
        ):
            raise GraphError(
                409,
                "ObjectIdentifierInUse",
                f"Subscription Id {sub.id} already exists for the requested combination",
            )


def _mine(request: Request) -> Subscription:
    sub = request.world.subscriptions.get(request.keys["subscription"])
    token = request.access
    if (
        sub is None
        or (sub.app_id, sub.creator) != (token.app_id, token.person.id)
        or (sub.expires_at <= request.world.clock())
    ):
        raise GraphError(404, "ResourceNotFound", "The object was not found.")
    return sub


def get(request: Request) -> Reply:
    """GET /subscriptions/{id}."""
    Options(request.query).only()
    return Reply(200, {"@odata.context": f"{request.base}/$metadata#subscriptions/$entity", **_mine(request).wire()})


def listed(request: Request) -> Reply:
    """GET /subscriptions: this app's for this person, nobody else's."""
    Options(request.query).only()
    token, now = request.access, request.world.clock()
    mine = [
        sub.wire()
        for sub in request.world.subscriptions.values()
        if (sub.app_id, sub.creator) == (token.app_id, token.person.id) and sub.expires_at > now
    ]
    return Reply(200, {"@odata.context": f"{request.base}/$metadata#subscriptions", "value": mine})


def patch(request: Request) -> Reply:
    """PATCH /subscriptions/{id}: a new expiry; the token of this request carries it on."""
    Options(request.query).only()
    sub = _mine(request)
    body = {name: value for name, value in request.json.items() if not name.startswith("@odata.")}
    for name in body:
        if name != "expirationDateTime":
            raise _invalid(f"The property '{name}' cannot be updated.")
    sub.expires_at = _expiry(request, _text(body, "expirationDateTime", required=True) or "")
    _carry_on(request, sub)
    return Reply(200, {"@odata.context": f"{request.base}/$metadata#subscriptions/$entity", **sub.wire()})


def reauthorize(request: Request) -> Reply:
    """POST /subscriptions/{id}/reauthorize: the expiry stays."""
    Options(request.query).only()
    _carry_on(request, _mine(request))
    return Reply(200)


def _carry_on(request: Request, sub: Subscription) -> None:
    sub.token_expires_at = request.access.expires_at
    sub.reauthorize_asked_at = None
    request.world.courier.wake()


def delete(request: Request) -> Reply:
    """DELETE /subscriptions/{id}: 204."""
    Options(request.query).only()
    del request.world.subscriptions[_mine(request).id]
    return Reply(204)
