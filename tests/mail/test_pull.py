"""The live lane and the backfill against the sandbox, over real HTTP, into a real PostgreSQL (SYN, BKF)."""

from __future__ import annotations

from tests.compare import differences
from tests.sandboxes import Outlook, ref_of, run

from workestra.kit import clock
from workestra.mail.doors import connections
from workestra.mail.flows.history import history
from workestra.mail.flows.pull import pull
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def test_after_a_backfill_the_store_equals_the_mailbox(ana: Member, outlook: Outlook) -> None:
    outlook.history(count=230)
    connection = outlook.connect(ana)
    with scope(workspace=ana.workspace_id):
        connections.start_backfill(member=ana, connection_id=connection.pk, choice="90d", now=clock.now())
    run(history(ref=ref_of(connection)))
    run(pull(ref=ref_of(connection)))
    assert differences(outlook, connection, "ana") == []
