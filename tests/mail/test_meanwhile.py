"""What Microsoft tells of meanwhile does not wait for long work: a comparison, or a new round of a large folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.compare import store
from tests.mail.hands import start, sync, work
from tests.sandboxes import Outlook

from workestra.graph import mail
from workestra.graph.client import Graph
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.flows import prove, walk
from workestra.mail.models import Connection, Notice, Subscription, SyncRun
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

Deliver = Callable[[], str]


@pytest.fixture
def row(ana: Member, outlook: Outlook) -> Connection:
    """A mailbox of 120 letters at rest."""
    outlook.history(count=120, days=25)
    row = outlook.connect(ana)
    start(row, "30d")
    work(row)
    sync(row)
    return row


@pytest.fixture
def deliver(row: Connection, outlook: Outlook) -> Deliver:
    """Have a letter come into another folder than the one that is walked, and Microsoft tell of it."""
    inbox = Subscription.objects.create(mailbox_id=row.mailbox_id, resource="inbox")

    def now() -> str:
        letter = outlook.deliver(folder="sentitems", at=clock.now() + timedelta(seconds=2))
        name = outlook.mailbox("ana").immutable_id(letter)
        Notice.objects.create(
            subscription=inbox,
            workspace_id=row.workspace_id,
            connection_id=row.pk,
            change="created",
            item=name,
            received_at=clock.now(),
        )
        return name

    return now


def watched(
    monkeypatch: pytest.MonkeyPatch, call: str, deliver: Deliver, row: Connection, outlook: Outlook
) -> list[bool]:
    """Deliver a letter with the first such request about the Inbox, and note at each later one whether it is here."""
    inbox = outlook.mailbox("ana").folder("inbox").id
    real: Any = getattr(mail, call)
    came: list[str] = []
    here: list[bool] = []

    async def spied(graph: Graph, **given: Any) -> Any:
        if given["folder"] != inbox:
            pass
        elif came:
            here.append(await hop(lambda: came[0] in store(row)))
        else:
            came.append(await hop(deliver))
        return await real(graph, **given)

    monkeypatch.setattr(mail, call, spied)
    return here


def test_a_notice_does_not_wait_for_the_daily_comparison(
    row: Connection, outlook: Outlook, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove, "PAGE", 20)
    monkeypatch.setattr(prove, "SPARE", 0)
    monkeypatch.setattr(prove, "WALKERS", 1)
    here = watched(monkeypatch, "ids", deliver, row, outlook)
    sync(row, "full")
    assert len(here) > 5
    assert all(here[1:])


def test_a_notice_does_not_wait_for_a_new_round(
    row: Connection, outlook: Outlook, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "FIRST_PAGE", 20)
    outlook.world.cursors.expire(owner=outlook.mailbox("ana").owner_id, folder=None)
    here = watched(monkeypatch, "messages_delta", deliver, row, outlook)
    sync(row)
    assert len(here) > 5
    assert all(here[2:])  # the first request met a worn-out cursor


def test_the_log_counts_each_request_once(
    row: Connection, outlook: Outlook, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "FIRST_PAGE", 20)
    outlook.world.cursors.expire(owner=outlook.mailbox("ana").owner_id, folder=None)
    with scope(workspace=row.workspace_id):
        last = SyncRun.objects.filter(connection=row).latest("id").pk
    before = len(outlook.world.requests.last(20_000))
    watched(monkeypatch, "messages_delta", deliver, row, outlook)
    sync(row)
    spent = len([one for one in outlook.world.requests.last(20_000) if "/oauth2/" not in one.path]) - before
    with scope(workspace=row.workspace_id):
        later = SyncRun.objects.filter(connection=row, pk__gt=last)
        assert sum(later.values_list("requests", flat=True)) == spent
        assert later.filter(kind="notice", requests=1).exists()
