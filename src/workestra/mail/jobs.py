"""Task bodies of a few lines: read the row, run the flow, write down how it ended.

Every task is idempotent and short-lived in effect: whatever a killed worker leaves behind is a stored page.
A task is never tried again by the queue: a twin may wait already, and the queue's own retry would collide with
it and leave the task running for ever. It asks the schedule to wake its connection instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from procrastinate.contrib.django import app

from workestra.graph.errors import GraphError
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail import dispatch
from workestra.mail.doors import backfills, grants, outcomes, ref, runs, schedule, slots
from workestra.mail.doors.ref import Ref
from workestra.mail.flows.failure import told
from workestra.mail.flows.history import history as run_history
from workestra.mail.flows.microsoft import NotConfigured
from workestra.mail.flows.pull import pull as run_pull
from workestra.mail.flows.readstate import tell as tell_read_state
from workestra.mail.flows.verify import verify as run_checks
from workestra.mail.flows.watch import watch as run_watch
from workestra.rules.retrying import Failure
from workestra.tenancy.rows import scope

log = structlog.get_logger("workestra.jobs")
AGAIN = timedelta(seconds=5)
WATCH_AGAIN = timedelta(minutes=5)
KINDS = {"pull": runs.LIVE, "history": ("backfill",), "watch": ("watch",), "check": schedule.CHECKS}


def _read(workspace: int, connection: int) -> Ref | None:
    with scope(workspace=workspace):
        return ref.read(connection=connection)


async def _run(workspace: int, connection: int, flow: Callable[[Ref], Awaitable[None]], name: str) -> None:
    structlog.contextvars.bind_contextvars(workspace=workspace, connection=connection, job=name)
    here: Ref | None = None
    try:
        here = await hop(lambda: _read(workspace, connection))
        if here is not None and here.state == "active":
            await flow(here)
    except asyncio.CancelledError:  # the worker is told to end: another one goes on
        await asyncio.shield(hop(lambda: _again(connection, name)))
        raise
    except (GraphError, NotConfigured) as problem:
        assert here is not None
        await _failed(here, name, problem)
    except Exception:
        log.exception("job.failed")  # a database away, a bug of ours: rows wait, work goes on
        await hop(lambda: _again(connection, name))
    finally:
        structlog.contextvars.clear_contextvars()


async def _failed(here: Ref, name: str, problem: GraphError | NotConfigured) -> None:
    """Write down what the failure means for the connection, its backfill and its mailbox."""
    failure = told(problem=problem)
    now = clock.now()
    log.warning("sync.failed", code=failure.code, **failure.detail)
    if failure.pause is not None:
        until = now + failure.pause
        await hop(lambda: runs.throttled(ref=here, kinds=KINDS.get(name, ()), now=now))
        await hop(lambda: slots.throttle(mailbox=here.mailbox, until=until))
        await hop(lambda: outcomes.postpone(ref=here, until=until))
        await hop(lambda: backfills.wait_all(ref=here, until=until))
        if name == "watch":
            await hop(lambda: schedule.watch_soon(connection_id=here.connection, at=until))
        return
    if name == "watch" and not failure.sign_in:
        await hop(lambda: _unwatched(here, failure))
        return
    if name == "check" and not failure.sign_in:
        await hop(lambda: _end(here, name, failure))
        return
    if name == "history" and not failure.sign_in:
        await hop(lambda: runs.stumbled(ref=here, code=failure.code, detail=failure.detail))
        at = await hop(lambda: backfills.stumble(ref=here, failure=failure, now=now))
        if at is not None:
            await hop(lambda: outcomes.postpone(ref=here, until=at))
        if failure.passing:
            return
    claims = getattr(problem, "claims", None)
    if failure.sign_in and claims:
        await hop(lambda: grants.remember_claims(workspace=here.workspace, connection=here.connection, claims=claims))
    kinds = KINDS.get(name, ()) if name != "history" else ()
    await hop(lambda: outcomes.fail(ref=here, failure=failure, kinds=kinds, now=now))


def _end(here: Ref, name: str, failure: Failure) -> None:
    with scope(workspace=here.workspace):
        runs.fail(ref=here, kinds=KINDS[name], code=failure.code, detail=failure.detail, now=clock.now())


def _unwatched(here: Ref, failure: Failure) -> None:
    _end(here, "watch", failure)
    schedule.watch_soon(connection_id=here.connection, at=clock.now() + WATCH_AGAIN)


def _again(connection: int, name: str) -> None:
    at = clock.now() + AGAIN
    if name == "watch":
        schedule.watch_soon(connection_id=connection, at=at)
    else:
        schedule.wake(connection_id=connection, at=at)


@app.task(name=dispatch.PULL)
async def pull(workspace: int, connection: int) -> None:
    """The live lane of a connection."""
    await _run(workspace, connection, lambda here: run_pull(ref=here), "pull")


@app.task(name=dispatch.HISTORY)
async def history(workspace: int, connection: int) -> None:
    """The backfill of a connection."""
    await _run(workspace, connection, lambda here: run_history(ref=here), "history")


@app.task(name=dispatch.WATCH)
async def watch(workspace: int, connection: int) -> None:
    """The subscriptions of a connection's mailbox."""
    await _run(workspace, connection, lambda here: run_watch(ref=here), "watch")


@app.task(name=dispatch.READ_STATE)
async def read_state(workspace: int, connection: int) -> None:
    """What was marked as read or unread here, and Outlook does not know yet."""
    await _run(workspace, connection, lambda here: tell_read_state(ref=here), "read_state")


@app.task(name=dispatch.CHECK)
async def check(workspace: int, connection: int) -> None:
    """Checks of the connection against Outlook that somebody asked for."""
    await _run(workspace, connection, lambda here: run_checks(ref=here), "check")
