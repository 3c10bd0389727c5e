"""Every screen in light and dark, wide and narrow: no accessibility error, nothing wider than the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState, expect
from tests.journeys.stack import Stack

pytestmark = pytest.mark.journey
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = [(1280, 860), (360, 740)]


@pytest.fixture(params=[(theme, size) for theme in ("light", "dark") for size in SIZES], ids=str)
def screen(
    request: pytest.FixtureRequest, chromium: Browser, stack: Stack, session: StorageState, history: None
) -> Iterator[Page]:
    theme, (width, height) = request.param
    narrow = width < 640
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        has_touch=narrow,
        is_mobile=narrow,
        storage_state=session,
        bypass_csp=True,  # the checker is a script of its own
    )
    page = context.new_page()
    page.goto(f"{stack.page}/inbox")
    yield page
    context.close()


def problems(page: Page) -> list[str]:
    page.wait_for_timeout(250)  # let a panel finish its way in
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    said = [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        said.append("wider than the window")
    return said


def test_inbox(screen: Page, stack: Stack) -> None:
    assert problems(screen) == []
    screen.goto(f"{stack.page}/inbox?f=emails")
    assert problems(screen) == []


def test_reader(screen: Page) -> None:
    screen.locator(".row a").first.click()
    expect(screen.locator("iframe.ready").first).to_be_visible()
    assert problems(screen) == []


def test_settings(screen: Page, stack: Stack) -> None:
    screen.goto(f"{stack.page}/settings/integrations")
    assert problems(screen) == []
    screen.goto(f"{stack.page}/settings/integrations/outlook?problem=admin_consent_required&ref=7f3a")
    assert problems(screen) == []


def test_dialogs(screen: Page, stack: Stack) -> None:
    screen.goto(f"{stack.page}/settings/integrations/outlook")
    screen.get_by_role("button", name="Add another account").click()
    assert problems(screen) == []
    screen.keyboard.press("Escape")
    screen.get_by_role("button", name="More for").click()
    screen.get_by_role("button", name="Pull more history").click()
    expect(screen.get_by_role("dialog", name="How much mail should we sync?")).to_be_visible()
    assert problems(screen) == []


def test_menu(screen: Page) -> None:
    screen.get_by_role("button", name="Ana Ferreira").click()
    expect(screen.get_by_role("button", name="Sign out")).to_be_visible()
    assert problems(screen) == []


def test_sign_in_page_and_missing_page(screen: Page, stack: Stack) -> None:
    screen.goto(f"{stack.page}/nowhere")
    assert problems(screen) == []
    screen.context.clear_cookies()
    screen.goto(f"{stack.page}/login")
    assert problems(screen) == []
