"""The worker process: runs jobs, and every second looks at what is due (OPS 5).

Any number of workers may run on any number of machines: what is due is claimed by conditional updates, jobs
by locks. A worker that dies is missed after some seconds, and its jobs run again from their last stored page; one
that lost its connection at the end of a job ends it again, or begins anew so that it is missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal

import structlog
from django.conf import settings
from procrastinate import App
from procrastinate.contrib.django import app as django_app
from procrastinate.jobs import DeleteJobCondition
from procrastinate.psycopg_connector import PsycopgConnector

from workestra.kit import clock, rescue
from workestra.kit.hop import hop
from workestra.kit.live import conninfo
from workestra.kit.memory import calm_collector
from workestra.kit.rescue import PatientManager
from workestra.mail.doors import schedule
from workestra.mail.flows import microsoft
from workestra.project.logs import OUTAGES, in_a_line
from workestra.project.postgres import POOL

log = structlog.get_logger("workestra.worker")

HEARTBEAT = 2.0
STALLED_AFTER = 8.0
TICK = 1.0
NOTICES = 0.15
PAUSE = 3


def run(*, concurrency: int | None = None) -> None:
    """Work until SIGTERM or SIGINT."""
    calm_collector()
    asyncio.run(_run(concurrency or settings.WORKESTRA.worker_concurrency))


async def _run(concurrency: int) -> None:
    stop = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    while not stop.is_set():
        try:
            await _work(concurrency, stop)
        except Exception as problem:
            # The database went away, or something else that a fresh start may heal: nothing is lost by it.
            what = "worker.database_away" if type(problem).__name__ in OUTAGES else "worker.interrupted"
            log.error(what, problem=type(problem).__name__, text=in_a_line(problem), again_in=PAUSE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE)
    await microsoft.close()


async def _work(concurrency: int, stop: asyncio.Event) -> None:
    app, queue = patient_app()
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                fetch_job_polling_interval=0.5,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=STALLED_AFTER,
                shutdown_graceful_timeout=3,
                delete_jobs=DeleteJobCondition.SUCCESSFUL,
            )
        )
        stewards = [
            asyncio.create_task(_every(TICK, lambda: hop(lambda: schedule.tick(now=clock.now())))),
            asyncio.create_task(_every(NOTICES, lambda: hop(lambda: schedule.hand_out_notices(now=clock.now())))),
            asyncio.create_task(_every(STALLED_AFTER / 2, lambda: _rescue(app))),
        ]
        ends = [asyncio.create_task(one.wait()) for one in (stop, queue.lost)]
        try:
            done, _ = await asyncio.wait([worker, *ends, *stewards], return_when=asyncio.FIRST_COMPLETED)
            for task in done - set(ends):
                task.result()
        finally:
            for task in (*stewards, *ends):
                task.cancel()
            worker.cancel()
            await asyncio.gather(worker, *ends, *stewards, return_exceptions=True)


def patient_app() -> tuple[App, PatientManager]:
    """The queue with connections of a worker's own, and the manager that ends its jobs."""
    database = conninfo(settings=settings.DATABASES["default"])
    app: App = django_app.with_connector(PsycopgConnector(conninfo=database, min_size=0, max_size=4, **POOL))
    app.job_manager = queue = PatientManager(app.job_manager.connector)
    return app, queue


async def _every(seconds: float, work) -> None:  # type: ignore[no-untyped-def]
    while True:
        await work()
        await asyncio.sleep(seconds)


async def _rescue(app: App) -> None:
    """Run the jobs of workers that died again."""
    queue = app.job_manager
    for job in await rescue.stalled(queue=queue, seconds=STALLED_AFTER):
        log.warning("worker.rescue", task=job.task, job=job.id)
        await rescue.put_back(queue=queue, job=job.id, seconds=STALLED_AFTER)
