"""The buttons of a connection: sync now, pull history, pause, resume, cancel."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.sandboxes import Outlook, ref_of, run
from tests.suite.stage import FRAGMENT, change, elements, synced

from workestra.kit import clock
from workestra.mail.flows.pull import pull
from workestra.mail.models import Backfill, Connection
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

Browser = Callable[[Member], Client]
OUTLOOK = "/settings/integrations/outlook"


def backfill_of(connection: Connection) -> Backfill:
    with scope(workspace=connection.workspace_id):
        return Backfill.objects.filter(connection_id=connection.pk).latest("id")


def press_sync(client: Client, connection: Connection) -> str:
    """Press Sync now; gives the address of the watcher."""
    html = client.post(f"{OUTLOOK}/{connection.pk}/sync", headers=FRAGMENT).content.decode()
    [watcher] = elements(html, "div", id=f"watch-{connection.pk}")
    return watcher["hx-get"]


def toast(client: Client, watcher: str) -> dict[str, str]:
    answer = client.get(watcher, headers=FRAGMENT)
    assert answer.status_code == 200
    told: dict[str, str] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return told


def test_sync_now_ends_in_a_toast_with_the_number_of_new_emails(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    watcher = press_sync(client, connection)
    assert client.get(watcher, headers=FRAGMENT).status_code == 204
    for _ in range(2):
        outlook.deliver(at=clock.now() + timedelta(seconds=2))
    run(pull(ref=ref_of(connection)))
    assert toast(client, watcher) == {"text": f"2 new emails in {connection.address}", "kind": "ok"}


def test_sync_now_without_news_says_that_it_is_up_to_date(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    watcher = press_sync(client, connection)
    run(pull(ref=ref_of(connection)))
    assert "already up to date" in toast(client, watcher)["text"]


def test_sync_now_pressed_twice_is_one_sync(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    assert press_sync(client, connection) == press_sync(client, connection)


def test_sync_now_on_an_ended_sign_in_tells_the_error(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    change(connection, state=Connection.State.SIGN_IN, error_code="token_revoked", error_at=clock.now())
    told = toast(client, press_sync(client, connection))
    assert told["kind"] == "err"
    assert "Microsoft ended this sign-in" in told["text"]


def test_a_chosen_range_starts_a_backfill_and_shows_its_card(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    answer = client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "12m"})
    assert answer.headers["Location"] == f"{OUTLOOK}#connection-{connection.pk}"
    html = client.get(f"{OUTLOOK}/{connection.pk}/backfill", headers=FRAGMENT).content.decode()
    assert "Last 12 months" in html
    assert elements(html, "progress")


@pytest.mark.parametrize("choice", ["", "10y", "all; drop table"])
def test_a_range_that_is_no_choice_asks_again(
    ana: Member, outlook: Outlook, client_for: Browser, choice: str
) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    answer = client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": choice})
    assert answer.headers["Location"] == f"{OUTLOOK}?choose_range={connection.pk}"
    with scope(workspace=ana.workspace_id):
        assert not Backfill.objects.filter(connection_id=connection.pk).exists()


@pytest.mark.parametrize(("verbs", "word"), [(("pause", "pause"), "Paused"), (("cancel", "cancel"), "Cancelled")])
def test_a_button_pressed_twice_does_what_it_did_once(
    ana: Member, outlook: Outlook, client_for: Browser, verbs: tuple[str, ...], word: str
) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "90d"})
    fill = backfill_of(connection)
    for verb in verbs:
        html = client.post(f"{OUTLOOK}/{connection.pk}/backfill/{fill.pk}/{verb}", headers=FRAGMENT).content.decode()
    assert word in html


def test_a_paused_backfill_goes_on(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "90d"})
    place = f"{OUTLOOK}/{connection.pk}/backfill/{backfill_of(connection).pk}"
    assert "Resume" in client.post(f"{place}/pause", headers=FRAGMENT).content.decode()
    assert "Pause" in client.post(f"{place}/resume", headers=FRAGMENT).content.decode()


def test_a_dismissed_card_is_gone(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "90d"})
    place = f"{OUTLOOK}/{connection.pk}/backfill/{backfill_of(connection).pk}"
    client.post(f"{place}/cancel", headers=FRAGMENT)
    html = client.post(f"{place}/dismiss", headers=FRAGMENT).content.decode()
    assert elements(html, "div", id=f"backfill-of-{connection.pk}")
    assert not elements(html, "progress")


def test_an_unknown_verb_is_not_there(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "90d"})
    place = f"{OUTLOOK}/{connection.pk}/backfill/{backfill_of(connection).pk}"
    assert client.post(f"{place}/delete").status_code == 404


def test_a_get_changes_nothing(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    for path in ("sync", "history", "skip", "backfill/1/pause"):
        assert client.get(f"{OUTLOOK}/{connection.pk}/{path}").status_code == 405


def test_no_button_works_on_another_members_mailbox(
    ana: Member, ben: Member, cleo: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection, client = synced(ana, outlook), client_for(ana)
    client.post(f"{OUTLOOK}/{connection.pk}/history", {"choice": "90d"})
    fill = backfill_of(connection)
    for other in (ben, cleo):
        stranger = client_for(other)
        for path in ("sync", "history", "skip", f"backfill/{fill.pk}/cancel"):
            assert stranger.post(f"{OUTLOOK}/{connection.pk}/{path}", {"choice": "all"}).status_code == 404
    assert backfill_of(connection).state == fill.state


def test_a_form_without_its_token_is_refused(ana: Member, outlook: Outlook) -> None:
    connection = synced(ana, outlook)
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana.user)
    answer = client.post(f"{OUTLOOK}/{connection.pk}/sync")
    assert answer.status_code == 403
    assert "This form is out of date" in answer.content.decode()
