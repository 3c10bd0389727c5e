"""A job ends once and comes back once, whatever happens to connections and workers (OPS 5)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from django.db import connection
from procrastinate import App
from procrastinate.jobs import DeleteJobCondition, Job, Status
from tests.mail.hands import kill_backend

from workestra.kit import rescue
from workestra.kit.queue import enqueue
from workestra.kit.rescue import PatientManager
from workestra.mail import dispatch
from workestra.project import env, postgres, worker

LONG = 8.0


@pytest.fixture
def queue(db: None) -> str:
    """A queue of this test's own."""
    return uuid.uuid4().hex


def _put(queue: str, *, lock: str | None = None, queueing: str | None = None) -> None:
    args = {"workspace": 0, "connection": 0}
    assert enqueue(task=dispatch.PULL, args=args, queue=queue, lock=lock, queueing_lock=queueing)


def _jobs(queue: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select status::text from procrastinate_jobs where queue_name = %s order by id", [queue])
        return [row[0] for row in cursor.fetchall()]


def _dies(worker_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update procrastinate_workers set last_heartbeat = now() - interval '1 minute' where id = %s", [worker_id]
        )


def _with(work: Callable[[App, PatientManager], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        app, manager = worker.patient_app()
        async with app.open_async():
            return await asyncio.wait_for(work(app, manager), 60)

    return asyncio.run(whole())


async def _taken(manager: PatientManager, queue: str) -> tuple[Job, int]:
    me = await manager.register_worker()
    job = await manager.fetch_job([queue], me)
    assert job is not None
    assert job.id is not None
    return job, me


async def _blocked(owner: psycopg.AsyncConnection[Any]) -> int:
    """The session that waits to put a job away."""
    while True:
        found = await owner.execute(
            "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%%finish_job%%'"
        )
        row = await found.fetchone()
        if row is not None:
            return int(row[0])
        await asyncio.sleep(0.02)


async def _owner() -> psycopg.AsyncConnection[Any]:
    url = postgres.database_url(configured="", home=env.read().home)
    return await psycopg.AsyncConnection.connect(url)


def test_a_job_is_put_away_although_the_connection_broke_while_that_was_done(queue: str) -> None:
    lock = uuid.uuid4().hex
    _put(queue, lock=lock)
    _put(queue, lock=lock)

    async def work(app: App, manager: PatientManager) -> None:
        async with await _owner() as keeper, await _owner() as watcher:
            await watcher.set_autocommit(True)
            job, _ = await _taken(manager, queue)
            await keeper.execute("select id from procrastinate_jobs where id = %s for update", [job.id])
            ending = asyncio.create_task(manager.finish_job(job, Status.SUCCEEDED, delete_job=True))
            pid = await _blocked(watcher)
            await asyncio.to_thread(kill_backend, pid)
            await keeper.rollback()
            await ending
        living = app.run_worker_async(
            queues=[queue],
            wait=False,
            install_signal_handlers=False,
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
        )
        await living

    _with(work)
    assert _jobs(queue) == [], "and the one that waited for its lock ran"


def test_an_end_that_was_written_before_its_answer_was_lost_may_be_written_again(queue: str) -> None:
    _put(queue)

    async def work(app: App, manager: PatientManager) -> None:
        job, _ = await _taken(manager, queue)
        for _ in range(2):
            await manager.finish_job(job, Status.FAILED, delete_job=False)

    _with(work)
    assert _jobs(queue) == ["failed"]


def test_a_worker_that_cannot_end_its_job_begins_anew(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "PATIENCE", 0)
    _put(queue)

    async def work(app: App, manager: PatientManager) -> bool:
        job, _ = await _taken(manager, queue)
        async with await _owner() as keeper, await _owner() as watcher:
            await watcher.set_autocommit(True)
            await keeper.execute("select id from procrastinate_jobs where id = %s for update", [job.id])
            ending = asyncio.create_task(manager.finish_job(job, Status.SUCCEEDED, delete_job=True))
            pid = await _blocked(watcher)
            await asyncio.to_thread(kill_backend, pid)
            await asyncio.wait([ending])
        assert ending.exception() is not None
        return manager.lost.is_set()

    assert _with(work)
    assert _jobs(queue) == ["doing"]


def test_what_comes_late_from_a_worker_that_was_missed_does_not_end_its_successors_job(queue: str) -> None:
    _put(queue)

    async def work(app: App, manager: PatientManager) -> None:
        job, me = await _taken(manager, queue)
        assert job.id is not None
        await asyncio.to_thread(_dies, me)
        await rescue.put_back(queue=manager, job=job.id, seconds=LONG)
        again, _ = await _taken(manager, queue)
        assert again.id == job.id
        await manager.finish_job(job, Status.SUCCEEDED, delete_job=True)

    _with(work)
    assert _jobs(queue) == ["doing"]


def test_of_several_rescuers_one_puts_a_job_back(queue: str) -> None:
    _put(queue)

    async def work(app: App, manager: PatientManager) -> None:
        job, me = await _taken(manager, queue)
        assert job.id is not None
        await asyncio.to_thread(_dies, me)
        assert job.id in [one.id for one in await rescue.stalled(queue=manager, seconds=LONG)]
        await rescue.put_back(queue=manager, job=job.id, seconds=LONG)
        again, _ = await _taken(manager, queue)
        assert again.id == job.id, "it runs again"
        await rescue.put_back(queue=manager, job=job.id, seconds=LONG)

    _with(work)
    assert _jobs(queue) == ["doing"], "the second one had looked before it ran again"


@pytest.mark.parametrize("unregistered", [True, False])
def test_a_rescued_job_whose_like_waits_already_is_forgotten(queue: str, unregistered: bool) -> None:
    twin = uuid.uuid4().hex
    _put(queue, queueing=twin)

    async def work(app: App, manager: PatientManager) -> None:
        job, me = await _taken(manager, queue)
        assert job.id is not None
        await asyncio.to_thread(lambda: _put(queue, queueing=twin))
        if unregistered:
            await manager.unregister_worker(me)
        else:
            await asyncio.to_thread(_dies, me)
        assert job.id in [one.id for one in await rescue.stalled(queue=manager, seconds=LONG)]
        await rescue.put_back(queue=manager, job=job.id, seconds=LONG)

    _with(work)
    assert _jobs(queue) == ["todo"]
