"""Faults that strike in the middle of work: within a batch, within a backfill, within a transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from tests.compare import differences
from tests.mail.hands import Time, backfill, fresh, runs, start, sync, work
from tests.sandboxes import Outlook

from m365sandbox.faults import Fault
from workestra.mail.doors import connecting, store
from workestra.mail.doors import logbook as log
from workestra.mail.models import Connection
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def _connected(ana: Member, outlook: Outlook, count: int = 120) -> Connection:
    outlook.history(count=count)
    connection = outlook.connect(ana)
    work(connection)
    return connection


def _equal(outlook: Outlook, connection: Connection) -> None:
    row = fresh(connection)
    assert (row.state, row.error_code) == ("active", "")
    assert differences(outlook, connection, "ana") == []


@pytest.mark.parametrize("wait", ["5", "2.5", "date:5", ""])
def test_a_batch_that_answers_200_and_429_within_waits_and_brings_the_rest(
    ana: Member, outlook: Outlook, time: Time, wait: str
) -> None:
    connection = _connected(ana, outlook, count=0)
    start(connection)
    work(connection)
    outlook.history(count=12, days=1)  # new to delta, so that their content is asked for by id
    fault = outlook.world.faults.add(Fault("GET", "throttle", retry_after=wait, batched=True, skip=2, times=3))
    sync(connection)
    assert fault.hits == 3, "the fault was met within a batch"
    assert fresh(connection).error_code == ""
    time.passes(seconds=30)
    work(connection)
    _equal(outlook, connection)


def _when(outlook: Outlook, pages: int, act: Callable[[], None]) -> None:
    """Let `act` happen at Microsoft once so many pages of history were asked for."""
    take, seen = outlook.world.faults.take, [0]

    def counted(method: str, path: str, *, batched: bool = False) -> Fault | None:
        if method == "GET" and "/mailFolders/" in path and "/messages?" in path and "count=true" not in path:
            seen[0] += 1
            if seen[0] == pages:
                act()
        return take(method, path, batched=batched)

    outlook.world.faults.take = counted  # type: ignore[method-assign]


def test_consent_that_is_withdrawn_within_a_backfill_holds_it_and_a_sign_in_goes_on_from_there(
    ana: Member, outlook: Outlook
) -> None:
    connection = _connected(ana, outlook, count=900)
    identity, person = outlook.handle.app.state.identity, outlook.person("ana")

    def withdraw() -> None:
        identity.consents.withdraw(person=person)
        outlook.world.tokens.expire_access(person.address)  # type: ignore[attr-defined]

    _when(outlook, 4, withdraw)
    start(connection)
    work(connection)
    held = backfill(connection)
    assert (held.state, fresh(connection).state) == ("held", "sign_in")
    assert 0 < held.pulled < 900
    from workestra.mail.flows.microsoft import SCOPES

    identity.consents.grant(person=person, app_id=outlook.client_id, names=frozenset(SCOPES))
    outlook.connect(ana)
    work(connection)
    done = backfill(connection)
    assert (done.pk, done.state, done.pulled) == (held.pk, "done", 900)
    assert done.pages >= held.pages
    _equal(outlook, connection)


def test_a_challenge_within_a_backfill_asks_once_for_a_sign_in_that_brings_the_claims(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    connection = _connected(ana, outlook, count=600)
    time.passes(hours=2)  # what the product holds from now on was issued to a client that understands challenges
    sync(connection)
    tokens: Any = outlook.world.tokens
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1600000000"}}}'
    _when(outlook, 3, lambda: tokens.challenge(person=outlook.person("ana"), claims=claims))
    start(connection)
    work(connection)
    assert (backfill(connection).state, fresh(connection).error_code) == ("held", "conditional_access")
    assert connecting.claims_for(member=ana, connection=connection.pk) == claims
    tokens.meet_challenge(person=outlook.person("ana"))
    outlook.connect(ana)
    assert connecting.claims_for(member=ana, connection=connection.pk) == ""
    work(connection)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


FAILURES = [
    psycopg.errors.DeadlockDetected("deadlock detected"),
    psycopg.errors.SerializationFailure("could not serialize access due to concurrent update"),
]


@pytest.mark.parametrize("problem", FAILURES, ids=["deadlock", "serialisation"])
@pytest.mark.parametrize("times", [1, 4, 7])
def test_a_transaction_that_the_database_gives_up_is_done_again_and_nothing_is_lost(
    ana: Member, outlook: Outlook, time: Time, monkeypatch: pytest.MonkeyPatch, problem: Exception, times: int
) -> None:
    connection = _connected(ana, outlook, count=40)
    real, left = store._absorb, [times]

    def giving_up(*arguments: Any, **more: Any) -> Any:
        done = real(*arguments, **more)
        if left[0]:
            left[0] -= 1
            raise problem
        return done

    monkeypatch.setattr(store, "_absorb", giving_up)
    start(connection)
    outlook.deliver()
    sync(connection)
    assert not left[0]
    for _ in range(3):
        time.passes(minutes=1)
        work(connection)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


@pytest.mark.parametrize("problem", FAILURES, ids=["deadlock", "serialisation"])
def test_a_check_that_the_database_interrupts_comes_to_its_end(
    ana: Member, outlook: Outlook, time: Time, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    from workestra.mail.doors import runs as doors

    connection = _connected(ana, outlook, count=9)
    real, left = doors.compared, [1]

    def giving_up(**more: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise problem
        real(**more)

    monkeypatch.setattr(doors, "compared", giving_up)
    with scope(workspace=connection.workspace_id):
        log.ask_check(member=ana, connection_id=connection.pk, repair=False, now=runs(connection)[-1].created_at)
    work(connection)
    time.passes(seconds=10)
    work(connection)
    [check] = [one for one in runs(connection) if one.kind == "verify"]
    assert (check.state, check.equal) == ("done", True)
