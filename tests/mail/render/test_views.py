"""Bodies and files over HTTP, against the real database and the sandbox: who gets what, and as what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.urls import reverse
from tests.sandboxes import Outlook, ref_of, run

from m365sandbox.faults import Fault
from m365sandbox.letters import Enclosure
from workestra.mail.flows.pull import pull
from workestra.mail.models import Connection, Message
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
ClientFor = Callable[[Member], Client]


def enclosure(name: str, content_type: str, content: bytes, **more: Any) -> Enclosure:
    return Enclosure(name=name, content_type=content_type, size=len(content), content=lambda: content, **more)


def received(member: Member, outlook: Outlook, *files: Enclosure, **letter: Any) -> Message:
    """A message with these files in the member's store."""
    outlook.deliver(enclosures=files, **letter)
    connection = outlook.connect(member)
    run(pull(ref=ref_of(connection)))
    return newest(member)


def newest(member: Member) -> Message:
    with scope(workspace=member.workspace_id):
        return Message.objects.filter(workspace_id=member.workspace_id).latest("received_at")


def fetch(member: Member, url: str) -> tuple[Any, bytes]:
    """The answer as a browser gets it over ASGI, on one event loop from the first byte to the last."""

    async def whole() -> tuple[Any, bytes]:
        client = AsyncClient()
        await client.aforce_login(member.user)
        answer: Any = await client.get(url)
        if answer.streaming:
            return answer, b"".join([part async for part in answer])
        return answer, answer.content

    return run(whole())


def file_url(message: Message, index: int = 0, query: str = "") -> str:
    return reverse("mail:attachment", args=[message.pk, index]) + query


def test_a_body_comes_under_a_policy_of_its_own(ana: Member, outlook: Outlook, client_for: ClientFor) -> None:
    message = received(
        ana, outlook, html="<p>Hello</p><script>alert(1)</script><blockquote type=cite>Old</blockquote>"
    )
    answer = client_for(ana).get(reverse("mail:body", args=[message.pk]))
    assert answer.status_code == 200
    assert answer["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
        "base-uri 'none'; form-action 'none'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "no-referrer"
    page = answer.content.decode()
    assert "Hello" in page
    assert "alert" not in page
    assert "Old" not in page
    shown = client_for(ana).get(reverse("mail:body", args=[message.pk]) + "?quotes=1").content.decode()
    assert "Old" in shown
    assert 'data-quotes="shown"' in shown


def test_nobody_else_reads_a_body_or_a_file(
    ana: Member, ben: Member, cleo: Member, outlook: Outlook, client_for: ClientFor
) -> None:
    message = received(ana, outlook, enclosure("a.pdf", "application/pdf", b"%PDF"))
    before = len(outlook.world.requests.entries)
    for stranger in (ben, cleo):
        assert client_for(stranger).get(reverse("mail:body", args=[message.pk])).status_code == 404
        for url in (file_url(message), reverse("mail:inline", args=[message.pk, "x@y"])):
            assert fetch(stranger, url)[0].status_code == 404
    assert len(outlook.world.requests.entries) == before
    assert Client().get(reverse("mail:body", args=[message.pk])).status_code == 302


@pytest.mark.parametrize(
    ("name", "content_type", "served"),
    [
        ("Bericht März.pdf", "application/pdf", "application/pdf"),
        ("page.html", "text/html", "application/octet-stream"),
        ("drawing.svg", "image/svg+xml", "application/octet-stream"),
        ("../../evil\u202efdp.js", "text/javascript", "application/octet-stream"),
    ],
)
def test_a_file_comes_as_a_download_with_a_safe_name(
    ana: Member, outlook: Outlook, name: str, content_type: str, served: str
) -> None:
    content = bytes(range(256)) * 3000
    message = received(ana, outlook, enclosure(name, content_type, content))
    answer, body = fetch(ana, file_url(message))
    assert answer.status_code == 200
    assert body == content
    assert answer["Content-Type"] == served
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert not set(answer["Content-Disposition"]) & set("/\\\u202e")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"


def test_a_picture_is_shown_inline_only_if_it_is_one(ana: Member, outlook: Outlook) -> None:
    message = received(
        ana,
        outlook,
        enclosure("logo.png", "image/png", PNG, is_inline=True, content_id="logo@1"),
        enclosure("fake.png", "image/png", b"<svg onload=alert(1)>"),
        enclosure("plan.svg", "image/svg+xml", b"<svg/>"),
    )
    answer, body = fetch(ana, file_url(message, 0, "?inline=1"))
    assert (answer["Content-Type"], body) == ("image/png", PNG)
    assert answer["Content-Disposition"].startswith("inline")
    assert fetch(ana, file_url(message, 1, "?inline=1"))[0].status_code == 404
    assert fetch(ana, file_url(message, 2, "?inline=1"))[0].status_code == 404
    assert fetch(ana, file_url(message, 3))[0].status_code == 404


def test_a_content_id_is_found_at_microsoft_once_and_then_known(
    ana: Member, outlook: Outlook, client_for: ClientFor
) -> None:
    message = received(
        ana,
        outlook,
        enclosure("other.png", "image/png", b"GIF89a" + b"\x00" * 9),
        enclosure("odd name.png", "image/png", PNG, is_inline=True, content_id="ii_77@mail"),
        html="<p>see <img src='cid:ii_77@mail'></p>",
    )
    with scope(workspace=ana.workspace_id):
        Message.objects.filter(pk=message.pk).update(attachments=[{**one, "cid": ""} for one in message.attachments])
    inline = reverse("mail:inline", args=[message.pk, "ii_77@mail"])
    body = reverse("mail:body", args=[message.pk])
    assert inline.encode() in client_for(ana).get(body).content
    answer, content = fetch(ana, inline)
    assert (answer.status_code, answer["Content-Type"], content) == (200, "image/png", PNG)
    assert file_url(message, 1, "?inline=1").encode() in client_for(ana).get(body).content
    assert fetch(ana, reverse("mail:inline", args=[message.pk, "nobody@mail"]))[0].status_code == 404


def test_an_attached_mail_comes_as_eml_and_a_cloud_link_as_words(ana: Member, outlook: Outlook) -> None:
    message = received(
        ana,
        outlook,
        enclosure("Old plans", "message/rfc822", b"Subject: Old plans\r\n\r\nHello", kind="item"),
        enclosure("cloud.docx", "application/octet-stream", b"", kind="reference"),
    )
    answer, _ = fetch(ana, file_url(message, 0))
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="Old plans.eml"'
    assert answer["Content-Type"] == "application/octet-stream"
    answer, page = fetch(ana, file_url(message, 1))
    assert answer.status_code == 404
    assert "link to a file in the cloud" in page.decode()


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        (Fault(match="value", kind="status", status=404), 404, "not in Outlook any more"),
        (Fault(match="value", kind="status", status=429, headers={"Retry-After": "7"}), 503, "slow down"),
        (Fault(match="value", kind="status", status=503), 503, "did not answer"),
        (Fault(match="value", kind="status", status=401, times=None), 409, "sign"),
        (Fault(match="value", kind="cut", times=None), 503, "did not answer"),
        (Fault(match="value", kind="status", status=403), 409, ""),
    ],
)
def test_what_goes_wrong_is_said_with_its_status(
    ana: Member, outlook: Outlook, fault: Fault, status: int, said: str
) -> None:
    message = received(ana, outlook, enclosure("a.bin", "application/zip", b"x" * 1000))
    outlook.world.faults.add(fault)
    answer, page = fetch(ana, file_url(message))
    assert answer.status_code == status
    assert said in page.decode()
    assert ("Retry-After" in answer) == (status == 503)


