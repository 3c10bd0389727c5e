"""Steps that several journeys take."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.journeys.stack import Stack

SOON = 30_000  # milliseconds; generous, because machines differ: nothing here measures speed


def sign_in(page: Page, stack: Stack) -> None:
    """From the bare address to the Inbox."""
    page.goto(stack.page)
    page.get_by_label("Email").fill(stack.email)
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()


def to_microsoft(page: Page, stack: Stack) -> None:
    """From the settings page to the consent of Microsoft's sign-in."""
    page.goto(f"{stack.page}/settings/integrations/outlook")
    page.locator("main").get_by_role("button", name="Connect Microsoft 365").click()
    page.get_by_role("dialog").get_by_role("button", name="Connect Microsoft 365").click()
    page.get_by_text(stack.email).first.click()
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Sign in", exact=True).click()


def connect(page: Page, stack: Stack) -> None:
    """Connect the mailbox, choose 90 days, and watch the card to its end."""
    to_microsoft(page, stack)
    page.get_by_role("button", name="Accept").click()
    dialog = page.get_by_role("dialog", name="How much mail should we sync?")
    expect(dialog.get_by_role("radio", name="Last 90 days")).to_be_checked()
    dialog.get_by_role("button", name="Start").click()
    expect(page.get_by_role("group", name="History: Last 90 days")).to_contain_text("Complete", timeout=SOON)


def open_inbox(page: Page, stack: Stack) -> None:
    """The Inbox with its live stream open."""
    with page.expect_request("**/events"):
        page.goto(f"{stack.page}/inbox")
    expect(page.locator("#feed .row").first).to_be_visible()
