"""Microsoft's msgraph-sdk, unmodified, over the sandbox's TLS mode (SBX 6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator
from kiota_abstractions.authentication.base_bearer_token_authentication_provider import (
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.subscription import Subscription
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory
from msgraph_core.tasks.page_iterator import PageIterator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.contract.judges.court import ANA, Court
from tests.contract.judges.patience import eventually

from m365sandbox.server import serve_app_in_thread

# the generated classes of the SDK warn of themselves while they are imported
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class GivenToken(AccessTokenProvider):
    """Hands out one access token."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def get_authorization_token(
        self, uri: str, additional_authentication_context: dict[str, Any] | None = None
    ) -> str:
        return self.token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


@pytest.fixture
async def graph(court: Court) -> AsyncIterator[GraphServiceClient]:
    token = court.signed_in(court.app(), ANA)["access_token"]
    wire = httpx.AsyncHTTPTransport(verify=court.trust, trust_env=False)
    client = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(transport=wire, trust_env=False, timeout=30), options=options
    )
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(GivenToken(token)), client)
    adapter.base_url = f"{court.served.url}/v1.0"
    yield GraphServiceClient(request_adapter=adapter)
    await wire.aclose()  # the SDK's middleware hides the transport from the client's own closing


async def test_sdk_knows_who_is_signed_in(graph: GraphServiceClient) -> None:
    me = await graph.me.get()
    assert me is not None
    assert me.user_principal_name == ANA


async def test_sdk_lists_folders_with_their_counts(court: Court, graph: GraphServiceClient) -> None:
    first = await graph.me.mail_folders.get()
    assert first is not None
    found: dict[str, int] = {}

    def keep(folder: Any) -> bool:
        found[folder.display_name] = folder.total_item_count
        return True

    await PageIterator(first, graph.request_adapter).iterate(keep)
    truth = {
        folder["name"]: folder["total"]
        for folder in court.control("GET", f"mailboxes/{ANA}/folders")["value"]
        if not folder["hidden"] and folder["path"] == folder["name"] and folder["wellKnown"] != "msgfolderroot"
    }
    assert found == truth


def by_pages_of(size: int) -> RequestConfiguration[Any]:
    configuration: RequestConfiguration[Any] = RequestConfiguration()
    configuration.headers.add("Prefer", 'IdType="ImmutableId"')
    configuration.headers.add("Prefer", f"odata.maxpagesize={size}")
    return configuration


async def test_sdk_iterates_a_whole_folder_by_delta(court: Court, graph: GraphServiceClient) -> None:
    inbox = graph.me.mail_folders.by_mail_folder_id("inbox")
    first = await inbox.messages.delta.get(request_configuration=by_pages_of(20))
    seen: dict[str | None, Message] = {}

    def keep(message: Message) -> bool:
        seen[message.id] = message
        return True

    assert first is not None
    assert len(first.value or []) == 20
    walk = PageIterator(first, graph.request_adapter)
    walk.headers.add("Prefer", 'IdType="ImmutableId", odata.maxpagesize=20')
    await walk.iterate(keep)
    truth = court.truth(ANA, folder="Inbox")
    assert set(seen) == {line["id"] for line in truth}
    assert len(truth) > 60
    assert all(one.body is not None and one.received_date_time is not None for one in seen.values())


async def test_sdk_follows_the_delta_link_to_what_changed_since(court: Court, graph: GraphServiceClient) -> None:
    delta = graph.me.mail_folders.by_mail_folder_id("inbox").messages.delta
    page = await delta.get(request_configuration=by_pages_of(50))
    while page is not None and page.odata_next_link:
        page = await delta.with_url(page.odata_next_link).get(request_configuration=by_pages_of(50))
    assert page is not None
    assert page.odata_delta_link
    court.control("POST", f"mailboxes/{ANA}/letters", subject="A new one", body={"content": "x"})
    changed = await delta.with_url(page.odata_delta_link).get(request_configuration=by_pages_of(50))
    assert changed is not None
    assert [one.subject for one in changed.value or []] == ["A new one"]


async def test_sdk_lists_the_contacts(graph: GraphServiceClient) -> None:
    page = await graph.me.contacts.get()
    assert page is not None
    assert len(page.value or []) == 10
    first = (page.value or [])[0]
    assert first.company_name
    assert first.email_addresses
    assert first.email_addresses[0].address


async def test_sdk_marks_a_message_read(court: Court, graph: GraphServiceClient) -> None:
    made = court.control("POST", f"mailboxes/{ANA}/letters", subject="Read me", body={"content": "x"})
    one = graph.me.messages.by_message_id(made["defaultId"])
    before = await one.get()
    assert before is not None
    assert before.is_read is False
    after = await one.patch(Message(is_read=True))
    assert after is not None
    assert after.is_read is True
    assert after.change_key != before.change_key


async def test_sdk_tells_graphs_error_code_of_a_message_that_is_gone(court: Court, graph: GraphServiceClient) -> None:
    made = court.control("POST", f"mailboxes/{ANA}/letters", subject="Short-lived", body={"content": "x"})
    court.control("POST", f"mailboxes/{ANA}/messages/purge", id=made["id"])
    with pytest.raises(ODataError) as refused:
        await graph.me.messages.by_message_id(made["defaultId"]).get()
    assert refused.value.response_status_code == 404
    assert refused.value.error is not None
    assert refused.value.error.code == "ErrorItemNotFound"


async def test_sdk_subscribes_and_the_listener_hears_of_new_mail(court: Court, graph: GraphServiceClient) -> None:
    heard: list[dict[str, Any]] = []

    async def listen(request: Request) -> Response:
        if "validationToken" in request.query_params:
            return PlainTextResponse(request.query_params["validationToken"])
        heard.extend((await request.json())["value"])
        return Response(status_code=202)

    listener = Starlette(routes=[Route("/notices", listen, methods=["POST"])])
    with serve_app_in_thread(listener) as ear:
        made = await graph.subscriptions.post(
            Subscription(
                change_type="created,updated",
                notification_url=f"{ear.url}/notices",
                resource="/me/mailFolders('inbox')/messages",
                client_state="secret-state",
                expiration_date_time=datetime.now(UTC) + timedelta(days=2),
            )
        )
        assert made is not None
        assert made.id
        court.control("POST", f"mailboxes/{ANA}/letters", subject="Ding", body={"content": "x"})
        await eventually(lambda: bool(heard))
        assert heard[0]["subscriptionId"] == made.id
        assert heard[0]["clientState"] == "secret-state"
        listed = await graph.subscriptions.get()
        assert listed is not None
        assert [one.id for one in listed.value or []] == [made.id]
        await graph.subscriptions.by_subscription_id(made.id).delete()
        left = await graph.subscriptions.get()
        assert left is not None
        assert not left.value
