"""A worker as a process of its own, forked from here: it works until nothing is due, or is killed at a step.

It takes jobs from the real queue with the queue's own statements, so that what a killed worker leaves behind is
what a killed worker leaves behind, and is rescued by the product's own rescue.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from procrastinate.contrib.django import app as django_app
from procrastinate.jobs import Status
from procrastinate.psycopg_connector import PsycopgConnector
from tests.crash.steps import Steps

from workestra.graph import client
from workestra.kit import clock
from workestra.kit import hop as hop_pool
from workestra.kit.hop import hop
from workestra.kit.live import conninfo
from workestra.kit.rescue import PatientManager
from workestra.mail.doors import schedule
from workestra.mail.flows import microsoft
from workestra.project import worker

LONGEST = 180.0  # seconds that a process may take
MOST_JOBS = 200


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: the points it passed, and where it was killed ("" where it was not)."""

    passed: int
    killed: str


class Broken(Exception):
    """The process failed by itself, with this traceback."""


def process(*, work: Callable[[], None], kill_at: int = 0) -> Ended:
    """Run `work` in a forked process to its end, or until it dies at point `kill_at`. Raises Broken."""
    connections.close_all()
    hears, tells = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hears)
        _child(work, kill_at, tells)
    os.close(tells)
    told = _told(hears, child)
    _, status = os.waitpid(child, 0)
    last = told.strip().rsplit("\n", 1)[-1]
    if os.WIFSIGNALED(status) and last.startswith("killed "):
        return Ended(passed=kill_at, killed=last.removeprefix("killed "))
    if not last.startswith("passed "):
        raise Broken(told or f"ended with status {status}")
    return Ended(passed=int(last.removeprefix("passed ")), killed="")


def _child(work: Callable[[], None], kill_at: int, tells: int) -> None:
    """Never returns: nothing of the parent may run twice."""
    code = 1
    _of_the_parent.append((dict(DatabaseWrapper._connection_pools), hop_pool._pool, client._pool))
    DatabaseWrapper._connection_pools.clear()
    hop_pool._pool = ThreadPoolExecutor(max_workers=hop_pool.THREADS)  # of the parent's, no thread came along
    client._pool = ThreadPoolExecutor(max_workers=2)
    try:
        steps = Steps(kill_at=kill_at, tell=tells)
        steps.install()
        _points.append(steps)
        work()
        os.write(tells, f"passed {steps.passed}\n".encode())
        code = 0
    except BaseException:
        os.write(tells, traceback.format_exc()[-4000:].encode())
    finally:
        os._exit(code)


_points: list[Steps] = []
_of_the_parent: list[Any] = []  # pools with its connections and threads: kept, so that nobody closes them here


def _told(hears: int, child: int) -> str:
    parts = []
    with os.fdopen(hears, "rb", 0) as pipe:
        while select.select([pipe], [], [], LONGEST)[0]:
            part = pipe.read(65536)
            if not part:
                return b"".join(parts).decode()
            parts.append(part)
    os.kill(child, signal.SIGKILL)
    return f"it took more than {LONGEST} s"


def drain() -> None:
    """Rescue what a dead worker left, then work until nothing is due. In a process of its own."""
    asyncio.run(_drain(MOST_JOBS, alone=True))


def rescue() -> None:
    """Only put back what a dead worker left."""
    asyncio.run(_drain(0, alone=True))


def drain_beside() -> None:
    """Work beside another worker, who lives and needs no rescue."""
    asyncio.run(_drain(MOST_JOBS, alone=False))


async def _drain(most: int, *, alone: bool) -> None:
    point = _points[-1].point
    connector = PsycopgConnector(conninfo=conninfo(settings=settings.DATABASES["default"]), min_size=1, max_size=2)
    app = django_app.with_connector(connector)
    async with app.open_async():
        if alone:
            worker.STALLED_AFTER = 0  # whoever was there before is dead, and needs no seconds to be missed
            await worker._rescue(app)
        me = await app.job_manager.register_worker()
        for _ in range(most):
            await hop(lambda: schedule.tick(now=clock.now()))
            await hop(lambda: schedule.hand_out_notices(now=clock.now()))
            job = await app.job_manager.fetch_job(None, me)
            if job is None:
                break
            point("after a job was taken")
            await app.tasks[job.task_name].func(**job.task_kwargs)
            point("before a job is put away")
            await PatientManager(app.job_manager.connector).finish_job(job, Status.SUCCEEDED, delete_job=True)
            point("after a job was put away")
        else:
            assert not most, "the queue does not come to rest"
        await app.job_manager.unregister_worker(me)
    await microsoft.close()
