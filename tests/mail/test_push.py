"""Whether Microsoft tells of new mail, and how it comes where Microsoft cannot, will not or falls silent (SYN 6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import Time, alive, soon, subscribed, sync, told, work
from tests.sandboxes import Outlook

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail.doors import queries
from workestra.mail.models import Connection, Schedule
from workestra.project.templatetags.connections import no_push_because
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def test_a_server_that_microsoft_cannot_reach_syncs_on_schedule(
    ana: Member, reachable: Outlook, settings: Any
) -> None:
    settings.WORKESTRA = settings.WORKESTRA.model_copy(update={"public_url": "http://127.0.0.1:9"})
    connection = reachable.connect(ana)
    reachable.deliver(at=soon())
    work(connection)
    row = hands.fresh(connection)
    assert (row.state, row.error_code) == ("active", "")
    assert alive(connection) == 0
    assert differences(reachable, connection, "ana") == []


def _push(connection: Connection) -> tuple[str, str]:
    owner = connection.owner
    with scope(workspace=connection.workspace_id):
        card = queries.connection_card(member=owner, connection_id=connection.pk, now=clock.now())
    assert card is not None
    return card.push, no_push_because(card)


def test_a_first_try_under_way_is_not_taken_for_an_unreachable_server(ana: Member, reachable: Outlook) -> None:
    connection = reachable.connect(ana)
    push, why = _push(connection)
    assert push == "starting"
    assert "is being set up" in why
    work(connection)
    assert _push(connection) == ("push", "")


def test_a_server_that_microsoft_tried_in_vain_says_so_and_heals(
    ana: Member, reachable: Outlook, settings: Any, time: Time
) -> None:
    good = settings.WORKESTRA
    settings.WORKESTRA = good.model_copy(update={"public_url": "http://127.0.0.1:9"})
    connection = reachable.connect(ana)
    work(connection)
    push, why = _push(connection)
    assert push == "unreached"
    assert "tried to reach this server" in why
    settings.WORKESTRA = good
    time.passes(minutes=31)
    work(connection)
    assert _push(connection) == ("push", "")


def test_a_refusal_of_another_kind_is_no_unreachable_server(ana: Member, reachable: Outlook) -> None:
    refused = '{"error": {"code": "ErrorAccessDenied", "message": "Access is denied."}}'
    reachable.world.faults.add(Fault("POST .*/subscriptions", "status", status=403, times=None, body=refused))
    connection = reachable.connect(ana)
    work(connection)
    push, why = _push(connection)
    assert push == "refused"
    assert "did not agree" in why
    assert hands.fresh(connection).error_code == ""


def test_a_server_without_a_public_address_is_said_to_be_out_of_reach(
    ana: Member, reachable: Outlook, settings: Any
) -> None:
    settings.WORKESTRA = settings.WORKESTRA.model_copy(update={"public_url": "http://workestra.example"})
    push, why = _push(reachable.connect(ana))
    assert push == "schedule"
    assert "cannot reach this server" in why


def _how(connection: Connection) -> str:
    with scope(workspace=connection.workspace_id):
        card = queries.connection_card(member=connection.owner, connection_id=connection.pk, now=clock.now())
    assert card is not None
    assert (no_push_because(card) != "") == (card.push != "push")
    return card.push


def _planned(connection: Connection) -> Any:
    return Schedule.objects.get(connection_id=connection.pk).light_at - clock.now()


def test_push_that_fell_silent_is_noticed_looked_after_faster_told_of_and_heals(
    watched: Connection, reachable: Outlook, time: Time
) -> None:
    time.passes(minutes=1)
    sync(watched)
    faults = reachable.world.courier.faults
    faults.drop = 1.0
    time.passes(minutes=10)
    reachable.deliver(at=soon())
    sync(watched)
    assert _how(watched) == "push", "a notice may still be on its way"
    assert _planned(watched) <= timedelta(minutes=5)
    time.passes(minutes=5, seconds=5)
    work(watched)
    assert _how(watched) == "silent"
    assert _planned(watched) <= timedelta(minutes=2)
    reachable.deliver(at=soon())
    time.passes(minutes=2, seconds=5)
    work(watched)
    assert differences(reachable, watched, "ana") == []
    assert len(store(watched)) == 2
    time.passes(minutes=32)
    work(watched)
    assert timedelta(minutes=7) < _planned(watched) <= timedelta(minutes=8), "nothing came for half an hour"
    reachable.deliver(at=soon())
    time.passes(minutes=8, seconds=5)
    work(watched)
    assert len(store(watched)) == 3
    assert _planned(watched) <= timedelta(minutes=2), "mail comes again"
    faults.drop = 0.0
    reachable.deliver(at=soon())
    told(watched)
    work(watched)
    assert _how(watched) == "push"
    time.passes(minutes=2, seconds=5)
    work(watched)
    assert _planned(watched) > timedelta(minutes=10)


def test_mail_that_a_notice_told_of_raises_no_suspicion(watched: Connection, reachable: Outlook, time: Time) -> None:
    time.passes(minutes=1)
    sync(watched)
    time.passes(minutes=10)
    reachable.deliver(at=soon())
    told(watched)
    sync(watched)
    time.passes(minutes=10)
    sync(watched)
    assert _how(watched) == "push"
    assert all(row.untold_at is None for row in subscribed(watched))


@pytest.mark.parametrize("most", [0, 1])
def test_where_no_more_subscriptions_are_to_be_had_mail_comes_on_schedule_until_there_are(
    ana: Member, reachable: Outlook, time: Time, most: int
) -> None:
    reachable.world.switches.subscriptions_per_mailbox = most
    connection = reachable.connect(ana)
    work(connection)
    assert alive(connection) == most
    assert hands.fresh(connection).error_code == ""
    reachable.deliver(at=soon())
    time.passes(minutes=20)
    work(connection)
    assert differences(reachable, connection, "ana") == []
    reachable.world.switches.subscriptions_per_mailbox = 1000
    time.passes(minutes=31)
    work(connection)
    assert alive(connection) == 2
    reachable.deliver(at=clock.now() + timedelta(seconds=2))
    told(connection)
    work(connection)
    assert differences(reachable, connection, "ana") == []
