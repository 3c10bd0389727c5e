"""What the tests of mail share: a worker without waiting, time that passes when told, and a connection with mail."""

from __future__ import annotations

import asyncio
import time as wall
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import connection as database
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.mail import dispatch, jobs
from workestra.mail.doors import connections, schedule
from workestra.mail.flows import microsoft
from workestra.mail.models import Backfill, Connection, Notice, Subscription, SyncRun
from workestra.project import env, postgres
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

TASKS: dict[str, Any] = {
    dispatch.PULL: jobs.pull,
    dispatch.HISTORY: jobs.history,
    dispatch.WATCH: jobs.watch,
    dispatch.CHECK: jobs.check,
    dispatch.READ_STATE: jobs.read_state,
}
TAKE = (
    "delete from procrastinate_jobs where id = (select id from procrastinate_jobs where status = 'todo'"
    " and (args->>'connection')::bigint = %s order by priority desc, id limit 1) returning task_name, args::text"
)


class Time:
    """The clock of the product and of the sandbox, which a test puts forward."""

    def __init__(self, outlook: Outlook, real: Any) -> None:
        self._outlook = outlook
        self._real = real
        self.ahead = timedelta()

    def now(self) -> datetime:
        """The present moment here."""
        present: datetime = self._real() + self.ahead
        return present

    def passes(self, **by: float) -> None:
        """Go on by this much, in the words of timedelta."""
        step = timedelta(**by)
        self.ahead += step
        self._outlook.world.jump(step.total_seconds())


def todo(connection: Connection) -> list[str]:
    """Names of the connection's jobs that wait, in the order in which a worker takes them."""
    with database.cursor() as cursor:
        cursor.execute(
            "select task_name from procrastinate_jobs where status = 'todo'"
            " and (args->>'connection')::bigint = %s order by priority desc, id",
            [connection.pk],
        )
        return [row[0] for row in cursor.fetchall()]


def _jobs(connection: Connection) -> Iterator[Any]:
    for _ in range(60):
        with database.cursor() as cursor:
            cursor.execute(TAKE, [connection.pk])
            row = cursor.fetchone()
        if row is None:
            return
        yield TASKS[row[0]]
    raise AssertionError("the queue of this connection does not come to rest")


def work(connection: Connection) -> None:
    """What a worker does until nothing of this connection is due."""
    for _ in range(5):
        schedule.tick(now=clock.now())
        schedule.hand_out_notices(now=clock.now())
        done = [asyncio.run(_one(task, connection)) for task in _jobs(connection)]
        if not done:
            return


async def _one(task: Any, connection: Connection) -> None:
    try:
        await task(workspace=connection.workspace_id, connection=connection.pk)
    finally:
        await microsoft.close()


def fresh(connection: Connection) -> Connection:
    """The connection as it is now."""
    with scope(workspace=connection.workspace_id):
        return Connection.objects.select_related("owner__user").get(pk=connection.pk)


def backfill(connection: Connection) -> Backfill:
    """Its newest backfill."""
    with scope(workspace=connection.workspace_id):
        return Backfill.objects.filter(connection_id=connection.pk).latest("id")


def start(connection: Connection, choice: str = "90d") -> Backfill:
    """Its owner chooses a range."""
    with scope(workspace=connection.workspace_id):
        row = connections.start_backfill(
            member=connection.owner, connection_id=connection.pk, choice=choice, now=clock.now()
        )
    assert row is not None
    return row


def press(connection: Connection, verb: str, *, member: Member | None = None) -> Backfill | None:
    """Somebody, its owner as a rule, presses a button of the newest backfill."""
    act = {
        "pause": connections.pause_backfill,
        "resume": connections.resume_backfill,
        "cancel": connections.cancel_backfill,
    }[verb]
    row = backfill(connection)
    with scope(workspace=connection.workspace_id):
        return act(member=member or connection.owner, backfill_id=row.pk, now=clock.now())


def sync(connection: Connection, kind: str = "light") -> None:
    """A sync of this kind, to its end."""
    with scope(workspace=connection.workspace_id):
        schedule.want(workspace=connection.workspace_id, connection=connection.pk, kind=kind, now=clock.now())
        dispatch.pull(workspace=connection.workspace_id, connection=connection.pk)
    work(connection)


def runs(connection: Connection) -> list[SyncRun]:
    """Its syncs, oldest first."""
    with scope(workspace=connection.workspace_id):
        return list(SyncRun.objects.filter(connection_id=connection.pk).order_by("id"))


def notices(connection: Connection) -> list[tuple[str, str]]:
    """What waits for it from Graph: (change, immutable id)."""
    return list(Notice.objects.filter(connection_id=connection.pk).order_by("id").values_list("change", "item"))


def told(connection: Connection, number: int = 1) -> None:
    """Wait until Graph has told it of this many changes that nobody has worked off yet."""
    wait_for(lambda: len(notices(connection)) >= number)


def subscribed(connection: Connection) -> list[Subscription]:
    """Its mailbox's subscriptions as we hold them."""
    return list(Subscription.objects.filter(mailbox_id=connection.mailbox_id).order_by("id"))


def alive(connection: Connection) -> int:
    """How many of them live, as far as we know."""
    now = clock.now()
    return sum(1 for one in subscribed(connection) if one.graph_id and one.expires_at and one.expires_at > now)


def soon() -> datetime:
    """The moment of a letter that comes after everything that has been looked at so far."""
    return clock.now() + timedelta(seconds=2)


def kill_backend(pid: int) -> None:
    """End a session of the database, as its administrator."""
    with psycopg.connect(postgres.database_url(configured="", home=env.read().home), autocommit=True) as owner:
        owner.execute("select pg_terminate_backend(%s)", (pid,))


def asked(outlook: Outlook, part: str, *, method: str = "GET") -> int:
    """How many requests went to addresses with this in them."""
    return sum(1 for one in outlook.world.requests.last(20_000) if one.method == method and part in one.path)


def wait_for(what: Callable[[], Any], seconds: float = 5) -> Any:
    """The first true answer."""
    end = wall.monotonic() + seconds
    while not (found := what()):
        assert wall.monotonic() < end, "it did not come"
        wall.sleep(0.02)
    return found
