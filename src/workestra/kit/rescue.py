"""How jobs end, and how the jobs of workers that died come back: each once, whatever happens to a connection.

The queue's own statements ask for a job's id alone. A connection that breaks while a job is put away would leave it
"doing" for ever under a worker that lives, and nothing that shares its lock would run; a worker that was thought
dead would end the job of its successor. Here both name the worker whose job it is, and may be repeated.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog
from procrastinate import jobs, manager
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation

PATIENCE = 6.0  # seconds
PAUSE = 0.2

log = structlog.get_logger("workestra.rescue")

FINISH = """
with mine as (
    select id from procrastinate_jobs where id = %(job)s and status = 'doing' and worker_id = %(worker)s for update
) select procrastinate_finish_job_v1(id, %(status)s, %(delete)s) from mine
"""
STALLED = """
select j.id, j.task_name from procrastinate_jobs j left join procrastinate_workers w on w.id = j.worker_id
where j.status = 'doing' and (w.id is null or w.last_heartbeat not between
    now() - make_interval(secs => %(seconds)s) and now() + make_interval(secs => %(seconds)s))
order by j.id
"""
# Of several rescuers one meets the job; the others, and those who looked before, find it taken again and leave it.
OF_THE_DEAD = """
with mine as (
    select j.id from procrastinate_jobs j
    where j.id = %(job)s and j.status = 'doing' and not exists (
        select 1 from procrastinate_workers w where w.id = j.worker_id
        and w.last_heartbeat between
            now() - make_interval(secs => %(seconds)s) and now() + make_interval(secs => %(seconds)s))
    for update of j skip locked
)
"""
PUT_BACK = OF_THE_DEAD + "select procrastinate_retry_job_v2(id, now(), null, null, null) from mine"  # noqa: S608
FORGET = OF_THE_DEAD + "select procrastinate_finish_job_v1(id, 'failed', true) from mine"  # noqa: S608


class PatientManager(manager.JobManager):
    """Ends a job even if the database has to be asked again. `lost`: one could not be ended in time; the worker has
    to begin anew, so that its jobs are missed.
    """

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self.lost = asyncio.Event()

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        """End this worker's job. Raises ConnectorException: the database stayed away."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                await self.connector.execute_query_all_async(
                    FINISH, job=job.id, worker=job.worker_id, status=status.value, delete=delete_job
                )
                return
            except ConnectorException:
                if time.monotonic() >= until:
                    self.lost.set()
                    raise
                log.warning("job.ended_again", task=job.task_name, job=job.id)
                await asyncio.sleep(PAUSE)


@dataclass(frozen=True, slots=True)
class Stalled:
    """A job of a worker that is not there any more."""

    id: int
    task: str


async def stalled(*, queue: manager.JobManager, seconds: float) -> list[Stalled]:
    """The jobs of workers that have not been heard of for so long."""
    rows = await queue.connector.execute_query_all_async(STALLED, seconds=seconds)
    return [Stalled(id=row["id"], task=row["task_name"]) for row in rows]


async def put_back(*, queue: manager.JobManager, job: int, seconds: float) -> None:
    """Let the job run again, if its worker is dead still; one whose like waits already is forgotten."""
    try:
        await queue.connector.execute_query_all_async(PUT_BACK, job=job, seconds=seconds)
    except UniqueViolation:  # an equal one waits already and does the same work
        await queue.connector.execute_query_all_async(FORGET, job=job, seconds=seconds)
