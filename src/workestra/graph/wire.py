"""Exactly what Graph says, as structs.

Names follow Graph (`receivedDateTime` is `received_date_time`). A field that Graph may leave out or send as
null is None; unknown fields are ignored; times carry their zone. Only what makes an answer an answer is
required (`id`, `value`), so that an error body or `{}` never passes for an empty page. No struct can be part
of a cycle, so none is tracked by the garbage collector.

Graph: "message resource type", "mailFolder resource type", "subscription resource type",
"changeNotificationCollection resource type", "contact resource type".
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import field

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Wire(msgspec.Struct, kw_only=True, gc=False, rename="camel"):
    """The base of all: camelCase on the wire."""


class EmailAddress(Wire, kw_only=True):
    name: str | None = None
    address: str | None = None


class Recipient(Wire, kw_only=True):
    email_address: EmailAddress | None = None


class ItemBody(Wire, kw_only=True):
    """`content_type` is "html" or "text"."""

    content_type: str | None = None
    content: str | None = None


class Header(Wire, kw_only=True):
    name: str | None = None
    value: str | None = None


class ZonedTime(Wire, kw_only=True):
    """A local time and the name of its zone, as Outlook writes them."""

    date_time: str | None = None
    time_zone: str | None = None


class Flag(Wire, kw_only=True):
    """`flag_status` is "notFlagged", "flagged" or "complete"."""

    flag_status: str | None = None
    start_date_time: ZonedTime | None = None
    due_date_time: ZonedTime | None = None
    completed_date_time: ZonedTime | None = None


class Removed(Wire, kw_only=True):
    """`reason` is "deleted" or "changed"; both mean only: no longer in this folder."""

    reason: str | None = None


class Attachment(Wire, kw_only=True):
    """What is known of an attachment without its bytes. `size` is in bytes, a little above the file's."""

    id: str
    odata_type: str | None = field(default=None, name="@odata.type")
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    is_inline: bool | None = None
    content_id: str | None = None
    last_modified_date_time: Moment | None = None

    @property
    def kind(self) -> str:
        """Is it a "file", an "item" (a message, an event) or a "reference" (a link to a cloud file)?"""
        name = (self.odata_type or "").rpartition(".")[2].lower()
        return {"itemattachment": "item", "referenceattachment": "reference"}.get(name, "file")


class Message(Wire, kw_only=True):
    """A message, or as much of it as was selected. `removed` is set on delta's tombstones, which hold only an
    id.
    """

    id: str
    removed: Removed | None = field(default=None, name="@removed")
    etag: str | None = field(default=None, name="@odata.etag")
    odata_type: str | None = field(default=None, name="@odata.type")
    change_key: str | None = None
    parent_folder_id: str | None = None
    conversation_id: str | None = None
    conversation_index: str | None = None
    internet_message_id: str | None = None
    internet_message_headers: list[Header] | None = None
    created_date_time: Moment | None = None
    last_modified_date_time: Moment | None = None
    received_date_time: Moment | None = None
    sent_date_time: Moment | None = None
    subject: str | None = None
    body_preview: str | None = None
    body: ItemBody | None = None
    unique_body: ItemBody | None = None
    from_: Recipient | None = field(default=None, name="from")
    sender: Recipient | None = None
    to_recipients: list[Recipient] | None = None
    cc_recipients: list[Recipient] | None = None
    bcc_recipients: list[Recipient] | None = None
    reply_to: list[Recipient] | None = None
    importance: str | None = None
    categories: list[str] | None = None
    is_read: bool | None = None
    is_draft: bool | None = None
    flag: Flag | None = None
    has_attachments: bool | None = None
    attachments: list[Attachment] | None = None
    web_link: str | None = None


class Folder(Wire, kw_only=True):
    """A mail folder. Counts include items that are not mail."""

    id: str
    removed: Removed | None = field(default=None, name="@removed")
    odata_type: str | None = field(default=None, name="@odata.type")
    display_name: str | None = None
    parent_folder_id: str | None = None
    child_folder_count: int | None = None
    total_item_count: int | None = None
    unread_item_count: int | None = None
    is_hidden: bool | None = None


class Me(Wire, kw_only=True):
    """A person as `/me` or `/users/{id}` tells. `id` is the object id; `mail` may be missing."""

    id: str
    display_name: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None


class Contact(Wire, kw_only=True):
    id: str
    removed: Removed | None = field(default=None, name="@removed")
    change_key: str | None = None
    parent_folder_id: str | None = None
    last_modified_date_time: Moment | None = None
    display_name: str | None = None
    given_name: str | None = None
    surname: str | None = None
    company_name: str | None = None
    job_title: str | None = None
    email_addresses: list[EmailAddress] | None = None
    business_phones: list[str] | None = None
    mobile_phone: str | None = None


class Subscription(Wire, kw_only=True):
    """A registration for change notifications; Graph never gives `client_state` back when it is read."""

    id: str
    resource: str | None = None
    change_type: str | None = None
    notification_url: str | None = None
    lifecycle_notification_url: str | None = None
    expiration_date_time: Moment | None = None
    client_state: str | None = None
    creator_id: str | None = None


class Page(Wire, kw_only=True):
    """What all pages share. A page has a next link or, at the end of a delta round, a delta link."""

    next_link: str | None = field(default=None, name="@odata.nextLink")
    delta_link: str | None = field(default=None, name="@odata.deltaLink")
    count: int | None = field(default=None, name="@odata.count")


class MessagePage(Page, kw_only=True):
    value: list[Message]


class FolderPage(Page, kw_only=True):
    value: list[Folder]


class AttachmentPage(Page, kw_only=True):
    value: list[Attachment]


class ContactPage(Page, kw_only=True):
    value: list[Contact]


class SubscriptionPage(Page, kw_only=True):
    value: list[Subscription]


class BatchItem(Wire, kw_only=True):
    """One answer inside a batch: its own status and headers; the body as it came."""

    id: str
    status: int
    headers: dict[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class BatchAnswer(Wire, kw_only=True):
    responses: list[BatchItem]


class ResourceData(Wire, kw_only=True):
    id: str | None = None
    odata_type: str | None = field(default=None, name="@odata.type")
    odata_id: str | None = field(default=None, name="@odata.id")
    etag: str | None = field(default=None, name="@odata.etag")


class Notification(Wire, kw_only=True):
    """A change, or with `lifecycle_event` set something about the subscription itself.

    `lifecycle_event` is "reauthorizationRequired", "subscriptionRemoved" or "missed".
    """

    subscription_id: str | None = None
    client_state: str | None = None
    change_type: str | None = None
    resource: str | None = None
    resource_data: ResourceData | None = None
    tenant_id: str | None = None
    lifecycle_event: str | None = None


class NotificationBatch(Wire, kw_only=True):
    """One POST to our notification address; it may mix subscriptions, people and tenants."""

    value: list[Notification]
