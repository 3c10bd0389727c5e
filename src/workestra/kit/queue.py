"""Putting work into the queue, in the very transaction that makes it necessary (OPS 5).

Procrastinate's own `defer` uses the worker's connection and survives a rollback; this one rides on Django's
connection, so that rows and jobs commit together or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from procrastinate import jobs, manager
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued


def enqueue(
    *,
    task: str,
    args: Mapping[str, Any],
    queueing_lock: str | None = None,
    lock: str | None = None,
    priority: int = 0,
    at: datetime | None = None,
    queue: str = "default",
) -> bool:
    """Enqueue one job. False: an equal one (same `queueing_lock`) already waits, which is as good.

    The savepoint keeps a collision of queueing locks from killing the caller's transaction.
    """
    job = jobs.Job(
        id=None,
        queue=queue,
        lock=lock,
        queueing_lock=queueing_lock,
        task_name=task,
        priority=priority,
        task_kwargs=dict(args),
        scheduled_at=at,
    )
    try:
        with transaction.atomic():
            manager.JobManager(DjangoConnector(alias="default")).defer_job(job)
    except AlreadyEnqueued:
        return False
    return True
