"""A change-notification subscription, and the notices that it gives rise to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .mailbox import Item, Mailbox


def iso(moment: datetime) -> str:
    """A moment as Graph writes it in notifications: seconds, Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True, eq=False)
class Subscription:
    """`folder` is a folder's number or None for the whole mailbox; `silent` is accepted and never delivered."""

    id: str
    owner: str
    kind: str  # messages | contacts
    folder: int | None
    resource: str
    change_types: frozenset[str]
    change_type: str
    notification_url: str
    lifecycle_url: str | None
    client_state: str | None
    expires_at: datetime
    app_id: str
    creator: str
    tenant_id: str
    immutable: bool
    token_expires_at: datetime
    tls: str = "v1_2"
    query_options: str | None = None
    silent: bool = False
    matches: Callable[[Mailbox, Item], bool] | None = None
    reauthorize_asked_at: datetime | None = None

    def change_notice(self, kind: str, item_id: str, etag: str) -> dict[str, Any]:
        """What is posted for one change of one message."""
        path = f"Users/{self.creator}/Messages/{item_id}"
        return {
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": iso(self.expires_at),
            "changeType": kind,
            "resource": path,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Message",
                "@odata.id": path,
                "@odata.etag": f'W/"{etag}"',
                "id": item_id,
            },
            "clientState": self.client_state,
            "tenantId": self.tenant_id,
        }

    def lifecycle_notice(self, event: str) -> dict[str, Any]:
        """What is posted for reauthorizationRequired, subscriptionRemoved or missed."""
        return {
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": iso(self.expires_at),
            "tenantId": self.tenant_id,
            "clientState": self.client_state,
            "lifecycleEvent": event,
        }

    def wire(self) -> dict[str, Any]:
        """The subscription as Graph shows it."""
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.app_id,
            "changeType": self.change_type,
            "clientState": self.client_state,
            "notificationUrl": self.notification_url,
            "notificationQueryOptions": self.query_options,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": iso(self.expires_at),
            "creatorId": self.creator,
            "includeResourceData": None,
            "latestSupportedTlsVersion": self.tls,
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
        }
