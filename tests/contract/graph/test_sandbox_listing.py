"""Lists, paging and query options of messages and folders (Graph: user: list messages, query parameters)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.contract.graph.stagecraft import IMMUTABLE, NOW, Stage, enclosure, letter


def fill(stage: Stage, count: int, folder: str = "inbox") -> None:
    box = stage.world.mailboxes[stage.ana.id]
    for n in range(count):
        box.deliver(letter(f"Letter {n}", received_at=NOW - timedelta(minutes=n)), folder=folder, is_read=n % 2 == 0)


async def test_page_holds_ten_without_top_and_names_the_next_page(stage: Stage) -> None:
    """The default page is 10 messages; nextLink is followed whole; the last page has none."""
    fill(stage, 25)
    seen: list[str] = []
    url, sizes = "/me/mailFolders/inbox/messages", []
    while url:
        page = await stage.ok(url)
        sizes.append(len(page["value"]))
        seen += [m["subject"] for m in page["value"]]
        url = page.get("@odata.nextLink", "")
    assert sizes == [10, 10, 5]
    assert seen == [f"Letter {n}" for n in range(25)]


async def test_next_link_keeps_every_option_of_the_first_request(stage: Stage) -> None:
    fill(stage, 7)
    page = await stage.ok(
        "/me/messages?$select=subject&$top=3&$filter=receivedDateTime ge 2026-11-22T08:56:00Z"
        "&$orderby=receivedDateTime desc&$count=true"
    )
    assert page["@odata.count"] == 5
    assert page["@odata.nextLink"].startswith("http://graph.test/v1.0/me/messages?")
    second = await stage.ok(page["@odata.nextLink"])
    assert [m["subject"] for m in second["value"]] == ["Letter 3", "Letter 4"]
    assert set(second["value"][0]) == {"@odata.etag", "id", "subject"}
    assert "@odata.nextLink" not in second


@pytest.mark.parametrize("top", ["0", "1001", "-1", "many"])
async def test_top_outside_1_to_1000_is_refused(stage: Stage, top: str) -> None:
    status, _, _ = await stage.refused(f"/me/messages?$top={top}")
    assert status == 400


async def test_top_of_1000_brings_them_at_once(stage: Stage) -> None:
    fill(stage, 30)
    page = await stage.ok("/me/mailFolders('inbox')/messages?$top=1000")
    assert len(page["value"]) == 30 and "@odata.nextLink" not in page


async def test_maxpagesize_preference_sets_the_page_and_is_acknowledged(stage: Stage) -> None:
    fill(stage, 9)
    answer = await stage.get("/me/messages", prefer=f"odata.maxpagesize=4, {IMMUTABLE}")
    assert len(answer.json()["value"]) == 4
    applied = answer.headers["Preference-Applied"]
    assert "odata.maxpagesize=4" in applied and 'IdType="ImmutableId"' in applied


@pytest.mark.parametrize(
    "filter_, wanted",
    [
        ("receivedDateTime ge 2026-11-22T08:58:00Z", {0, 1, 2}),
        ("receivedDateTime gt 2026-11-22T08:58:00Z", {0, 1}),
        ("receivedDateTime le 2026-11-22T08:57:00Z", {3, 4, 5}),
        ("receivedDateTime lt 2026-11-22T08:57:00Z and receivedDateTime ge 2026-11-22T08:56:00.000Z", {4}),
        ("receivedDateTime ge 2026-11-22T09:58:00%2B01:00", {0, 1, 2}),
        ("isRead eq false", {1, 3, 5}),
        ("isRead eq true and receivedDateTime gt 2026-11-22T08:57:00Z", {0, 2}),
        ("isDraft eq true", set()),
        ("from/emailAddress/address eq 'CORA@customer.example'", {0, 1, 2, 3, 4, 5}),
        ("subject eq 'Letter 4'", {4}),
        ("(subject eq 'Letter 4' or subject eq 'Letter 1') and isRead eq false", {1}),
        ("not (isRead eq true)", {1, 3, 5}),
        ("startswith(subject,'Letter 5')", {5}),
    ],
)
async def test_filter_brings_exactly_what_it_says(stage: Stage, filter_: str, wanted: set[int]) -> None:
    fill(stage, 6)
    page = await stage.ok(f"/me/mailFolders/inbox/messages?$top=50&$filter={filter_}")
    assert {int(m["subject"].split()[1]) for m in page["value"]} == wanted


async def test_messages_are_found_by_internet_message_id_and_by_conversation(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    first = letter("One", conversation="talk", internet_message_id="<a+b'c@x.example>")
    box.deliver(first)
    box.deliver(letter("Two", conversation="talk"), folder="archive")
    box.deliver(letter("Other"))
    page = await stage.ok("/me/messages?$filter=internetMessageId eq '%3Ca%2Bb''c@x.example%3E'")
    assert [m["subject"] for m in page["value"]] == ["One"]
    talk = page["value"][0]["conversationId"]
    page = await stage.ok(f"/me/messages?$filter=conversationId eq '{talk}'")
    assert {m["subject"] for m in page["value"]} == {"One", "Two"}


async def test_conversation_ids_differ_between_mailboxes(stage: Stage) -> None:
    """A conversationId groups a thread inside one mailbox only."""
    shared = letter("Same mail", conversation="talk")
    for owner in (stage.ana, stage.ben):
        stage.world.mailboxes[owner.id].deliver(shared)
    ana = (await stage.ok("/me/messages"))["value"][0]
    ben = (await stage.ok("/me/messages", token="ben"))["value"][0]
    assert ana["internetMessageId"] == ben["internetMessageId"]
    assert ana["conversationId"] != ben["conversationId"] and ana["id"] != ben["id"]


@pytest.mark.parametrize(
    "query",
    [
        "$filter=isRead eq false&$orderby=receivedDateTime desc",
        "$filter=isRead eq false and receivedDateTime ge 2026-01-01T00:00:00Z&$orderby=receivedDateTime desc",
        "$filter=contains(subject,'x')&$orderby=receivedDateTime desc",
    ],
)
async def test_orderby_property_that_does_not_lead_the_filter_is_inefficient(stage: Stage, query: str) -> None:
    """Properties of $orderby must be in $filter, in that order, before all others; else 400 InefficientFilter."""
    assert await stage.refused(f"/me/messages?{query}") == (
        400,
        "InefficientFilter",
        "The restriction or sort order is too complex for this operation.",
    )


async def test_orderby_property_that_leads_the_filter_is_accepted(stage: Stage) -> None:
    fill(stage, 6)
    page = await stage.ok(
        "/me/messages?$filter=receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq false"
        "&$orderby=receivedDateTime asc"
    )
    assert [m["subject"] for m in page["value"]] == ["Letter 5", "Letter 3", "Letter 1"]


@pytest.mark.parametrize(
    "query, code, words",
    [
        (
            "$select=subject,isJunk",
            "BadRequest",
            "Could not find a property named 'isJunk' on type 'microsoft.graph.message'",
        ),
        (
            "$filter=isJunk eq true",
            "RequestBroker--ParseUri",
            "Could not find a property named 'isJunk' on type 'microsoft.graph.message'.",
        ),
        ("$orderby=isJunk", "RequestBroker--ParseUri", "Could not find a property named 'isJunk'"),
        (
            "$expand=folder",
            "BadRequest",
            "Could not find a property named 'folder' on type 'microsoft.graph.message'",
        ),
        (
            "$expand=attachments($select=contentId)",
            "BadRequest",
            "'contentId' on type 'microsoft.graph.attachment'",
        ),
        ("$foo=1", "BadRequest", "'$foo'"),
        ("foo=1", "BadRequest", "'foo'"),
        ("top=5", "BadRequest", "'top'"),
        ("$skip=-1", "BadRequest", "$skip"),
        ("$count=maybe", "BadRequest", "$count"),
        ("$filter=isRead eq", "BadRequest", "position"),
        ("$filter=receivedDateTime ge '2026-01-01T00:00:00Z'", "BadRequest", "incompatible types"),
        ("$filter=isRead eq 'x'", "BadRequest", "incompatible types"),
        ("$filter=endswith(subject,'x')", "ErrorInvalidUrlQueryFilter", "invalid nodes"),
        ("$filter=bodyPreview eq 'x'", "ErrorInvalidProperty", "does not support filtering"),
        ('$search="a"&$filter=isRead eq true', "SearchWithFilter", "not supported with '$search'"),
        ('$search="a"&$orderby=subject', "SearchWithOrderBy", "not supported with '$search'"),
        ("$top=1&$top=2", "BadRequest", "$top"),
    ],
)
async def test_query_that_graph_refuses_is_refused_with_its_words(
    stage: Stage, query: str, code: str, words: str
) -> None:
    status, found, message = await stage.refused(f"/me/messages?{query}")
    assert (status, found) == (400, code)
    assert words in message


async def test_select_answers_with_etag_and_id_besides(stage: Stage) -> None:
    fill(stage, 1)
    message = (await stage.ok("/me/messages?$select=isRead,changeKey"))["value"][0]
    assert set(message) == {"@odata.etag", "id", "isRead", "changeKey"}
    assert message["@odata.etag"] == f'W/"{message["changeKey"]}"'


async def test_default_properties_leave_out_headers_and_unique_body(stage: Stage) -> None:
    """internetMessageHeaders and uniqueBody come only when selected."""
    fill(stage, 1)
    message = (await stage.ok("/me/messages"))["value"][0]
    assert {
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "changeKey",
        "categories",
        "receivedDateTime",
        "sentDateTime",
        "hasAttachments",
        "internetMessageId",
        "subject",
        "bodyPreview",
        "importance",
        "parentFolderId",
        "conversationId",
        "conversationIndex",
        "isDeliveryReceiptRequested",
        "isReadReceiptRequested",
        "isRead",
        "isDraft",
        "webLink",
        "inferenceClassification",
        "body",
        "sender",
        "from",
        "toRecipients",
        "ccRecipients",
        "bccRecipients",
        "replyTo",
        "flag",
        "@odata.etag",
    } == set(message)
    full = (await stage.ok("/me/messages?$select=internetMessageHeaders,uniqueBody"))["value"][0]
    names = {h["name"] for h in full["internetMessageHeaders"]}
    assert {"From", "To", "Subject", "Date", "Message-ID"} <= names
    assert full["uniqueBody"]["contentType"] == "html"


async def test_expanded_attachments_carry_only_what_was_selected(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    box.deliver(
        letter(
            "With file",
            enclosures=(
                enclosure("plan.pdf", b"%PDF" * 10),
                enclosure("logo.png", b"png", "image/png", is_inline=True, content_id="logo@x"),
            ),
        )
    )
    page = await stage.ok(
        "/me/messages?$select=subject,hasAttachments"
        "&$expand=attachments($select=id,name,size,isInline,contentType,microsoft.graph.fileAttachment/contentId)"
    )
    message = page["value"][0]
    assert message["hasAttachments"] is True
    plan, logo = message["attachments"]
    assert (
        plan["name"] == "plan.pdf"
        and "contentBytes" not in plan
        and plan["@odata.type"] == "#microsoft.graph.fileAttachment"
    )
    assert logo["contentId"] == "logo@x" and logo["isInline"] is True
    full = await stage.ok("/me/messages?$expand=attachments")
    assert full["value"][0]["attachments"][1]["contentBytes"] == "cG5n"


async def test_inline_images_alone_do_not_count_as_attachments(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(
        letter("Logo", enclosures=(enclosure("l.png", b"p", "image/png", is_inline=True, content_id="l@x"),))
    )
    assert (await stage.ok("/me/messages"))["value"][0]["hasAttachments"] is False


async def test_count_segment_answers_plain_text(stage: Stage) -> None:
    fill(stage, 12)
    answer = await stage.get("/me/mailFolders/inbox/messages/$count")
    assert answer.text == "12" and answer.headers["content-type"].startswith("text/plain")
    answer = await stage.get("/me/messages/$count?$filter=isRead eq false")
    assert answer.text == "6"


async def test_skip_walks_past_messages(stage: Stage) -> None:
    fill(stage, 6)
    page = await stage.ok("/me/messages?$skip=4&$top=5")
    assert [m["subject"] for m in page["value"]] == ["Letter 4", "Letter 5"]


async def test_search_finds_words_in_subject_people_and_body_up_to_250(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    box.deliver(letter("Invoice 77", body=("html", "<p>aardvark</p>")))
    for n in range(260):
        box.deliver(letter(f"Filler {n}"))
    assert [m["subject"] for m in (await stage.ok('/me/messages?$search="invoice"'))["value"]] == ["Invoice 77"]
    assert [m["subject"] for m in (await stage.ok('/me/messages?$search="subject:invoice"'))["value"]] == [
        "Invoice 77"
    ]
    assert [m["subject"] for m in (await stage.ok('/me/messages?$search="body:aardvark"'))["value"]] == ["Invoice 77"]
    found, url = 0, '/me/messages?$search="from:cora@customer.example"&$top=100'
    while url:
        page = await stage.ok(url)
        found, url = found + len(page["value"]), page.get("@odata.nextLink", "")
    assert found == 250


async def test_newest_first_page_of_a_large_folder_does_not_sort_it_again(stage: Stage) -> None:
    """The listing walks a kept index: the number of ordering comparisons per page stays small."""
    fill(stage, 3000)
    await stage.ok("/me/messages?$top=5")
    index = stage.world.mailboxes[stage.ana.id].folder("inbox").index
    before = index.sorts
    for _ in range(5):
        await stage.ok(
            "/me/mailFolders/inbox/messages?$top=5&$filter=receivedDateTime lt 2026-11-22T08:00:00Z"
            "&$orderby=receivedDateTime desc"
        )
    assert index.sorts == before
