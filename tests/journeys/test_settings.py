"""What a person settles for themselves, and an owner for the organisation."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect
from tests.journeys.stack import Stack

pytestmark = pytest.mark.journey


def approve(page: Page, button: str) -> None:
    """Grace, the administrator, at Microsoft."""
    page.get_by_text("grace@").first.click()
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name=button).click()


def test_an_owner_sends_the_administrator_to_microsoft_and_reads_the_outcome(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.page}/settings/integrations/outlook")
    page.get_by_role("link", name="Approve at Microsoft").click()
    approve(page, "Accept")
    expect(page).to_have_url(re.compile("/settings/integrations/outlook"))
    expect(page.get_by_role("status").filter(has_text="approved")).to_contain_text(
        "Your organisation has approved Workestra"
    )


def test_an_administrator_without_a_seat_reads_the_outcome_too(page: Page, chromium: Browser, stack: Stack) -> None:
    page.goto(f"{stack.page}/settings/integrations/outlook")
    link = page.get_by_role("link", name="Approve at Microsoft").get_attribute("href")
    context = chromium.new_context(locale="en-GB")
    elsewhere = context.new_page()
    elsewhere.goto(link or "")
    approve(elsewhere, "Cancel")
    expect(elsewhere.get_by_role("heading", name="The approval was not given")).to_be_visible()
    context.close()


def test_times_are_in_the_browsers_zone_until_a_person_chooses_one(
    chromium: Browser, stack: Stack, session: StorageState, history: None
) -> None:
    context = chromium.new_context(storage_state=session, timezone_id="Asia/Kolkata", locale="en-GB")
    page = context.new_page()
    page.goto(f"{stack.page}/login")  # any page tells the server where the browser is
    page.goto(f"{stack.page}/inbox")
    first = page.locator(".row time").first
    expect(first).to_have_attribute("datetime", re.compile(r"\+05:30$"))
    page.goto(f"{stack.page}/settings/profile")
    page.get_by_label("Time zone").select_option("America/St_Johns")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Your profile is saved.")
    page.goto(f"{stack.page}/inbox")
    expect(first).to_have_attribute("datetime", re.compile(r"-0[23]:30$"))
    page.goto(f"{stack.page}/settings/profile")
    page.get_by_label("Time zone").select_option("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Your profile is saved.")
    context.close()
