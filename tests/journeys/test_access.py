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


def test_dialogs_of_a_conversation(screen: Page, stack: Stack) -> None:
    first = stack.deliver("Dialogs here")
    stack.deliver("Re: Dialogs here", in_reply_to=first["internetMessageId"])
    screen.locator(".row", has_text="Dialogs here").first.locator("a").click(timeout=30_000)
    expect(screen.locator(".message").first).to_be_visible(timeout=30_000)
    screen.get_by_role("button", name="More for this conversation").click()
    assert problems(screen) == []
    screen.get_by_role("button", name="Move messages to their own conversation").click()
    expect(screen.get_by_role("dialog", name="Move messages to their own conversation")).to_be_visible()
    screen.get_by_role("checkbox").first.check()
    assert problems(screen) == []
    screen.keyboard.press("Escape")
    screen.get_by_role("button", name="More for this conversation").click()
    screen.get_by_role("button", name="Merge into another conversation").click()
    expect(screen.get_by_role("radio").first).to_be_visible()
    screen.get_by_role("radio").first.check()
    assert problems(screen) == []


def test_settings(screen: Page, stack: Stack) -> None:
    screen.goto(f"{stack.page}/settings/integrations")
    assert problems(screen) == []
    screen.goto(f"{stack.page}/settings/integrations/outlook?problem=admin_consent_required&ref=7f3a")
    assert problems(screen) == []
    screen.goto(f"{stack.page}/settings/profile")
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


def test_long_names_and_addresses_push_nothing_away(screen: Page, stack: Stack) -> None:
    screen.locator(".row a").first.click()
    expect(screen.locator("iframe.ready").first).to_be_visible()
    long = "bartholomew.featherstonehaugh-cholmondeley@really-long-subdomain.of-an-even-longer-name.example"
    replace = "(all, text) => all.forEach(one => { one.lastChild.textContent = text })"
    screen.locator(".user-name, .thread-meta .tag, .message-name bdi").evaluate_all(replace, long)
    assert problems(screen) == []
    wide = screen.viewport_size["width"] if screen.viewport_size else 0
    for found in screen.locator(".nav-link:visible, .thread-meta .tag:visible").all():
        box = found.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= wide
        assert box["height"] < 70
    screen.goto(f"{stack.page}/settings/integrations/outlook")
    screen.locator(".connection-address, .connection-who h2").evaluate_all(replace, long)
    assert problems(screen) == []


def test_sign_in_page_and_missing_page(screen: Page, stack: Stack) -> None:
    screen.goto(f"{stack.page}/nowhere")
    assert problems(screen) == []
    screen.context.clear_cookies()
    screen.goto(f"{stack.page}/login")
    assert problems(screen) == []
