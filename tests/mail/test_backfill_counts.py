"""Servers that do not count, or count wrongly: history is pulled to its end all the same (BKF 3, 8)."""

from __future__ import annotations

import pytest
from tests.compare import differences
from tests.mail.hands import backfill, start, work
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.mail.doors import queries
from workestra.rules import replication
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


@pytest.mark.parametrize("counts", ["missing", "null", "zero", "page", "refused"])
@pytest.mark.parametrize("choice", ["90d", "all"])
def test_without_a_count_everything_comes_and_no_total_is_claimed(
    ana: Member, outlook: Outlook, counts: str, choice: str
) -> None:
    outlook.history(count=120)
    outlook.world.switches.counts = counts
    connection = outlook.connect(ana)
    work(connection)
    start(connection, choice)
    work(connection)
    row = backfill(connection)
    assert (row.state, row.pulled, row.estimate) == ("done", 120, None)
    assert differences(outlook, connection, "ana") == []


def test_while_the_total_is_unknown_the_card_shows_neither_share_nor_time(ana: Member, outlook: Outlook) -> None:
    outlook.history(count=5)
    outlook.world.switches.counts = "missing"
    connection = outlook.connect(ana)
    start(connection)
    work(connection)
    with scope(workspace=ana.workspace_id):
        row = backfill(connection)
        row.state, row.phase, row.pages, row.rate = "running", "pull", 9, 4.0
        row.save()
        card = queries.connection_card(member=ana, connection_id=connection.pk, now=clock.now())
    assert card is not None
    assert card.backfill is not None
    assert (card.backfill.percent, card.backfill.eta_seconds, card.backfill.estimate) == (None, None, None)


def test_a_folder_without_a_count_is_cut_by_what_it_holds(ana: Member, outlook: Outlook) -> None:
    outlook.history(count=3000)
    outlook.world.switches.counts = "missing"
    connection = outlook.connect(ana)
    start(connection, "90d")
    work(connection)
    assert backfill(connection).pages > 3000 / replication.PAGE
    assert differences(outlook, connection, "ana") == []
