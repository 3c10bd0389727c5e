"""The Inbox: its list, its filters, its empty states, and the reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.sandboxes import Outlook
from tests.suite.stage import FRAGMENT, arrive, change, elements, sync, synced, threads, with_history

from workestra.kit import clock
from workestra.tenancy.models import Member

Browser = Callable[[Member], Client]


def page(client: Client, url: str = "/inbox") -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_a_mailbox_the_inbox_offers_to_connect_one(ana: Member, client_for: Browser) -> None:
    html = page(client_for(ana))
    assert "No mailbox connected" in html
    assert elements(html, "a", href="/settings/integrations/outlook")
    assert not elements(html, "nav", aria_label="Filter")


def test_before_the_first_sync_the_inbox_says_that_mail_is_on_its_way(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    outlook.connect(ana)
    assert "Fetching your mail" in page(client_for(ana))


def test_a_synced_mailbox_without_mail_says_that_there_is_none(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    synced(ana, outlook)
    assert "No mail yet" in page(client_for(ana))
    assert "Nothing unread" in page(client_for(ana), "/inbox?f=unread")


def test_newest_mail_stands_first_and_counts_as_unread(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = synced(ana, outlook)
    arrive(connection, outlook, subject="Older", at=clock.now() + timedelta(seconds=1))
    arrive(connection, outlook, subject="Newer", at=clock.now() + timedelta(seconds=9))
    html = page(client_for(ana))
    assert html.index("Newer") < html.index("Older")
    assert len(elements(html, "li", class_="unread")) == 2
    assert client_for(ana).get("/inbox/count", headers=FRAGMENT).content.decode().count("2") == 1


def test_history_is_listed_but_not_counted_as_unread(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    with_history(ana, outlook, 5)
    html = page(client_for(ana))
    assert len(threads(html)) == 5
    assert "unread" not in client_for(ana).get("/inbox/count", headers=FRAGMENT).content.decode()


def test_pages_follow_one_another_without_gap_or_repetition(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    with_history(ana, outlook, 120)
    client, seen, url = client_for(ana), [], "/inbox"
    for _ in range(4):
        html = client.get(url, headers=FRAGMENT).content.decode()
        seen += threads(html)
        more = elements(html, "div", class_="more")
        if not more:
            break
        url = unescape(more[0]["hx-get"])
    assert len(seen) == len(set(seen)) == 120
    assert "That is everything." in html


def test_a_page_that_continues_a_day_does_not_repeat_its_heading(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = synced(ana, outlook)
    for _ in range(51):
        outlook.deliver(at=clock.now() + timedelta(seconds=5))
    sync(connection)
    client = client_for(ana)
    more = elements(page(client), "div", class_="more")[0]["hx-get"]
    rest = client.get(unescape(more), headers=FRAGMENT).content.decode()
    assert len(threads(rest)) == 1
    assert elements(rest, "h2", class_="visually-hidden")


def test_unread_filter_leaves_out_what_was_read(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = synced(ana, outlook)
    arrive(connection, outlook, subject="Seen already", is_read=True, at=clock.now() + timedelta(seconds=1))
    arrive(connection, outlook, subject="Still new", at=clock.now() + timedelta(seconds=2))
    html = page(client_for(ana), "/inbox?f=unread")
    assert "Still new" in html
    assert "Seen already" not in html


def test_account_filter_narrows_to_one_mailbox(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    first, second = synced(ana, outlook), synced(ana, outlook, "ben")
    outlook.deliver("ana", subject="For Ana", at=clock.now() + timedelta(seconds=1))
    outlook.deliver("ben", subject="For Ben", at=clock.now() + timedelta(seconds=1))
    sync(first)
    sync(second)
    html = page(client_for(ana), f"/inbox?f=emails&account={second.pk}")
    assert "For Ben" in html
    assert "For Ana" not in html
    assert elements(html, "option", value=str(second.pk))[0].keys() >= {"selected"}


@pytest.mark.parametrize("query", ["?f=nonsense", "?f=emails&account=x", "?f=emails&account=99999999999999999999999"])
def test_odd_filters_show_everything(ana: Member, outlook: Outlook, client_for: Browser, query: str) -> None:
    connection = synced(ana, outlook)
    arrive(connection, outlook, subject="Here", at=clock.now() + timedelta(seconds=1))
    assert "Here" in page(client_for(ana), f"/inbox{query}")


@pytest.mark.parametrize("after", ["x", "AAAA", "\x00", "é", "=" * 3000])
def test_a_made_up_place_is_the_beginning(ana: Member, outlook: Outlook, client_for: Browser, after: str) -> None:
    synced(ana, outlook)
    assert client_for(ana).get("/inbox", {"after": after, "day": "x"}).status_code == 200


def test_a_teammate_and_a_stranger_see_nothing_of_anas_mail(
    ana: Member, ben: Member, cleo: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = synced(ana, outlook)
    arrive(connection, outlook, subject="Private matter", at=clock.now() + timedelta(seconds=1))
    thread = threads(page(client_for(ana)))[0]
    for other in (ben, cleo):
        client = client_for(other)
        assert "Private matter" not in page(client)
        assert client.get(f"/inbox/t/{thread}").status_code == 404
        assert client.get(f"/inbox/row/{thread}").status_code == 404


def test_hostile_words_are_shown_and_not_run(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = synced(ana, outlook)
    arrive(connection, outlook, subject="<script>alert(1)</script>", at=clock.now() + timedelta(seconds=1))
    client = client_for(ana)
    html = page(client)
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html
    assert "<script>alert" not in page(client, f"/inbox/t/{threads(html)[0]}")


def test_the_number_of_queries_does_not_grow_with_the_list(
    ana: Member, ben: Member, outlook: Outlook, client_for: Browser
) -> None:
    synced(ana, outlook)
    client = client_for(ana)
    page(client)
    with CaptureQueriesContext(database) as few:
        page(client)
    with_history(ana, outlook, 60)
    with CaptureQueriesContext(database) as many:
        page(client)
    assert len(many) <= len(few)


def test_reader_opens_the_newest_message_and_folds_the_older(
    ana: Member, outlook: Outlook, client_for: Browser
) -> None:
    connection = synced(ana, outlook)
    for n in range(3):
        outlook.deliver(subject="Talk", conversation="one talk", at=clock.now() + timedelta(seconds=n + 1))
    sync(connection)
    client = client_for(ana)
    html = client.get(f"/inbox/t/{threads(page(client))[0]}", headers=FRAGMENT).content.decode()
    assert "<html" not in html
    messages = elements(html, "details", class_="message")
    assert [("open" in message) for message in messages] == [False, False, True]


def test_only_flagged_mail_carries_a_flag(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = synced(ana, outlook)
    arrive(connection, outlook, at=clock.now() + timedelta(seconds=1))
    client = client_for(ana)
    thread = threads(page(client))[0]
    assert "Flagged" not in page(client, f"/inbox/t/{thread}")
    box = outlook.mailbox("ana")
    box.flag(next(iter(box.truth())), "flagged")
    sync(connection)
    assert "Flagged" in page(client, f"/inbox/t/{thread}")


@pytest.mark.parametrize("headers", [{}, FRAGMENT])
def test_no_cache_keeps_pages_with_mail(
    ana: Member, outlook: Outlook, client_for: Browser, headers: dict[str, str]
) -> None:
    connection = synced(ana, outlook)
    arrive(connection, outlook, at=clock.now() + timedelta(seconds=1))
    client = client_for(ana)
    for url in ("/inbox", f"/inbox/t/{threads(page(client))[0]}", "/settings/integrations/outlook"):
        assert "no-store" in client.get(url, headers=headers).headers["Cache-Control"]


def test_mail_is_framed_without_scripts(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = synced(ana, outlook)
    arrive(connection, outlook, at=clock.now() + timedelta(seconds=1))
    client = client_for(ana)
    html = page(client, f"/inbox/t/{threads(page(client))[0]}")
    [frame] = elements(html, "iframe")
    assert frame["sandbox"].split() == ["allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"]
    assert re.fullmatch(r"/m/\d+/body", frame["src"])


def test_a_mailbox_in_trouble_is_named_above_the_list(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection = synced(ana, outlook)
    change(connection, error_code="token_revoked", error_at=clock.now())
    assert f"Mail from {connection.address} may be missing here." in page(client_for(ana))


def test_times_are_in_the_readers_zone(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    ana.user.time_zone = "Pacific/Auckland"
    ana.user.save()
    connection = synced(ana, outlook)
    arrive(connection, outlook, at=clock.now() + timedelta(seconds=1))
    stamps = [one["datetime"] for one in elements(page(client_for(ana)), "time")]
    assert stamps
    assert all(stamp.endswith(("+13:00", "+12:00")) for stamp in stamps)


def test_a_row_names_its_mailbox_where_there_are_several(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    first = synced(ana, outlook)
    arrive(first, outlook, at=clock.now() + timedelta(seconds=1))
    client = client_for(ana)
    assert not elements(page(client), "span", class_="row-mailbox")
    synced(ana, outlook, "ben")
    assert [one["title"] for one in elements(page(client), "span", class_="row-mailbox")] == [first.address]
    thread = threads(page(client))[0]
    assert elements(client.get(f"/inbox/row/{thread}").content.decode(), "span", class_="row-mailbox")
    assert not elements(page(client, f"/inbox?f=emails&account={first.pk}"), "span", class_="row-mailbox")


def test_a_long_subject_can_be_read_whole(ana: Member, outlook: Outlook, client_for: Browser) -> None:
    connection, subject = synced(ana, outlook), "The budget of the laboratory " * 8
    arrive(connection, outlook, at=clock.now() + timedelta(seconds=1), subject=subject.strip())
    client = client_for(ana)
    html = page(client, f"/inbox/t/{threads(page(client))[0]}")
    assert f"<dt>Subject</dt><dd><bdi>{subject.strip()}</bdi></dd>" in html
