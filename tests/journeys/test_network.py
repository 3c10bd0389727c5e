"""A browser that loses its network says so, and reads what it missed when it is back."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Browser, StorageState, expect
from tests.journeys.stack import Stack
from tests.journeys.steps import SOON, open_inbox

pytestmark = pytest.mark.journey


def test_mail_that_came_while_the_browser_was_offline_is_there_when_it_is_back(
    chromium: Browser, stack: Stack, session: StorageState, history: None
) -> None:
    context = chromium.new_context(storage_state=session, locale="en-GB")
    page = context.new_page()
    open_inbox(page, stack)
    bar = page.get_by_text("Live updates are interrupted.")
    expect(bar).to_be_hidden()
    context.set_offline(True)
    expect(bar).to_be_visible(timeout=SOON)
    subject = f"While offline {uuid.uuid4().hex[:8]}"
    stack.deliver(subject)
    context.set_offline(False)
    expect(bar).to_be_hidden(timeout=SOON)
    expect(page.locator(".row", has_text=subject)).to_be_visible(timeout=SOON)
    context.close()
