"""What Microsoft does on bad days: each ends in equality with the mailbox and without an error (SYN, BKF)."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db import OperationalError
from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import Time, backfill, fresh, press, start, sync, work
from tests.sandboxes import Outlook, run

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail import jobs
from workestra.mail.models import Connection, Schedule
from workestra.tenancy.models import Member

PAGES = r"GET .*/mailFolders/.*/messages\?"
DELTA = r"GET .*/messages/delta"


def _connected(ana: Member, outlook: Outlook, count: int = 120) -> Connection:
    outlook.history(count=count)
    connection = outlook.connect(ana)
    work(connection)
    return connection


def _equal(outlook: Outlook, connection: Connection) -> None:
    row = fresh(connection)
    assert (row.state, row.error_code) == ("active", "")
    assert differences(outlook, connection, "ana") == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [({"Retry-After": "7"}, 7), ({"Retry-After": "date"}, 9), ({}, 20), ({"Retry-After": "soon"}, 20)],
    ids=["seconds", "date", "absent", "nonsense"],
)
def test_a_throttled_backfill_waits_as_long_as_asked_and_goes_on(
    ana: Member, outlook: Outlook, time: Time, header: dict[str, str], seconds: int
) -> None:
    connection = _connected(ana, outlook)
    if header.get("Retry-After") == "date":
        header = {"Retry-After": format_datetime(clock.now() + timedelta(seconds=seconds), usegmt=True)}
    outlook.world.faults.add(Fault(PAGES, "status", status=429, headers=header))
    start(connection)
    work(connection)
    waiting = backfill(connection)
    assert waiting.state == "waiting"
    assert waiting.waiting_until is not None
    assert abs((waiting.waiting_until - clock.now()).total_seconds() - seconds) < 4
    assert fresh(connection).error_code == ""
    asked = outlook.world.requests.total
    work(connection)
    assert outlook.world.requests.total == asked, "nothing is asked while Microsoft wants a pause"
    time.passes(seconds=seconds + 1)
    work(connection)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


def test_a_throttled_sync_goes_on_by_itself(ana: Member, outlook: Outlook, time: Time) -> None:
    connection = _connected(ana, outlook, count=3)
    outlook.deliver(at=clock.now() + timedelta(seconds=2))
    outlook.world.faults.add(Fault(DELTA, "status", status=429, headers={"Retry-After": "30"}))
    sync(connection)
    assert len(store(connection)) == 0
    time.passes(seconds=31)
    work(connection)
    assert len(store(connection)) == 1
    assert hands.runs(connection)[-1].state == "done"
    _equal(outlook, connection)


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        (PAGES, {"kind": "status", "status": 503}),
        (PAGES, {"kind": "cut"}),
        (PAGES, {"kind": "html", "status": 200}),
        (PAGES, {"kind": "malformed"}),
        (PAGES, {"kind": "drop", "times": 2}),
        (PAGES, {"kind": "stall", "seconds": 0.2}),
        (PAGES, {"kind": "empty"}),
        (PAGES, {"kind": "repeat"}),
        (PAGES, {"kind": "double"}),
        (PAGES, {"kind": "foreign"}),
        (PAGES, {"kind": "status", "status": 403}),
        (DELTA, {"kind": "status", "status": 500}),
        (DELTA, {"kind": "cut"}),
        (DELTA, {"kind": "html", "status": 502}),
        (DELTA, {"kind": "malformed"}),
        (DELTA, {"kind": "drop", "times": 2}),
        (DELTA, {"kind": "stall", "seconds": 0.2}),
        (DELTA, {"kind": "empty"}),
        (DELTA, {"kind": "repeat"}),
        (DELTA, {"kind": "double"}),
        (DELTA, {"kind": "ghost"}),
        (DELTA, {"kind": "foreign"}),
    ],
    ids=lambda one: one["kind"] if isinstance(one, dict) else {PAGES: "history", DELTA: "live"}[one],
)
def test_one_bad_answer_shows_nothing_and_the_next_try_makes_good(
    ana: Member, outlook: Outlook, time: Time, fault: dict[str, Any], where: str
) -> None:
    connection = _connected(ana, outlook, count=9)
    outlook.deliver(at=clock.now() + timedelta(seconds=2))
    outlook.world.faults.add(Fault(where, **fault))
    start(connection)
    sync(connection)
    assert not outlook.world.faults.pending(), "the fault was met"
    if fault.get("status") != 403:
        assert fresh(connection).error_code == ""
    time.passes(seconds=60)
    work(connection)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(ana: Member, outlook: Outlook) -> None:
    connection = _connected(ana, outlook)
    outlook.world.faults.add(Fault(PAGES + r".*top=\d\d+", "status", status=504, times=2))
    start(connection)
    work(connection)
    row = backfill(connection)
    assert row.state == "done"
    assert not outlook.world.faults.pending()
    _equal(outlook, connection)


def test_the_error_shows_once_retries_are_spent_and_goes_with_the_first_success(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    connection = _connected(ana, outlook, count=3)
    outlook.world.faults.add(Fault(DELTA, "status", status=503, times=None))
    shown = []
    for _ in range(4):
        sync(connection)
        shown.append(fresh(connection).error_code)
        time.passes(seconds=120)
    assert shown[:2] == ["", ""]
    assert shown[-1] == "microsoft_unavailable"
    outlook.world.faults.clear()
    time.passes(minutes=3)
    work(connection)
    _equal(outlook, connection)


def test_a_lost_licence_is_told_and_the_backfill_goes_on_when_it_is_back(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    connection = _connected(ana, outlook)
    person = outlook.person("ana")
    box = outlook.world.mailboxes.pop(person.id)
    person.mailbox = "none"
    start(connection)
    work(connection)
    row = fresh(connection)
    assert (row.state, row.error_code) == ("active", "mailbox_not_found")
    person.mailbox = "online"
    outlook.world.mailboxes[person.id] = box
    time.passes(minutes=31)
    work(connection)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


def test_a_revoked_consent_holds_the_backfill_until_the_person_signs_in_again(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    connection = _connected(ana, outlook)
    start(connection)
    address = outlook.person("ana").address
    outlook.world.tokens.revoke(address)  # type: ignore[attr-defined]
    outlook.world.tokens.expire_access(address)  # type: ignore[attr-defined]
    work(connection)
    assert backfill(connection).state == "held"
    row = fresh(connection)
    assert (row.state, row.error_code) == ("sign_in", "token_revoked")
    asked = outlook.world.requests.total
    time.passes(hours=1)
    work(connection)
    assert outlook.world.requests.total == asked, "nothing is asked in vain"
    again = outlook.connect(ana)
    assert again.pk == connection.pk
    work(connection)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


def test_a_backfill_resumed_while_signed_out_goes_on_after_the_sign_in(ana: Member, outlook: Outlook) -> None:
    connection = _connected(ana, outlook, count=30)
    start(connection)
    press(connection, "pause")
    address = outlook.person("ana").address
    outlook.world.tokens.revoke(address)  # type: ignore[attr-defined]
    outlook.world.tokens.expire_access(address)  # type: ignore[attr-defined]
    sync(connection)
    assert fresh(connection).state == "sign_in"
    press(connection, "resume")
    work(connection)
    outlook.connect(ana)
    work(connection)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


def test_a_claims_challenge_is_kept_for_the_next_sign_in(ana: Member, outlook: Outlook) -> None:
    connection = _connected(ana, outlook, count=1)
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1600000000"}}}'
    outlook.world.tokens.challenge(person=outlook.person("ana"), claims=claims, interactive=True)  # type: ignore[attr-defined]
    outlook.world.tokens.expire_access(outlook.person("ana").address)  # type: ignore[attr-defined]
    sync(connection)
    row = fresh(connection)
    assert row.state == "sign_in"
    assert row.error_code in ("conditional_access", "mfa_required")
    from workestra.mail.doors import connecting

    assert connecting.claims_for(member=ana, connection=connection.pk) == claims


def test_no_more_than_four_requests_are_ever_in_flight(ana: Member, outlook: Outlook) -> None:
    connection = _connected(ana, outlook, count=400)
    outlook.world.latency(ms_per_request=15)
    start(connection)
    work(connection)
    assert outlook.world.requests.by_status[429] == 0
    assert max(outlook.world.requests.max_in_flight.values()) <= 4
    assert backfill(connection).state == "done"


def test_a_backfill_that_fails_again_and_again_says_so_although_live_mail_arrives(
    ana: Member, outlook: Outlook, time: Time
) -> None:
    connection = _connected(ana, outlook, count=9)
    outlook.world.faults.add(Fault(r"GET .*/messages\?.*count=true", "status", status=503, times=None))
    start(connection)
    seen = []
    for _ in range(4):
        sync(connection)
        row = backfill(connection)
        seen.append((row.state, row.reason))
        assert row.waiting_until is not None
        assert row.waiting_until > clock.now()
        time.passes(seconds=(row.waiting_until - clock.now()).total_seconds() + 1)
    assert seen[:2] == [("waiting", "")] * 2
    assert seen[2:] == [("waiting", "microsoft_unavailable")] * 2
    row_ = fresh(connection)
    assert (row_.error_code, hands.runs(connection)[-1].state) == ("", "done"), "live mail is not hurt"
    outlook.world.faults.clear()
    work(connection)
    done = backfill(connection)
    assert (done.state, done.reason, done.failures) == ("done", "", 0)
    _equal(outlook, connection)


def test_a_backfill_that_got_on_forgets_its_failures(ana: Member, outlook: Outlook, time: Time) -> None:
    connection = _connected(ana, outlook, count=600)
    outlook.world.faults.add(Fault(r"GET .*/messages\?.*count=true", "status", status=503, times=2))
    outlook.world.faults.add(Fault(PAGES + r".*skip=", "status", status=503, times=1))
    start(connection)
    for _ in range(6):
        work(connection)
        assert backfill(connection).reason == ""
        time.passes(minutes=5)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


def test_settings_without_the_app_are_told_of_and_heal_by_themselves(
    ana: Member, outlook: Outlook, time: Time, settings: Any
) -> None:
    connection = _connected(ana, outlook, count=9)
    start(connection)
    good = settings.WORKESTRA
    settings.WORKESTRA = good.model_copy(update={"microsoft_client_id": "", "microsoft_client_secret": ""})
    time.passes(hours=2)  # the access token is over, and no new one can be had
    work(connection)
    row = fresh(connection)
    assert (row.state, row.error_code) == ("active", "not_configured")
    for _ in range(12):
        time.passes(minutes=2)
        work(connection)
    settings.WORKESTRA = good
    time.passes(seconds=61)
    work(connection)
    assert backfill(connection).state == "done"
    _equal(outlook, connection)


def test_a_wrong_secret_is_told_of_and_heals_without_a_sign_in(
    ana: Member, outlook: Outlook, time: Time, settings: Any
) -> None:
    connection = _connected(ana, outlook, count=9)
    good = settings.WORKESTRA
    settings.WORKESTRA = good.model_copy(update={"microsoft_client_secret": "expired"})
    time.passes(hours=2)
    work(connection)
    row = fresh(connection)
    assert (row.state, row.error_code) == ("active", "app_misconfigured")
    settings.WORKESTRA = good
    time.passes(minutes=31)
    work(connection)
    assert hands.runs(connection)[-1].state == "done"
    assert fresh(connection).error_code == ""


def test_a_database_that_fails_as_a_job_begins_has_the_connection_woken(
    ana: Member, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = outlook.connect(ana)
    work(connection)
    Schedule.objects.filter(connection_id=connection.pk).update(wake_at=None)

    def away(*_: object) -> None:
        raise OperationalError("the line broke")

    monkeypatch.setattr(jobs, "_read", away)
    run(jobs.pull(workspace=connection.workspace_id, connection=connection.pk))
    due = Schedule.objects.get(connection_id=connection.pk).wake_at
    assert due is not None
    assert due <= clock.now() + jobs.AGAIN