def test_a_throttled_file_holds_back_every_lane_of_the_mailbox(ana: Member, outlook: Outlook) -> None:
    message = received(ana, outlook, enclosure("a.bin", "application/zip", b"x"))
    outlook.world.faults.add(Fault(match="value", kind="status", status=429, headers={"Retry-After": "60"}))
    fetch(ana, file_url(message))
    answer, _ = fetch(ana, file_url(message))
    assert answer.status_code == 503
    assert 50 < int(answer["Retry-After"]) <= 60


def test_a_disconnected_mailbox_asks_to_be_connected_again(ana: Member, outlook: Outlook) -> None:
    message = received(ana, outlook, enclosure("a.bin", "application/zip", b"x"))
    with scope(workspace=ana.workspace_id):
        Connection.objects.filter(pk=message.connection_id).update(state="disconnected")
    answer, page = fetch(ana, file_url(message))
    assert answer.status_code == 409
    assert "connect it again" in page.decode()


def test_a_reader_that_leaves_gives_the_place_in_the_lane_back(ana: Member, outlook: Outlook) -> None:
    from workestra.mail.models import Slot

    message = received(ana, outlook, enclosure("a.bin", "application/zip", b"x" * 3_000_000))

    async def leave() -> None:
        client = AsyncClient()
        await client.aforce_login(ana.user)
        answer: Any = await client.get(file_url(message))
        async for _ in answer:
            break

    run(leave())
    assert not Slot.objects.filter(mailbox_id=ref_of(_connection(message)).mailbox).exclude(holder="").exists()


def _connection(message: Message) -> Connection:
    with scope(workspace=message.workspace_id):
        return Connection.objects.get(pk=message.connection_id)


def test_a_notice_that_passes_the_endpoint_by_finds_nothing(client_for: ClientFor, ana: Member) -> None:
    assert reverse("mail:graph-notices") == "/hooks/graph"
    assert Client(enforce_csrf_checks=True).post("/hooks/graph").status_code == 404
    assert client_for(ana).get("/hooks/graph").status_code == 405
