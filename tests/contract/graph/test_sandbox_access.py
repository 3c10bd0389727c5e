"""Tokens, scopes, rights, people without a mailbox, folders, paths and error bodies."""

from __future__ import annotations

import base64
import json
import re

import pytest
from tests.contract.graph.stagecraft import Stage, letter

SALES = "/users/sales@harbour.example/mailFolders/inbox/messages"


async def test_error_body_and_headers_name_the_request(stage: Stage) -> None:
    """innerError holds a date without a zone and both ids; the response headers carry the ids too."""
    answer = await stage.get("/me/messages/x", headers={"client-request-id": "our-id-1"})
    inner = answer.json()["error"]["innerError"]
    assert set(inner) == {"date", "request-id", "client-request-id"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inner["date"])
    assert inner["client-request-id"] == "our-id-1" == answer.headers["client-request-id"]
    assert inner["request-id"] == answer.headers["request-id"]
    assert "x-ms-ags-diagnostic" in answer.headers
    fine = await stage.get("/me")
    assert fine.headers["request-id"] and fine.headers["client-request-id"]


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "Access token is empty."),
        ("expired", "Lifetime validation failed, the token is expired."),
        ("malformed", "CompactToken parsing failed"),
        ("never issued", "CompactToken parsing failed"),
    ],
)
async def test_bad_token_is_401(stage: Stage, token: str | None, words: str) -> None:
    answer = await stage.get("/me/messages", token=token)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (401, "InvalidAuthenticationToken")
    assert words in error["message"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_claims_challenge_carries_the_claims_in_base64(stage: Stage) -> None:
    answer = await stage.get("/me", token="challenged")
    header = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401 and 'error="insufficient_claims"' in header
    claims = re.search(r'claims="([^"]+)"', header)
    assert claims and json.loads(base64.b64decode(claims.group(1)))["access_token"]["nbf"]["value"] == "1"


async def test_missing_scope_is_403(stage: Stage) -> None:
    denied = (403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    assert await stage.refused("/me/messages", token="ana-profile") == denied
    box = stage.world.mailboxes[stage.ana.id]
    path = f"/me/messages/{box.immutable_id(box.deliver(letter()))}"
    assert await stage.refused(path, token="ana-narrow", method="PATCH", json={"isRead": True}) == denied
    assert await stage.refused(path, token="ana-narrow", method="DELETE") == denied
    assert await stage.refused("/me/contacts", token="ana-narrow") == denied
    assert len(box) == 1


async def test_basic_scope_hides_body_preview_attachments_and_search(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    item = box.deliver(letter())
    message = (await stage.ok("/me/messages", token="ana-basic"))["value"][0]
    assert not {"body", "bodyPreview", "uniqueBody"} & set(message)
    path = f"/me/messages/{box.immutable_id(item)}"
    for refused in (
        f"{path}/attachments",
        f"{path}/$value",
        '/me/messages?$search="x"',
        "/me/messages?$expand=attachments",
    ):
        assert (await stage.refused(refused, token="ana-basic"))[0] == 403


async def test_shared_mailbox_needs_the_shared_scope_and_the_right(stage: Stage) -> None:
    stage.world.mailboxes[stage.shared.id].deliver(letter("To sales"))
    assert [m["subject"] for m in (await stage.ok(SALES))["value"]] == ["To sales"]
    assert len((await stage.ok(f"/users/{stage.shared.id}/messages"))["value"]) == 1
    assert (await stage.refused(SALES, token="ana-narrow"))[:2] == (403, "ErrorAccessDenied")
    assert (await stage.refused(SALES, token="ben"))[:2] == (403, "ErrorAccessDenied")
    assert (await stage.refused("/users/ben@harbour.example/messages"))[:2] == (403, "ErrorAccessDenied")


async def test_lack_of_rights_may_also_be_404(stage: Stage) -> None:
    """The service answers 403 or 404 for the same lack of rights."""
    stage.world.switches.shared_denied = "404"
    assert (await stage.refused(SALES, token="ben"))[:2] == (404, "ErrorItemNotFound")
    stage.world.switches.shared_denied = "mix"
    assert {(await stage.refused(SALES, token="ben"))[0] for _ in range(2)} == {403, 404}


async def test_unknown_user_and_user_of_another_tenant_are_invalid(stage: Stage) -> None:
    for name in ("nobody@harbour.example", "pia@outlook.example"):
        assert await stage.refused(f"/users/{name}/messages") == (
            404,
            "ErrorInvalidUser",
            f"The requested user '{name}' is invalid.",
        )


async def test_person_without_online_mailbox_has_a_profile_and_no_mail(stage: Stage) -> None:
    assert (await stage.ok("/me", token="olga"))["displayName"] == "Olga Onprem"
    assert await stage.refused("/me/mailFolders", token="olga") == (
        404,
        "MailboxNotEnabledForRESTAPI",
        "REST API is not yet supported for this mailbox.",
    )
    stage.world.switches.flip_no_mailbox = True
    codes = {(await stage.refused("/me/mailFolders", token="olga"))[1] for _ in range(2)}
    assert codes == {"MailboxNotEnabledForRESTAPI", "ResourceNotFound"}


async def test_profile_has_the_default_properties_and_more_on_select(stage: Stage) -> None:
    me = await stage.ok("/me")
    assert set(me) == {
        "@odata.context",
        "id",
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }
    assert (me["id"], me["mail"], me["userPrincipalName"]) == (
        stage.ana.id,
        "ana@harbour.example",
        "ana.owner@harbour.example",
    )
    some = await stage.ok("/me?$select=mail,proxyAddresses")
    assert some["proxyAddresses"] == ["SMTP:ana@harbour.example"] and "displayName" not in some
    assert (await stage.refused("/me?$select=wallet"))[0] == 400
    assert (await stage.refused("/users/ben@harbour.example"))[:2] == (403, "Authorization_RequestDenied")


async def test_personal_account_is_known_by_sixteen_digits(stage: Stage) -> None:
    assert (await stage.ok("/me", token="pia"))["id"] == "000340001a2b3c4d"


async def test_folder_list_has_one_level_without_hidden_ones(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    top = box.add_folder("Projects")
    box.add_folder("Harbour", top.id)
    box.deliver(letter(), folder=top.id)
    names = [f["displayName"] for f in (await stage.ok("/me/mailFolders?$top=100"))["value"]]
    assert {
        "Inbox",
        "Drafts",
        "Sent Items",
        "Deleted Items",
        "Junk Email",
        "Archive",
        "Outbox",
        "Conversation History",
        "Projects",
    } <= set(names)
    assert not {"Harbour", "Clutter", "Top of Information Store"} & set(names)
    hidden = [
        f for f in (await stage.ok("/me/mailFolders?includeHiddenFolders=true&$top=100"))["value"] if f["isHidden"]
    ]
    assert "Clutter" in {f["displayName"] for f in hidden}
    projects = await stage.ok(f"/me/mailFolders/{top.id}")
    assert set(projects) == {
        "@odata.context",
        "id",
        "displayName",
        "parentFolderId",
        "childFolderCount",
        "unreadItemCount",
        "totalItemCount",
        "isHidden",
    }
    assert (projects["childFolderCount"], projects["unreadItemCount"], projects["totalItemCount"]) == (
        1,
        1,
        1,
    )
    children = (await stage.ok(f"/me/mailFolders('{top.id}')/childFolders"))["value"]
    assert [c["displayName"] for c in children] == ["Harbour"] and children[0]["parentFolderId"] == top.id


async def test_folder_list_is_paged_by_ten(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    for n in range(15):
        box.add_folder(f"Folder {n}")
    names, url, pages = set(), "/me/mailFolders?$select=displayName", 0
    while url:
        page = await stage.ok(url)
        assert len(page["value"]) <= 10
        names |= {f["displayName"] for f in page["value"]}
        url, pages = page.get("@odata.nextLink", ""), pages + 1
    assert pages == 3 and {f"Folder {n}" for n in range(15)} <= names


async def test_well_known_names_work_in_any_case_and_both_forms(stage: Stage) -> None:
    inbox = (await stage.ok("/me/mailFolders/inbox"))["id"]
    for form in (
        "/me/mailFolders/INBOX",
        "/me/mailFolders('Inbox')",
        f"/me/mailFolders/{inbox}",
        "/ME/MAILFOLDERS('inbox')",
    ):
        assert (await stage.ok(form))["id"] == inbox
    top = await stage.ok("/me/mailFolders/msgfolderroot")
    assert (await stage.ok("/me/mailFolders/inbox"))["parentFolderId"] == top["id"]
    assert (await stage.refused("/me/mailFolders/inbox?$select=wellKnownName"))[:2] == (400, "BadRequest")


async def test_folder_that_is_gone_or_foreign_is_404_and_malformed_is_400(stage: Stage) -> None:
    foreign = stage.world.mailboxes[stage.ben.id].folder("inbox").id
    box = stage.world.mailboxes[stage.ana.id]
    gone = box.add_folder("Brief").id
    box.delete_folder(gone)
    box.delete_folder(gone)
    for folder in (foreign, gone):
        assert (await stage.refused(f"/me/mailFolders/{folder}/messages"))[:2] == (404, "ErrorFolderNotFound")
    assert (await stage.refused("/me/mailFolders/nosuchname/messages"))[:2] == (
        400,
        "ErrorInvalidIdMalformed",
    )


async def test_path_that_graph_does_not_have_is_named(stage: Stage) -> None:
    assert await stage.refused("/me/letters") == (
        400,
        "BadRequest",
        "Resource not found for the segment 'letters'.",
    )
    assert await stage.refused("/applications/x") == (
        400,
        "BadRequest",
        "Resource not found for the segment 'applications'.",
    )
    status, _, message = await stage.refused("/me/mailFolders/inbox", method="PUT", json={})
    assert status == 405 and "method" in message


async def test_compressed_answer_on_request(stage: Stage) -> None:
    for _ in range(10):
        stage.world.mailboxes[stage.ana.id].deliver(letter())
    packed = await stage.get("/me/messages", headers={"Accept-Encoding": "gzip"})
    plain = await stage.get("/me/messages", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert packed.json()["value"] == plain.json()["value"]


async def test_body_over_four_megabytes_is_413(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    path = f"/me/messages/{box.immutable_id(box.deliver(letter()))}"
    answer = await stage.ask("PATCH", path, content=b"x" * (4 * 1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_body_that_is_no_json_is_refused(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    path = f"/me/messages/{box.immutable_id(box.deliver(letter()))}"
    json_type = {"Content-Type": "application/json"}
    assert (await stage.refused(path, method="PATCH", content=b"{", headers=json_type))[0] == 400
    assert (await stage.refused(path, method="PATCH", content=b"[]", headers=json_type))[0] == 400
    assert (await stage.refused(path, method="PATCH", content=b"{}", headers={"Content-Type": "text/plain"}))[
        0
    ] == 415
    assert (await stage.refused(path, method="PATCH", headers=json_type))[0] == 400


async def test_contacts_are_listed_and_tracked(stage: Stage) -> None:
    box = stage.world.mailboxes[stage.ana.id]
    numbers = [
        box.put_contact(
            {"displayName": f"Person {n:02}", "emailAddresses": [{"name": "P", "address": f"p{n}@x.example"}]}
        )
        for n in range(12)
    ]
    page = await stage.ok("/me/contacts?$count=true")
    assert page["@odata.count"] == 12 and len(page["value"]) == 10 and "@odata.nextLink" in page
    assert page["value"][0]["emailAddresses"][0]["address"] == "p0@x.example"
    entries, link = await stage.round("/me/contactFolders/contacts/contacts/delta?$select=displayName")
    assert len(entries) == 12
    box.put_contact({"displayName": "Renamed"}, numbers[3])
    box.remove_contact(numbers[4])
    entries, _ = await stage.round(link)
    assert [e.get("displayName") or e["@removed"]["reason"] for e in entries] == ["Renamed", "deleted"]
