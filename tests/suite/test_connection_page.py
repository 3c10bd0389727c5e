"""One connection's page: the comparison with Outlook, the sync log, and a card's words for waiting (HLT 3, BKF)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.sandboxes import Outlook, ref_of, run
from tests.suite.stage import FRAGMENT, change, elements, synced, with_history

from m365sandbox.faults import Fault
from workestra.kit import clock
from workestra.mail.doors import runs
from workestra.mail.doors.runs import Tally
from workestra.mail.flows.verify import verify
from workestra.mail.models import Backfill, Connection, Folder, Mailbox, Message
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

Browser = Callable[[Member], Client]
OUTLOOK = "/settings/integrations/outlook"


def page(client: Client, connection: Connection, query: str = "") -> str:
    answer = client.get(f"{OUTLOOK}/{connection.pk}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_after_a_history_the_page_shows_what_outlook_has_and_what_we_hold(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = with_history(ana, outlook, 7)
    html = page(client_for(ana), connection)
    assert "Outlook has" in html
    row = html[html.index('<th scope="row">Inbox</th>') :]
    assert row.index('<td class="figure">7</td>') < row.index("</tr>")
    assert "History" in html[html.index('id="log-title"') :]
    assert "requests" in html


def test_the_check_is_a_job_that_is_asked_for_once_and_shows_its_table(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = with_history(ana, outlook, 5), client_for(ana)
    for _ in range(2):
        html = client.post(f"{OUTLOOK}/{connection.pk}/check", headers=FRAGMENT).content.decode()
        assert "The check begins in a moment." in html
        assert not elements(html, "button", id=f"check-now-{connection.pk}")
    with scope(workspace=ana.workspace_id):
        assert runs.SyncRun.objects.filter(connection=connection, kind="verify").count() == 1
    run(verify(ref=ref_of(connection)))
    html = client.get(f"{OUTLOOK}/{connection.pk}/check", headers=FRAGMENT).content.decode()
    assert "Equal: every message" in html
    assert elements(html, "button", id=f"check-now-{connection.pk}")


def test_a_difference_offers_repair_and_repairing_ends_equal(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = with_history(ana, outlook, 5), client_for(ana)
    with scope(workspace=ana.workspace_id):
        newest = Message.objects.filter(connection=connection).latest("id").pk
        Message.objects.filter(pk=newest).delete()
    address = f"{OUTLOOK}/{connection.pk}/check"
    client.post(address, headers=FRAGMENT)
    run(verify(ref=ref_of(connection)))
    html = client.get(address, headers=FRAGMENT).content.decode()
    assert "1 missing, 0 too many, 0 different" in html
    assert elements(html, "button", id=f"repair-{connection.pk}")
    client.post(address, {"repair": "1"}, headers=FRAGMENT)
    run(verify(ref=ref_of(connection)))
    html = client.get(address, headers=FRAGMENT).content.decode()
    assert "has been repaired" in html
    assert "1 repaired" in html


def test_a_folder_that_could_not_be_compared_is_named_and_no_repair_is_offered(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = with_history(ana, outlook, 5), client_for(ana)
    outlook.deliver(folder="archive")
    part = outlook.mailbox("ana").folder("archive").id.rstrip("=")
    outlook.world.faults.add(Fault(rf"GET .*{part}.*/messages", "status", status=403, times=None))
    address = f"{OUTLOOK}/{connection.pk}/check"
    client.post(address, headers=FRAGMENT)
    run(verify(ref=ref_of(connection)))
    html = client.get(address, headers=FRAGMENT).content.decode()
    assert "does not let Workestra read Archive just now; everything else is equal" in html
    assert not elements(html, "button", id=f"repair-{connection.pk}")
    assert elements(html, "button", id=f"check-now-{connection.pk}")


def test_the_log_is_paged(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    for n in range(60):
        now = clock.now() + timedelta(minutes=n)
        runs.record(ref=ref_of(connection), kind="notice", why="notice", tally=Tally(added=1), started=now, now=now)
    seen, query = 0, ""
    for _ in range(5):
        html = page(client, connection, query)
        seen += html.count("Announced changes")
        older = [one["href"] for one in elements(html, "a", class_="button") if "before=" in one.get("href", "")]
        if not older:
            break
        query = older[0][older[0].index("?") :].partition("#")[0]
    assert seen == 60


@pytest.mark.parametrize("before", ["x", "-1", "9" * 19, "9" * 40, "0", ""])
def test_a_place_in_the_log_that_is_none_is_no_error(
    ana: Member, outlook: Outlook, client_for: Browser, before: str
) -> None:
    page(client_for(ana), synced(ana, outlook), f"?before={before}")


def test_an_error_in_the_log_names_microsofts_request(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = synced(ana, outlook)
    here = ref_of(connection)
    now = clock.now()
    runs.record(ref=here, kind="watch", why="schedule", tally=Tally(requests=1), started=now, now=now, over=False)
    with scope(workspace=ana.workspace_id):
        detail = {"microsoft_code": "ErrorX", "request_id": "req-77"}
        runs.fail(ref=here, kinds=("watch",), code="microsoft_unavailable", detail=detail, now=now)
    html = page(client_for(ana), connection)
    assert "req-77" in html
    assert "ErrorX" in html


def test_the_page_is_its_owners_alone(
    ana: Member, ben: Member, cleo: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = synced(ana, outlook)
    for other in (ben, cleo):
        client = client_for(other)
        assert client.get(f"{OUTLOOK}/{connection.pk}").status_code == 404
        assert client.post(f"{OUTLOOK}/{connection.pk}/check").status_code == 404


def test_a_mailbox_that_does_not_sync_cannot_be_compared_and_says_so(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    change(connection, state=Connection.State.SIGN_IN, error_code="token_revoked", error_at=clock.now())
    html = client.post(f"{OUTLOOK}/{connection.pk}/check", follow=True).content.decode()
    assert "This mailbox does not sync now" in html


def _fill(connection: Connection, **values: object) -> None:
    with scope(workspace=connection.workspace_id):
        newest = Backfill.objects.filter(connection=connection).latest("id")
        Backfill.objects.filter(pk=newest.pk).update(**values)


def test_a_history_that_waits_says_until_when_by_the_readers_clock(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = with_history(ana, outlook, 2), client_for(ana)
    ana.user.time_zone = "Asia/Tokyo"
    ana.user.save()
    until = clock.now().replace(hour=4, minute=30, second=0) + timedelta(days=3)
    _fill(connection, state="waiting", waiting_until=until)
    Mailbox.objects.filter(pk=connection.mailbox_id).update(throttled_until=until)
    html = client.get(f"{OUTLOOK}/{connection.pk}/row").content.decode()
    assert html.count("13:30") >= 2, "on the row and on the card"
    assert "Microsoft asked for a pause" in html


def test_a_history_that_tries_again_does_not_say_that_microsoft_asked_for_it(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = with_history(ana, outlook, 2), client_for(ana)
    _fill(connection, state="waiting", waiting_until=clock.now() + timedelta(seconds=10))
    html = client.get(f"{OUTLOOK}/{connection.pk}/row").content.decode()
    assert "Microsoft asked for a pause" not in html
    assert "A page did not arrive" in html


def test_a_history_that_waits_for_a_sign_in_offers_it(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = with_history(ana, outlook, 2)
    _fill(connection, state="held", reason="token_revoked")
    html = client_for(ana).get(f"{OUTLOOK}/{connection.pk}/backfill").content.decode()
    assert elements(html, "button", id=f"reconnect-history-{connection.pk}")
    [wanted] = elements(html, "input", name="connection_id")
    assert wanted["value"] == str(connection.pk)


def test_the_row_and_the_summary_name_a_folder_that_cannot_be_read(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = with_history(ana, outlook, 3), client_for(ana)
    with scope(workspace=ana.workspace_id):
        Folder.objects.filter(connection=connection, role="archive").update(
            refused="ErrorAccessDenied", name="A <b> & C"
        )
    _fill(connection, state="done", phase="prove")
    row = client.get(f"{OUTLOOK}/{connection.pk}/row").content.decode()
    assert elements(row, "div", id=f"refused-{connection.pk}")
    assert "read these folders just now: A &lt;b&gt; &amp; C" in row
    summary = client.get(f"{OUTLOOK}/{connection.pk}/backfill").content.decode()
    assert "Still to come" in summary
    assert "Every other folder was compared" in summary


def test_the_summary_tells_what_was_pulled_what_was_here_and_what_is_left_out_and_why(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    outlook.deliver(folder="junkemail")
    connection, client = with_history(ana, outlook, 6), client_for(ana)
    with scope(workspace=ana.workspace_id):
        fill = Backfill.objects.filter(connection=connection).latest("id")
    assert (fill.pulled, fill.already) == (6, 0)
    html = client.get(f"{OUTLOOK}/{connection.pk}/backfill").content.decode()
    assert "6 messages pulled" in html
    assert "were here already" not in html
    assert "Junk Email" in html
    assert f"{OUTLOOK}/{connection.pk}" in html


@pytest.mark.parametrize(("choice", "words"), [("30d", "here already"), ("90d", "here already")])
def test_a_range_that_is_here_is_answered_in_words(
    ana: Member, outlook: Outlook, client_for: Browser, choice: str, words: str
) -> None:
    connection, client = with_history(ana, outlook, 2), client_for(ana)
    html = client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": choice}, follow=True).content.decode()
    assert "This range is here already" in html


def test_a_range_that_is_on_its_way_is_answered_in_words(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "12m"})
    html = client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "90d"}, follow=True).content.decode()
    assert "on its way already" in html
