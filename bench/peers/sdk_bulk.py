"""msgraph-sdk, unmodified, and Django's bulk_create: the documented way with Microsoft's own client.

One page after another by odata_next_link, each stored before the next is asked for. The page is as large as
Graph allows ($top=1000) unless told otherwise. The SDK's models are read attribute by attribute into the
bare table. One message is read before the clock starts, because the SDK imports hundreds of modules for the
first one.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from asgiref.sync import sync_to_async
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import (
    MessagesRequestBuilder,
)

from bench.contract import EXPAND, SELECT, TOKEN, Result
from bench.peers import table


class StaticToken(AccessTokenProvider):
    """A token that is already there."""

    async def get_authorization_token(
        self, uri: str, additional_authentication_context: dict[str, Any] | None = None
    ) -> str:
        """The bearer token for any address."""
        return TOKEN

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        """No restriction."""
        return AllowedHostsValidator([])


def run(*, feeder_url: str, database_url: str, page_size: int, messages: int) -> Result:
    """Read the newest `messages` of the inbox and store every page."""
    table.prepare(database_url=database_url)
    return asyncio.run(_run(feeder_url=feeder_url, page_size=page_size, messages=messages))


async def _run(*, feeder_url: str, page_size: int, messages: int) -> Result:
    from bench.peers.table.models import Letter
    from bench.peers.table.save import save

    def letter(one: Any) -> Letter:
        sender = one.from_.email_address
        return Letter(
            message_id=one.id,
            internet_message_id=one.internet_message_id,
            conversation_id=one.conversation_id,
            folder_id=one.parent_folder_id,
            change_key=one.change_key,
            subject=one.subject,
            sender=sender.address,
            sender_name=sender.name,
            recipients=[
                [kind, who.email_address.name, who.email_address.address]
                for kind, people in (
                    ("to", one.to_recipients),
                    ("cc", one.cc_recipients),
                    ("bcc", one.bcc_recipients),
                )
                for who in people
            ],
            received_at=one.received_date_time,
            sent_at=one.sent_date_time,
            is_read=one.is_read,
            importance=one.importance.value,
            flag=one.flag.flag_status.value,
            categories=one.categories,
            has_attachments=one.has_attachments,
            attachments=[
                [file.id, file.name, file.content_type, file.size, file.is_inline] for file in one.attachments
            ],
            headers=[[header.name, header.value] for header in one.internet_message_headers],
            preview=one.body_preview,
            body_type=one.body.content_type.value,
            body=one.body.content,
        )

    store = sync_to_async(save)
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(StaticToken()))
    adapter.base_url = f"{feeder_url}/v1.0"
    client = GraphServiceClient(request_adapter=adapter)
    folder = client.me.mail_folders.by_mail_folder_id("inbox").messages

    def options(*, top: int) -> RequestConfiguration[Any]:
        made = RequestConfiguration(
            query_parameters=MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
                top=top, select=SELECT.split(","), expand=[EXPAND], orderby=["receivedDateTime desc"]
            )
        )
        made.headers.add("Prefer", 'IdType="ImmutableId"')
        return made

    again: RequestConfiguration[Any] = RequestConfiguration()
    again.headers.add("Prefer", 'IdType="ImmutableId"')
    await folder.get(request_configuration=options(top=1))
    seen = 0
    began = time.perf_counter()
    page = await folder.get(request_configuration=options(top=min(page_size, messages)))
    while page is not None and page.value is not None:
        await store([letter(one) for one in page.value])
        seen += len(page.value)
        if seen >= messages or not page.odata_next_link:
            break
        page = await folder.with_url(page.odata_next_link).get(request_configuration=again)
    return Result(seconds=time.perf_counter() - began, messages=seen)
