"""A real Chromium against the whole product, started once for all journeys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, StorageState
from tests.journeys.stack import Process, Stack
from tests.journeys.steps import connect, sign_in


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Database, sandbox, web and worker."""
    process = Process(messages=600)
    try:
        yield process.ready()
    finally:
        process.stop()


@pytest.fixture(scope="session")
def session(chromium: Browser, stack: Stack) -> StorageState:
    """The cookies of a browser in which Ana has signed in."""
    context = chromium.new_context()
    sign_in(context.new_page(), stack)
    state = context.storage_state()
    context.close()
    return state


@dataclass
class Watch:
    """What went wrong in a page while nobody looked."""

    origins: tuple[str, ...]
    troubles: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"console: {message.text} ({message.location.get('url')})")

    def asked(self, request: Request) -> None:
        if not request.url.startswith((*self.origins, "data:", "about:", "blob:")):
            self.troubles.append(f"left the origin: {request.url}")


@pytest.fixture
def page(chromium: Browser, stack: Stack, session: StorageState) -> Iterator[Page]:
    """A signed-in page of Ana's. It fails a test whose page errs, breaks its policy or asks another site."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860}, locale="en-GB", storage_state=session)
    here = context.new_page()
    watch = Watch(origins=(stack.page, stack.sandbox))
    here.on("console", watch.console)
    here.on("pageerror", lambda problem: watch.troubles.append(f"script: {problem}"))
    here.on("request", watch.asked)
    yield here
    context.close()
    assert watch.troubles == []


@pytest.fixture(scope="session")
def history(chromium: Browser, stack: Stack, session: StorageState) -> None:
    """Ana's mailbox is connected and its history complete."""
    context = chromium.new_context(storage_state=session)
    page = context.new_page()
    page.goto(f"{stack.page}/settings/integrations/outlook")
    if page.get_by_text("Bring your Outlook mail in").count():
        connect(page, stack)
    context.close()


@pytest.fixture
def connected(page: Page, history: None) -> Page:
    """Ana's page, her mailbox connected and its history complete."""
    return page
