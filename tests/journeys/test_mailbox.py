"""A person connects a mailbox, reads, and sees Outlook's changes arrive."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.journeys.stack import Stack
from tests.journeys.steps import SOON, connect, open_inbox, to_microsoft

pytestmark = pytest.mark.journey


def test_a_person_signs_in_and_lands_where_they_wanted_to_go(chromium: Browser, stack: Stack) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{stack.page}/settings/integrations")
    page.get_by_label("Email").fill(stack.email)
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{stack.page}/settings/integrations")
    context.close()


def test_declined_permissions_end_on_the_settings_page_with_their_own_words(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.page}/settings/integrations/outlook")
    if page.get_by_text("Bring your Outlook mail in").count() == 0:
        page.get_by_role("button", name="Add another account").click()
        page.get_by_role("dialog").get_by_role("button", name="Connect Microsoft 365").click()
        page.get_by_text("mira@").first.click()
        page.get_by_label("Password").fill("sandbox")
        page.get_by_role("button", name="Sign in", exact=True).click()
    else:
        to_microsoft(page, stack)
    page.get_by_role("button", name="Cancel").click()
    expect(page).to_have_url(re.compile("problem=consent_declined"))
    expect(page.get_by_role("alert")).to_contain_text("You did not accept the permissions")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("dialog")).to_contain_text("Workestra never deletes mail in Outlook.")


def test_mailbox_is_connected_and_its_history_pulled_while_the_card_tells(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.page}/settings/integrations/outlook")
    if page.get_by_text("Bring your Outlook mail in").count():
        connect(page, stack)
    row = page.locator(".connection")
    expect(row).to_contain_text(stack.email)
    expect(row).to_contain_text("Healthy")
    expect(row).to_contain_text("New mail arrives at once", timeout=SOON)
    expect(page.locator("#health-mark .dot")).to_have_class("dot healthy")


def test_the_card_survives_a_reload(connected: Page, stack: Stack) -> None:
    connected.goto(f"{stack.page}/settings/integrations/outlook")
    card = connected.get_by_role("group", name="History: Last 90 days")
    numbers = card.locator(".backfill-numbers").inner_text()
    connected.reload()
    expect(card).to_contain_text("Complete")
    assert card.locator(".backfill-numbers").inner_text().split("·")[0] == numbers.split("·")[0]


def test_new_mail_appears_in_the_open_inbox_without_a_reload(connected: Page, stack: Stack) -> None:
    open_inbox(connected, stack)
    connected.evaluate("window.sameDocument = true")
    stack.deliver("A letter that just came")
    row = connected.locator(".row").first
    expect(row).to_contain_text("A letter that just came", timeout=SOON)
    expect(row).to_have_class(re.compile("unread"))
    expect(connected.locator("#unread-mark .count")).to_be_visible(timeout=SOON)
    assert connected.evaluate("window.sameDocument")


def test_mail_read_in_outlook_turns_read_in_the_open_inbox(connected: Page, stack: Stack) -> None:
    open_inbox(connected, stack)
    message = stack.deliver("Read me over there")
    row = connected.locator(".row", has_text="Read me over there")
    expect(row).to_have_class(re.compile("unread"), timeout=SOON)
    stack.in_outlook("read", message)
    expect(row).not_to_have_class(re.compile("unread"), timeout=SOON)


def test_mail_that_comes_while_reading_further_down_waits_behind_a_pill(connected: Page, stack: Stack) -> None:
    open_inbox(connected, stack)
    feed = connected.locator("#feed")
    feed.evaluate("feed => { feed.scrollTop = 900 }")
    stack.deliver("Came while you read below")
    pill = connected.get_by_role("button", name="1 new")
    expect(pill).to_be_visible(timeout=SOON)
    assert feed.evaluate("feed => feed.scrollTop") > 400
    pill.click()
    expect(connected.locator(".row").first).to_contain_text("Came while you read below")
    expect(pill).to_be_hidden()


def test_a_click_is_not_lost_when_the_list_changes_under_it(connected: Page, stack: Stack) -> None:
    stack.deliver("Pressed slowly")
    open_inbox(connected, stack)
    row = connected.locator(".row", has_text="Pressed slowly").locator("a")
    row.hover(timeout=SOON)
    connected.mouse.down()
    stack.deliver("Came in between")
    connected.wait_for_timeout(1500)
    connected.mouse.up()
    expect(connected.get_by_role("heading", name="Pressed slowly")).to_be_visible()
    expect(connected.locator(".row", has_text="Came in between")).to_have_count(1, timeout=SOON)


def test_a_thread_is_read_beside_the_list_by_keyboard_alone(connected: Page, stack: Stack) -> None:
    stack.deliver("Keys are enough", html="<p>Hello <b>Ana</b></p>")
    open_inbox(connected, stack)
    expect(connected.locator(".row").first).to_contain_text("Keys are enough", timeout=SOON)
    connected.keyboard.press("j")
    connected.keyboard.press("Enter")
    expect(connected.get_by_role("heading", name="Keys are enough")).to_be_focused()
    expect(connected).to_have_url(re.compile(r"/inbox/t/\d+$"))
    frame = connected.frame_locator("iframe[data-mail-frame]").last
    expect(frame.locator("body")).to_contain_text("Hello Ana")
    connected.keyboard.press("Escape")
    expect(connected).to_have_url(f"{stack.page}/inbox")
    expect(connected.locator(".row a").first).to_be_focused()
    connected.go_back()
    expect(connected.get_by_role("heading", name="Keys are enough")).to_be_visible()


def test_mail_that_is_too_wide_is_made_smaller_and_not_cut_off(connected: Page, stack: Stack) -> None:
    stack.deliver("Wide as a barn", html='<div style="width: 1100px">From here to there</div>')
    open_inbox(connected, stack)
    connected.locator(".row", has_text="Wide as a barn").locator("a").click(timeout=SOON)
    frame = connected.locator("iframe.ready")
    expect(frame).to_be_visible()
    zoom = float(frame.evaluate("frame => frame.contentDocument.body.style.zoom"))
    assert zoom < 1
    width = frame.evaluate("frame => frame.contentDocument.body.scrollWidth")
    assert width <= frame.evaluate("frame => frame.clientWidth") / zoom + 2


def test_an_answer_joins_the_open_thread_without_moving_it(connected: Page, stack: Stack) -> None:
    first = stack.deliver("A long talk")
    open_inbox(connected, stack)
    row = connected.locator(".row", has_text="A long talk")
    row.locator("a").click(timeout=SOON)
    expect(connected.locator(".message")).to_have_count(1)
    stack.deliver("Re: A long talk", in_reply_to=first["internetMessageId"])
    expect(connected.locator(".message")).to_have_count(2, timeout=SOON)


def _until(page: Page, what: Callable[[], bool]) -> None:
    """Wait, as long as a person would, until this is so."""
    for _ in range(SOON // 100):
        if what():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come")


def test_an_opened_letter_is_read_here_and_in_outlook_and_the_key_turns_it_back(
    connected: Page, stack: Stack
) -> None:
    open_inbox(connected, stack)
    connected.evaluate("window.sameDocument = true")
    stack.deliver("Read it over here")
    row = connected.locator(".row", has_text="Read it over here")
    expect(row).to_have_class(re.compile("unread"), timeout=SOON)
    row.locator("a").click()
    expect(row).not_to_have_class(re.compile("unread"), timeout=SOON)
    button = connected.get_by_role("button", name="Mark as unread")
    expect(button).to_be_visible()
    _until(connected, lambda: stack.is_read("Read it over here"))
    connected.keyboard.press("u")
    expect(row).to_have_class(re.compile("unread"))
    _until(connected, lambda: not stack.is_read("Read it over here"))
    connected.wait_for_timeout(2500)
    expect(row).to_have_class(re.compile("unread"))
    connected.get_by_role("button", name="Mark as read").click()
    expect(button).to_be_visible()
    _until(connected, lambda: stack.is_read("Read it over here"))
    assert connected.evaluate("window.sameDocument")


def test_in_the_list_of_unread_mail_the_open_letter_keeps_its_place(connected: Page, stack: Stack) -> None:
    for n in range(3):
        stack.deliver(f"Stay {n}")
    with connected.expect_request("**/events"):
        connected.goto(f"{stack.page}/inbox?f=unread")
    row = connected.locator(".row", has_text="Stay 1")
    expect(row).to_be_visible(timeout=SOON)
    expect(connected.locator(".row", has_text="Stay 2")).to_be_visible(timeout=SOON)
    row.locator("a").click()
    expect(row).not_to_have_class(re.compile("unread"), timeout=SOON)
    stack.deliver("Stay after all")
    expect(connected.locator(".row", has_text="Stay after all")).to_be_visible(timeout=SOON)
    expect(row).to_be_visible()
    connected.keyboard.press("]")
    expect(connected.get_by_role("heading", name="Stay 0")).to_be_visible()


def test_a_message_moves_to_its_own_conversation_and_back_by_keys_alone(connected: Page, stack: Stack) -> None:
    first = stack.deliver("One of two talks")
    stack.deliver("Re: One of two talks", in_reply_to=first["internetMessageId"])
    open_inbox(connected, stack)
    connected.evaluate("window.sameDocument = true")
    connected.locator(".row", has_text="One of two talks").locator("a").click(timeout=SOON)
    expect(connected.locator(".message")).to_have_count(2, timeout=SOON)
    connected.get_by_role("button", name="More for this conversation").press("Enter")
    connected.get_by_role("button", name="Move messages to their own conversation").press("Enter")
    dialog = connected.get_by_role("dialog", name="Move messages to their own conversation")
    dialog.get_by_role("checkbox").last.press("Space")
    dialog.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(connected.locator(".toast")).to_contain_text("Moved to a conversation of its own")
    expect(connected.locator(".message")).to_have_count(1)
    expect(connected.get_by_role("dialog")).to_have_count(0)
    expect(connected.locator(".row", has_text="One of two talks")).to_have_count(2, timeout=SOON)
    connected.get_by_role("button", name="More for this conversation").press("Enter")
    connected.get_by_role("button", name="Merge into another conversation").press("Enter")
    dialog = connected.get_by_role("dialog", name="Merge into another conversation")
    dialog.get_by_label("Find by subject or name").type("one of two")
    expect(dialog.get_by_role("radio")).to_have_count(1)
    dialog.get_by_role("radio").press("Space")
    dialog.get_by_role("button", name="Merge", exact=True).press("Enter")
    expect(connected.locator(".message")).to_have_count(2)
    expect(connected.locator(".row", has_text="One of two talks")).to_have_count(1, timeout=SOON)
    assert connected.evaluate("window.sameDocument")


def test_sync_now_ends_in_a_toast(connected: Page, stack: Stack) -> None:
    connected.goto(f"{stack.page}/settings/integrations/outlook")
    connected.get_by_role("button", name="Sync now").click()
    expect(connected.locator(".toast")).to_contain_text(re.compile("up to date|new email"), timeout=SOON)
    expect(connected.get_by_role("button", name="Sync now")).to_be_enabled()
