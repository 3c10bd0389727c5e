"""One message: ids, bodies, changes, moves, deletion, MIME, attachments (Graph: message, immutable ids)."""

from __future__ import annotations

import asyncio
import email
import email.policy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.graph.stagecraft import IMMUTABLE, Stage, enclosure, letter

from m365sandbox.letters import Address


async def first(stage: Stage, **more: Any) -> dict[str, Any]:
    message: dict[str, Any] = (await stage.ok("/me/messages?$top=1", **more))["value"][0]
    return message


async def test_default_id_changes_on_move_and_the_immutable_one_stays(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    default, lasting = (await first(stage))["id"], (await first(stage, prefer=IMMUTABLE))["id"]
    assert default.startswith("AAMk") and len(default) == 152
    assert lasting.startswith("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A") and len(lasting) == 68
    moved = await stage.ask("POST", f"/me/messages/{default}/move", json={"destinationId": "archive"})
    assert moved.status_code == 201
    assert moved.json()["id"] != default
    assert moved.json()["parentFolderId"] == (await stage.ok("/me/mailFolders/archive"))["id"]
    assert await stage.refused(f"/me/messages/{default}") == (
        404,
        "ErrorItemNotFound",
        "The specified object was not found in the store.",
    )
    assert (await stage.ok(f"/me/messages/{lasting}", prefer=IMMUTABLE))["id"] == lasting
    assert (await stage.ok(f"/me/messages/{lasting}"))["id"] == moved.json()["id"]


async def test_ids_are_case_sensitive_and_malformed_ones_are_refused(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    message = await first(stage)
    assert (await stage.refused(f"/me/messages/{message['id'].swapcase()}"))[0] in (400, 404)
    for text in ("nonsense", message["id"][:-4], message["id"] + "AAAA", "%C3%A9", "AAMk"):
        assert await stage.refused(f"/me/messages/{text}") == (
            400,
            "ErrorInvalidIdMalformed",
            "Id is malformed.",
        )


async def test_id_of_another_mailbox_is_not_found(stage: Stage) -> None:
    item = stage.world.mailboxes[stage.ben.id].deliver(letter())
    other = stage.world.mailboxes[stage.ben.id].default_id(item)
    assert (await stage.refused(f"/me/messages/{other}"))[:2] == (404, "ErrorItemNotFound")


async def test_message_is_found_below_its_own_folder_only(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    lasting = box.immutable_id(box.deliver(letter()))
    await stage.ok(f"/me/mailFolders/inbox/messages/{lasting}")
    assert (await stage.refused(f"/me/mailFolders/archive/messages/{lasting}"))[:2] == (
        404,
        "ErrorItemNotFound",
    )


async def test_patch_writes_read_state_categories_and_flag_with_a_new_change_key(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    before = await first(stage)
    answer = await stage.ask(
        "PATCH",
        f"/me/messages/{before['id']}",
        json={
            "isRead": True,
            "categories": ["Blue category"],
            "importance": "high",
            "inferenceClassification": "other",
            "flag": {"flagStatus": "flagged"},
        },
    )
    after = answer.json()
    assert answer.status_code == 200
    assert (after["isRead"], after["categories"], after["importance"]) == (True, ["Blue category"], "high")
    assert (after["inferenceClassification"], after["flag"]) == ("other", {"flagStatus": "flagged"})
    assert after["changeKey"] != before["changeKey"] and after["@odata.etag"] == f'W/"{after["changeKey"]}"'
    again = await stage.ask("PATCH", f"/me/messages/{before['id']}", json={"isRead": True})
    assert again.json()["changeKey"] != after["changeKey"]
    folder = await stage.ok("/me/mailFolders/inbox")
    assert (folder["unreadItemCount"], folder["totalItemCount"]) == (0, 1)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"subject": "x"}, "ErrorInvalidPropertySet"),
        ({"body": {"contentType": "text", "content": "x"}}, "ErrorInvalidPropertySet"),
        ({"receivedDateTime": "2026-01-01T00:00:00Z"}, "ErrorInvalidPropertySet"),
        ({"parentFolderId": "archive"}, "ErrorInvalidPropertySet"),
        ({"isJunk": True}, "RequestBodyRead"),
        ({"isRead": "yes"}, "RequestBodyRead"),
        ({"categories": "Red"}, "RequestBodyRead"),
        ({"importance": "urgent"}, "RequestBodyRead"),
        (
            {
                "flag": {
                    "flagStatus": "flagged",
                    "dueDateTime": {"dateTime": "2026-12-01T00:00:00", "timeZone": "UTC"},
                }
            },
            "ErrorInvalidRequest",
        ),
    ],
)
async def test_patch_that_graph_refuses_changes_nothing(stage: Stage, body: dict[str, Any], code: str) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    before = await first(stage)
    status, found, _ = await stage.refused(f"/me/messages/{before['id']}", method="PATCH", json=body)
    assert (status, found) == (400, code)
    assert await first(stage) == before


