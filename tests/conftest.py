"""The cast and the stage: a real PostgreSQL, a real sandbox, and three people.

Ana owns a workspace, Ben is her teammate, Cleo comes from another workspace. Tests do not clean up: each has
workspaces of its own, and the run has a database of its own.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser

from tests import browser, thrift
from tests.sandboxes import Outlook
from workestra.project import env, postgres, roles
from workestra.tenancy.models import Member, Role, User, Workspace

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys last: Playwright leaves an event loop running in this thread, in which no other test can start one."""
    items.sort(key=lambda item: item.get_closest_marker("journey") is not None)


@pytest.fixture(scope="session", autouse=True)
def thrifty() -> Iterator[None]:
    """Nobody waits for what tells nothing."""
    with pytest.MonkeyPatch.context() as patch:
        thrift.find_static_files_once(patch=patch)
        thrift.hash_lightly(patch=patch)
        yield


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for all journeys."""
    with browser.chromium() as one:
        yield one


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> None:
    """Migrate as the owner, as `workestra migrate` does, then go on as the role of the product."""
    from django.core.management import call_command

    default = connections["default"]
    url = postgres.database_url(configured="", home=env.read().home)
    role = django_settings.WORKESTRA.database_role
    roles.ensure_role(url=url, role=role)
    thrift.wait_for_no_disk(url=url)
    mine = default.settings_dict
    with django_db_blocker.unblock():
        connections["default"].settings_dict = {**mine, **postgres.database_settings(url=url, role=None)}
        call_command("migrate", verbosity=0)
        connections["default"].close()
        roles.grant_rows(url=url, role=role)
        connections["default"].settings_dict = mine


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database, with real commits: what a test writes stays, in workspaces of its own."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()


def _seat(workspace: Workspace, name: str, role: Role) -> Member:
    user = User(email=f"{name.lower()}{next(_numbers)}-{os.getpid()}@workestra.example", name=name)
    user.set_unusable_password()
    user.save()
    return Member.objects.create(workspace=workspace, user=user, role=role)


@pytest.fixture
def ana(db: None) -> Member:
    """Owner of a workspace."""
    return _seat(Workspace.objects.create(name="Harbour"), "Ana", Role.OWNER)


@pytest.fixture
def ben(ana: Member) -> Member:
    """Ana's teammate."""
    return _seat(ana.workspace, "Ben", Role.MEMBER)


@pytest.fixture
def cleo(db: None) -> Member:
    """A stranger: owner of another workspace."""
    return _seat(Workspace.objects.create(name="Elsewhere"), "Cleo", Role.OWNER)


@pytest.fixture
def client_for() -> Callable[[Member], Client]:
    """A signed-in browser of a member."""

    def make(member: Member) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return make


@pytest.fixture
def outlook(db: None, settings: Any) -> Iterator[Outlook]:
    """A sandbox of this test's own, and the product pointed at it."""
    here = Outlook(seed=next(_numbers) * 1000 + os.getpid() % 1000)
    settings.WORKESTRA = django_settings.WORKESTRA.model_copy(
        update={
            "graph_url": f"{here.url}/v1.0",
            "microsoft_authority": f"{here.url}/common",
            "microsoft_client_id": here.client_id,
            "microsoft_client_secret": here.client_secret,
        }
    )
    yield here
    here.stop()
