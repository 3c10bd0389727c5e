"""People who accepted the permissions, and time that passes when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.mail.hands import Time, alive, work
from tests.sandboxes import Outlook

from m365sandbox.server import serve_app_in_thread
from workestra.kit import clock
from workestra.mail.doors import slots
from workestra.mail.flows.microsoft import SCOPES
from workestra.mail.models import Connection, Schedule
from workestra.project.asgi import application
from workestra.tenancy.models import Member


@pytest.fixture
def outlook(outlook: Outlook, settings: Any) -> Outlook:
    """A sandbox in which everybody accepted what Workestra asks for, so that tokens can be refreshed.

    It cannot reach us with notices, unless a test says where.
    """
    settings.WORKESTRA = settings.WORKESTRA.model_copy(update={"public_url": "http://workestra.example"})
    Schedule.objects.update(active=False)  # those of earlier tests
    identity = outlook.handle.app.state.identity
    for person in outlook.world.directory.people.values():
        identity.consents.grant(person=person, app_id=outlook.client_id, names=frozenset(SCOPES))
    return outlook


@pytest.fixture(scope="package")
def web() -> Iterator[str]:
    """The web process, on a port of its own."""
    handle = serve_app_in_thread(application)
    yield handle.url
    handle.stop()


@pytest.fixture
def reachable(outlook: Outlook, settings: Any, web: str) -> Outlook:
    """A sandbox that can reach the web process."""
    settings.WORKESTRA = settings.WORKESTRA.model_copy(update={"public_url": web})
    outlook.world.courier.timing.first_delay = 0.2
    return outlook


@pytest.fixture
def watched(ana: Member, reachable: Outlook) -> Connection:
    """A connection that is told of changes."""
    connection = reachable.connect(ana)
    work(connection)
    assert alive(connection) == 2
    return connection


@pytest.fixture
def time(outlook: Outlook, monkeypatch: pytest.MonkeyPatch) -> Time:
    """The clock of product and sandbox."""
    mine = Time(outlook, clock.now)
    monkeypatch.setattr(clock, "now", mine.now)
    return mine


@pytest.fixture(autouse=True)
def no_slot_is_kept() -> Iterator[None]:
    """Whatever happened in a test, this process holds no slot afterwards."""
    yield
    assert slots._held == set()