async def test_draft_may_be_rewritten(stage: Stage) -> None:
    """subject, body, replyTo and internetMessageId can be written only while isDraft."""
    stage.world.mailboxes[stage.ana.id].deliver(letter(sender=None), folder="drafts")
    draft = await first(stage)
    assert draft["isDraft"] is True and "sender" not in draft and "from" not in draft
    answer = await stage.ask(
        "PATCH",
        f"/me/messages/{draft['id']}",
        json={
            "subject": "Better",
            "body": {"contentType": "HTML", "content": "<b>x</b>"},
            "toRecipients": [{"emailAddress": {"address": "z@z.example"}}],
        },
    )
    assert answer.status_code == 200
    assert answer.json()["body"] == {"contentType": "html", "content": "<b>x</b>"}
    assert answer.json()["toRecipients"] == [{"emailAddress": {"name": "z@z.example", "address": "z@z.example"}}]


async def test_stale_if_match_is_refused(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    message = await first(stage)
    path, etag = f"/me/messages/{message['id']}", message["@odata.etag"]
    fine = await stage.ask("PATCH", path, json={"isRead": True}, headers={"If-Match": etag})
    stale = await stage.ask("PATCH", path, json={"isRead": False}, headers={"If-Match": etag})
    assert fine.status_code == 200
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "ErrorIrresolvableConflict")


