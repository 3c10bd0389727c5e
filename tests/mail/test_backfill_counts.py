"""Servers that do not count, or count wrongly: history is pulled to its end all the same (BKF 3, 8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.compare import differences
from tests.mail.hands import backfill, start, work
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.mail.doors import queries
from workestra.mail.doors import store as doors_store
from workestra.mail.models import Folder, Slice
from workestra.rules import gauge, replication
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


def test_the_card_says_back_to_where_every_folder_is_here(ana: Member, outlook: Outlook) -> None:
    outlook.history(count=5)
    connection = outlook.connect(ana)
    start(connection)
    row, now = backfill(connection), clock.now().replace(microsecond=0)

    def back_to() -> datetime | None:
        card = queries.connection_card(member=ana, connection_id=connection.pk, now=now)
        assert card is not None
        assert card.backfill is not None
        return card.backfill.back_to

    def day(days: int) -> datetime:
        return row.until - timedelta(days=days)

    with scope(workspace=ana.workspace_id):
        assert back_to() is None
        row.state, row.phase, row.oldest_at = "running", "pull", day(80)
        row.save()
        folders = [
            Folder.objects.create(workspace=ana.workspace, connection=connection, graph_id=name, name=name)
            for name in ("inbox", "archive")
        ]
        for folder in folders:
            for newer, older in ((0, 10), (10, 90)):
                Slice.objects.create(
                    workspace=ana.workspace, backfill=row, folder=folder, since=day(older), until=day(newer)
                )
        inbox, archive = (Slice.objects.filter(folder=one) for one in folders)
        inbox.update(done=True)
        assert back_to() is None, "of the archive nothing is here yet"
        archive.filter(until=day(0)).update(reached=day(3))
        assert back_to() == day(3)
        archive.filter(until=day(0)).update(done=True)
        assert back_to() == day(10)
        archive.update(done=True)
        row.phase = "prove"
        row.save()
        assert back_to() == day(80)


@pytest.mark.parametrize("stretch", [0.0, 1e9])
def test_no_rate_is_told_before_it_was_measured_for_a_while(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch, stretch: float
) -> None:
    outlook.history(count=300)
    connection = outlook.connect(ana)
    work(connection)
    monkeypatch.setattr(gauge, "STRETCH", stretch)
    rates: list[float | None] = []
    real = doors_store.absorb

    def absorb(**given: Any) -> Any:
        outcome = real(**given)
        rates.append(backfill(connection).rate)
        return outcome

    monkeypatch.setattr(doors_store, "absorb", absorb)
    start(connection)
    work(connection)
    assert rates
    assert any(rates) is (stretch == 0)
