"""A sandbox, a workspace and time of one proof, without a test around them; the product is pointed at them."""

from __future__ import annotations

import itertools
import os
import time as wall
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from tests.crash.worker import drain, process
from tests.mail.hands import Time
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.mail.doors.connecting import SignedIn
from workestra.mail.flows.microsoft import SCOPES
from workestra.mail.models import Notice, Schedule
from workestra.tenancy.models import Member, Role, User, Workspace

FORGOTTEN = 90  # seconds after which a dead process holds neither slot nor lease
REAL_NOW = clock.now
_numbers = itertools.count(1)


def _nothing_else_is_due() -> None:
    """Earlier tests left connections, jobs and notices in this database: no worker of this house does their work."""
    Schedule.objects.update(active=False)
    Notice.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs")


class House:
    """Where product and sandbox meet. `web`: the address of the web process, which Microsoft calls."""

    def __init__(self, *, web: str) -> None:
        self.number = next(_numbers)
        self.outlook = Outlook(seed=700_000 + self.number * 7 + os.getpid() % 7)
        self.time = Time(self.outlook, REAL_NOW)
        self._web = web

    @contextmanager
    def open(self) -> Iterator[None]:
        """The product pointed at this sandbox and this clock; both go on as before afterwards."""
        before = settings.WORKESTRA
        settings.WORKESTRA = before.model_copy(
            update={
                "graph_url": f"{self.outlook.url}/v1.0",
                "microsoft_authority": f"{self.outlook.url}/common",
                "microsoft_client_id": self.outlook.client_id,
                "microsoft_client_secret": self.outlook.client_secret,
                "public_url": self._web,
            }
        )
        clock.now = self.time.now
        self.outlook.world.courier.timing.first_delay = 0.05
        identity = self.outlook.handle.app.state.identity
        for person in self.outlook.world.directory.people.values():
            identity.consents.grant(person=person, app_id=self.outlook.client_id, names=frozenset(SCOPES))
        _nothing_else_is_due()
        try:
            yield
        finally:
            clock.now = REAL_NOW
            Schedule.objects.update(active=False)
            settings.WORKESTRA = before
            self.outlook.stop()

    def member(self, name: str = "Ana") -> Member:
        """The owner of a workspace of their own."""
        workspace = Workspace.objects.create(name=f"House {self.number} of {name}")
        email = f"{name.lower()}-{uuid.uuid4().hex[:12]}@workestra.example"
        return Member.objects.create(
            workspace=workspace, user=User.objects.create(email=email, name=name), role=Role.OWNER
        )

    def signed_in(self, name: str = "ana") -> SignedIn:
        """What a finished sign-in of this person brings. The tokens are issued here, where the sandbox lives."""
        person = self.outlook.person(name)
        access, refresh = self.outlook.tokens_of(name)
        return SignedIn(
            tenant_id=person.tenant.id,
            object_id=person.id,
            address=person.address,
            name=person.name,
            personal=person.personal,
            access=access,
            refresh=refresh,
            expires_at=clock.now() + timedelta(hours=1),
            scopes=SCOPES,
        )

    def soon(self) -> datetime:
        """A moment that no connection made so far is younger than."""
        return (clock.now() + timedelta(seconds=2)).replace(microsecond=0)

    def arrives(self) -> None:
        """Wait until Microsoft has told of everything."""
        courier = self.outlook.world.courier
        end = wall.monotonic() + 10
        while courier.waiting()["waiting"] or courier.waiting()["in_flight"]:
            assert wall.monotonic() < end, "notices do not arrive"
            wall.sleep(0.01)

    def forbidden(self) -> list[str]:
        """Requests that delete or move mail."""
        return [
            f"{one.method} {one.path} {one.status}"
            for one in self.outlook.world.requests.last(20_000)
            if (one.method == "DELETE" and "/subscriptions/" not in one.path)
            or (one.method == "POST" and one.path.endswith(("/move", "/copy")))
        ]

    def throttled(self) -> int:
        """How many requests Microsoft answered with 429."""
        return self.outlook.world.requests.by_status[429]

    def idle_requests(self) -> int:
        """What a worker asks Microsoft when there is nothing to do: once more, and count."""
        self.arrives()
        before = self.outlook.world.requests.total
        process(work=drain)
        return self.outlook.world.requests.total - before