async def test_body_comes_as_written_and_is_turned_on_demand(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    html = box.deliver(letter("H", body=("html", "<html><body><p>One</p><p>Two &amp; three</p></body></html>")))
    text = box.deliver(letter("T", body=("text", "One\r\n<two>")))
    get = f"/me/messages/{box.immutable_id(html)}?$select=body"
    assert (await stage.ok(get))["body"]["content"] == "<html><body><p>One</p><p>Two &amp; three</p></body></html>"
    answer = await stage.get(get, prefer='outlook.body-content-type="text"')
    assert answer.json()["body"] == {"contentType": "text", "content": "One\r\n\r\nTwo & three"}
    assert answer.headers["Preference-Applied"] == 'outlook.body-content-type="text"'
    get = f"/me/messages/{box.immutable_id(text)}?$select=body"
    assert (await stage.ok(get))["body"] == {"contentType": "text", "content": "One\r\n<two>"}
    turned = (await stage.ok(get, prefer='outlook.body-content-type="html"'))["body"]
    assert turned["contentType"] == "html" and "One<br>\r\n&lt;two&gt;" in turned["content"]


async def test_unique_body_is_what_stands_above_the_quote(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(
        letter(body=("html", '<html><body><p>Yes.</p><div id="divRplyFwdMsg">old</div></body></html>'))
    )
    message = await stage.ok(f"/me/messages/{box.immutable_id(item)}?$select=uniqueBody")
    assert "Yes." in message["uniqueBody"]["content"] and "old" not in message["uniqueBody"]["content"]


async def test_preview_is_cut_at_255_characters(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter(preview=lambda: "x" * 400))
    assert len((await first(stage))["bodyPreview"]) == 255


async def test_sent_on_behalf_shows_both_names(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(
        letter(
            sender=Address("Ben Mate", "ben@harbour.example"),
            from_=Address("Sales", "sales@harbour.example"),
        )
    )
    message = await first(stage)
    assert message["from"]["emailAddress"]["address"] == "sales@harbour.example"
    assert message["sender"]["emailAddress"]["address"] == "ben@harbour.example"


async def test_calendar_mail_carries_its_type(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter(odata_type="#microsoft.graph.eventMessageRequest"))
    assert (await first(stage))["@odata.type"] == "#microsoft.graph.eventMessageRequest"


async def test_copy_makes_a_second_message(stage: Stage) -> None:
    stage.world.mailboxes[stage.ana.id].deliver(letter())
    message = await first(stage, prefer=IMMUTABLE)
    made = await stage.ask(
        "POST", f"/me/messages/{message['id']}/copy", json={"DestinationId": "archive"}, prefer=IMMUTABLE
    )
    assert made.status_code == 201 and made.json()["id"] != message["id"]
    assert made.json()["internetMessageId"] == message["internetMessageId"]


async def test_delete_goes_to_deleted_items_and_from_there_for_good(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    lasting = box.immutable_id(box.deliver(letter()))
    assert (await stage.ask("DELETE", f"/me/messages/{lasting}")).status_code == 204
    message = await stage.ok(f"/me/messages/{lasting}")
    assert message["parentFolderId"] == box.folder("deleteditems").id
    assert (await stage.ask("DELETE", f"/me/messages/{lasting}")).status_code == 204
    assert (await stage.refused(f"/me/messages/{lasting}"))[0] == 404


async def test_move_to_an_unknown_folder_is_refused_and_nothing_moves(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(letter())
    path = f"/me/messages/{box.immutable_id(item)}/move"
    stranger = stage.world.mailboxes[stage.ben.id].folder("inbox").id
    assert (await stage.refused(path, method="POST", json={"destinationId": stranger}))[:2] == (
        404,
        "ErrorFolderNotFound",
    )
    assert (await stage.refused(path, method="POST", json={"destinationId": "x"}))[0] == 400
    assert (await stage.refused(path, method="POST", json={}))[0] == 400
    assert item.folder is box.folder("inbox")


async def test_value_serves_mime_with_headers_body_and_files(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(
        letter(
            "Grüße",
            in_reply_to="<a@x>",
            references=("<a@x>",),
            headers=(("X-Mailer", "Test\r\nBcc: evil@x"),),
            enclosures=(enclosure("plan.pdf", b"%PDF-1.7"),),
        )
    )
    answer = await stage.get(f"/me/messages/{box.immutable_id(item)}/$value")
    assert answer.headers["content-type"].startswith("text/plain")
    parsed = email.message_from_bytes(answer.content, policy=email.policy.default)
    assert parsed["Subject"] == "Grüße" and parsed["In-Reply-To"] == "<a@x>" and parsed["Bcc"] is None
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["plan.pdf"]


async def test_attachments_are_listed_read_and_downloaded(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(
        letter(
            enclosures=(
                enclosure("a.txt", b"alpha", "text/plain"),
                enclosure("b.eml", b"Subject: x\r\n\r\ny", "message/rfc822", kind="item"),
                enclosure("c", b"", "application/octet-stream", kind="reference"),
            )
        )
    )
    for prefer in (None, IMMUTABLE):
        base = f"/me/messages/{box.immutable_id(item)}/attachments"
        listed = (await stage.ok(f"{base}?$select=id,name,contentType,size,isInline", prefer=prefer))["value"]
        assert [one["@odata.type"] for one in listed] == [
            "#microsoft.graph.fileAttachment",
            "#microsoft.graph.itemAttachment",
            "#microsoft.graph.referenceAttachment",
        ]
        assert all("contentBytes" not in one for one in listed)
        assert listed[0]["size"] >= 5
        one = await stage.ok(f"{base}/{listed[0]['id']}", prefer=prefer)
        assert one["contentBytes"] == "YWxwaGE=" and one["id"] == listed[0]["id"]
        raw = await stage.get(f"{base}/{listed[0]['id']}/$value")
        assert raw.content == b"alpha" and raw.headers["content-type"].startswith("text/plain")
        assert (await stage.get(f"{base}/{listed[1]['id']}/$value")).content.startswith(b"Subject: x")
        assert (await stage.get(f"{base}/{listed[2]['id']}/$value")).status_code == 405
    assert (await stage.refused(f"{base}/{box.immutable_id(item)}"))[0] == 404


async def test_ids_are_translated_between_the_formats(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(letter())
    default, lasting = box.default_id(item), box.immutable_id(item)
    answer = await stage.ask(
        "POST",
        "/me/translateExchangeIds",
        json={
            "inputIds": [default, "nonsense"],
            "sourceIdType": "restId",
            "targetIdType": "restImmutableEntryId",
        },
    )
    good, bad = answer.json()["value"]
    assert good == {"sourceId": default, "targetId": lasting}
    assert bad["errorDetails"]["code"] == "ErrorInvalidIdMalformed"
    for target in ("entryId", "ewsId", "immutableEntryId"):
        there = await stage.ask(
            "POST",
            "/me/translateExchangeIds",
            json={
                "inputIds": [default],
                "sourceIdType": "restId",
                "targetIdType": target,
            },
        )
        back = await stage.ask(
            "POST",
            "/me/translateExchangeIds",
            json={
                "inputIds": [there.json()["value"][0]["targetId"]],
                "sourceIdType": target,
                "targetIdType": "restId",
            },
        )
        assert back.json()["value"][0]["targetId"] == default
    many = {"inputIds": [default] * 1001, "sourceIdType": "restId", "targetIdType": "ewsId"}
    assert (await stage.refused("/me/translateExchangeIds", method="POST", json=many))[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/me/sendMail"),
        ("POST", "/me/messages"),
        ("POST", "/me/messages/{id}/send"),
        ("POST", "/me/messages/{id}/createReply"),
        ("POST", "/me/messages/{id}/reply"),
        ("POST", "/me/messages/{id}/attachments"),
        ("POST", "/me/messages/{id}/attachments/createUploadSession"),
        ("POST", "/me/messages/{id}/forward"),
    ],
)
async def test_sending_is_refused_and_never_made_up(stage: Stage, method: str, path: str) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    path = path.format(id=box.immutable_id(box.deliver(letter())))
    answer = await stage.ask(method, path, json={"message": {}})
    assert answer.status_code in (400, 405) and answer.json()["error"]["code"] == "BadRequest"
    assert len(box) == 1


async def test_new_message_may_be_told_of_before_it_can_be_read(stage: Stage) -> None:
    """A notice can be faster than the message: GET by id answers 404 for a moment."""
    stage.world.switches.unreadable_seconds = 0.1
    box = stage.world.mailboxes[stage.ana.id]
    path = f"/me/messages/{box.immutable_id(box.deliver(letter()))}"
    assert (await stage.refused(path))[:2] == (404, "ErrorItemNotFound")
    await asyncio.sleep(0.12)
    assert (await stage.get(path)).status_code == 200


HOSTILE = st.text(st.characters(codec=None, exclude_categories=()), max_size=60) | st.sampled_from(
    [
        "a\r\nBcc: x@y",
        "=?utf-8?q?=zz?=",
        "<<>>",
        '"',
        "a@b@c",
        "\x00\x07",
        "\ud800",
        "(",
        ",;:",
        "é@ü.example",
        " ",
    ]
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(HOSTILE, min_size=6, max_size=6), content=HOSTILE, kind=st.sampled_from(["html", "text"]))
async def test_hostile_letter_is_served_in_every_form(
    stage: Stage, texts: list[str], content: str, kind: str
) -> None:
    """Subjects, names, addresses, header lines and file names can hold anything."""
    box = stage.world.mailboxes[stage.ana.id]
    subject, name, address, header, value, file = texts
    item = box.deliver(
        letter(
            subject,
            sender=Address(name, address),
            to=(Address(address, name),),
            internet_message_id=f"<{value}>",
            headers=((header, value), ("Content-Type", value)),
            body=(kind, content),
            enclosures=(enclosure(file, b"x", value, content_id=name),),
        )
    )
    path = f"/me/messages/{box.immutable_id(item)}"
    shown = await stage.ok(f"{path}?$select=subject,from,body,internetMessageHeaders,uniqueBody&$expand=attachments")
    assert shown["subject"] == subject.encode("utf-8", "replace").decode()
    assert (await stage.get(path, prefer='outlook.body-content-type="text"')).status_code == 200
    mime = await stage.get(f"{path}/$value")
    assert mime.status_code == 200 and email.message_from_bytes(mime.content).get_payload()
    assert (await stage.get(f"{path}/attachments/{shown['attachments'][0]['id']}/$value")).content == b"x"
    assert (await stage.http.get("http://graph.test/_sandbox/mailboxes/ana@harbour.example/truth")).status_code == 200
    box.purge(item)
