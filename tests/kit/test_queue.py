"""Jobs commit with the rows that need them, or not at all (OPS 5)."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app

from workestra.kit.queue import enqueue
from workestra.mail import dispatch, jobs
from workestra.tenancy.models import Workspace


@pytest.fixture
def lock(db: None) -> str:
    """A queueing lock of this test's own."""
    return uuid.uuid4().hex


def _waiting(lock: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from procrastinate_jobs where queueing_lock = %s and status = 'todo'", [lock])
        return int(cursor.fetchone()[0])


def _put(lock: str) -> bool:
    return enqueue(task=dispatch.PULL, args={"workspace": 0, "connection": 0}, queueing_lock=lock)


def test_a_job_is_there_after_the_commit(lock: str) -> None:
    with transaction.atomic():
        assert _put(lock)
    assert _waiting(lock) == 1


def test_a_job_of_a_transaction_that_is_rolled_back_never_was(lock: str) -> None:
    with pytest.raises(LookupError), transaction.atomic():
        assert _put(lock)
        raise LookupError
    assert _waiting(lock) == 0


def test_an_equal_job_that_waits_already_does_not_cost_the_transaction(lock: str) -> None:
    assert _put(lock)
    with transaction.atomic():
        assert not _put(lock)
        kept = Workspace.objects.create(name="Kept")
        assert not _put(lock)
    assert Workspace.objects.filter(pk=kept.pk).exists()
    assert _waiting(lock) == 1


def test_every_name_that_may_be_enqueued_is_a_task() -> None:
    ours = (jobs.pull, jobs.history, jobs.watch, jobs.read_state, jobs.check)
    assert {one.name for one in ours} == set(dispatch.TASKS)
    assert set(dispatch.TASKS) <= set(app.tasks)
