"""An export tells what Outlook has, message by message (OPS 2)."""

from __future__ import annotations

import json
from typing import Any

from tests.sandboxes import Outlook, ref_of, run

from m365sandbox.control_mailbox import truth_line
from workestra.kit import clock
from workestra.mail.doors import connections, export, overview
from workestra.mail.flows.history import history
from workestra.mail.flows.pull import pull
from workestra.mail.models import Connection
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

SAME = (
    *("internetMessageId", "conversationId", "folder", "folderId", "subject", "receivedDateTime", "sentDateTime"),
    *("isRead", "flag", "categories", "bodySha256"),
)


def synced(outlook: Outlook, member: Member) -> Connection:
    """A connection with its whole history."""
    connection = outlook.connect(member)
    with scope(workspace=member.workspace_id):
        connections.start_backfill(member=member, connection_id=connection.pk, choice="all", now=clock.now())
    run(history(ref=ref_of(connection)))
    run(pull(ref=ref_of(connection)))
    return connection


def exported(connection: Connection) -> dict[str, dict[str, Any]]:
    rows = [*export.lines(workspace=connection.workspace_id, connection=connection.pk)]
    assert len({row["immutableId"] for row in rows}) == len(rows)
    return {row["immutableId"]: json.loads(json.dumps(row)) for row in rows}


def test_an_export_equals_the_mailbox_field_by_field(ana: Member, outlook: Outlook) -> None:
    outlook.history(count=12)
    box = outlook.mailbox("ana")
    box.add_folder("Customers/North")
    deep = outlook.deliver(folder="inbox", subject="Ünïcode \u202e \U0001f600", html="<p>grüße\r\n</p>")
    box.move(deep, "Customers/North")
    box.flag(deep, "flagged")
    box.categorise(deep, ["Blue category", "Ümlaut"])
    outlook.deliver(body=lambda: ("text", "plain\n"), subject="")
    outlook.deliver(body=lambda: ("html", ""), subject="no body")
    connection = synced(outlook, ana)
    theirs = {line["id"]: line for line in (truth_line(box, item) for item in box.truth())}
    ours = exported(connection)
    assert ours.keys() == theirs.keys()
    assert len(ours) == 15
    for key, line in theirs.items():
        assert {name: ours[key][name] for name in SAME} == {name: line[name] for name in SAME}
        assert ours[key]["from"]["address"] == line["from"]
        assert [one["address"] for one in ours[key]["to"]] == line["to"]
    assert {line["bodyType"] for line in ours.values()} == {"html", "text"}


def test_what_was_removed_in_outlook_or_lies_in_junk_is_not_exported(ana: Member, outlook: Outlook) -> None:
    keep, drop = outlook.deliver(subject="keep"), outlook.deliver(subject="drop")
    outlook.deliver(folder="junkemail", subject="junk")
    connection = synced(outlook, ana)
    assert {line["subject"] for line in exported(connection).values()} == {"keep", "drop"}
    outlook.mailbox("ana").delete(drop)
    with scope(workspace=ana.workspace_id):
        connections.sync_now(member=ana, connection_id=connection.pk, now=clock.now())
    run(pull(ref=ref_of(connection)))
    assert list(exported(connection)) == [outlook.mailbox("ana").immutable_id(keep)]


def test_an_export_of_another_workspaces_connection_is_empty(ana: Member, cleo: Member, outlook: Outlook) -> None:
    outlook.deliver()
    connection = synced(outlook, ana)
    assert [*export.lines(workspace=cleo.workspace_id, connection=connection.pk)] == []
    assert len(exported(connection)) == 1


def test_a_mailbox_is_found_by_address_in_any_case_and_by_number(ana: Member, outlook: Outlook) -> None:
    connection = outlook.connect(ana)
    found = overview.find(mailbox=str(connection.pk), now=clock.now())
    assert [(one.id, one.workspace_id, one.owner) for one in found] == [
        (connection.pk, ana.workspace_id, ana.user.email)
    ]
    by_address = overview.find(mailbox=connection.address.upper(), now=clock.now())
    assert connection.pk in {one.id for one in by_address}
    assert overview.find(mailbox="nobody@nowhere.example", now=clock.now()) == []
