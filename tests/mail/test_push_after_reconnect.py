"""Microsoft may end subscriptions together with a sign-in; signing in again brings push back (HLT 5, SYN 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from django.test import Client
from tests.mail.hands import work
from tests.mail.test_connect import Desk
from tests.sandboxes import Outlook

from m365sandbox.identity.visitor import Visitor
from workestra.mail.models import Connection, Subscription
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


@pytest.fixture
def desk(ana: Member, reachable: Outlook, client_for: Callable[[Member], Client]) -> Iterator[Desk]:
    with httpx2.Client(trust_env=False, follow_redirects=False) as browser:
        yield Desk(ana, client_for(ana), Visitor(browser), reachable)


def test_subscriptions_that_microsoft_has_forgotten_are_made_anew(desk: Desk, reachable: Outlook) -> None:
    desk.connect()
    with scope(workspace=desk.member.workspace_id):
        row = Connection.objects.select_related("owner").get()
    work(row)
    known: dict[str, Any] = reachable.world.subscriptions
    assert len(known) == 2
    known.clear()
    desk.connect(reconnects=row)
    work(row)
    assert {one.graph_id for one in Subscription.objects.filter(mailbox_id=row.mailbox_id)} == set(known)
    assert len(known) == 2


def test_subscriptions_that_live_on_are_kept(desk: Desk, reachable: Outlook) -> None:
    desk.connect()
    with scope(workspace=desk.member.workspace_id):
        row = Connection.objects.select_related("owner").get()
    work(row)
    before = set(reachable.world.subscriptions)
    desk.connect(reconnects=row)
    work(row)
    assert set(reachable.world.subscriptions) == before
