"""Looking after a mailbox's subscriptions: make, renew, reauthorise, make anew (SYN 1, 3, 4).

Only a personal connection is watched, and only where Microsoft can reach this server. A subscription made
anew may have missed changes, so a delta sync follows.
"""

from __future__ import annotations

import contextlib
import secrets
from datetime import timedelta

import structlog
from django.conf import settings
from django.urls import reverse

from workestra.graph import subscriptions
from workestra.graph.client import Graph
from workestra.graph.errors import AccessDenied, AlreadySubscribed, Gone, HandshakeFailed, LifeTooLong, Refused
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.kit.live import announce
from workestra.mail import dispatch
from workestra.mail.doors import schedule, watches
from workestra.mail.doors.ref import Ref
from workestra.mail.doors.watches import Row
from workestra.mail.flows.lane import lane
from workestra.mail.flows.microsoft import graph_for
from workestra.rules.watching import HANDSHAKE, Action, action
from workestra.tenancy.rows import scope

log = structlog.get_logger("workestra.watch")


async def watch(*, ref: Ref) -> None:
    """Do what each subscription of the connection's mailbox needs. Raises GraphError."""
    if ref.kind != "personal" or ref.state != "active" or not watches.push_possible():
        return
    graph = graph_for(workspace=ref.workspace, connection=ref.connection)
    anew = False
    for row in await hop(lambda: watches.rows(mailbox=ref.mailbox)):
        what = action(watched=row.watched, now=clock.now())
        if what is Action.RENEW and row.graph_id is not None:
            try:
                await _renew(graph, ref, row, row.graph_id)
                continue
            except Gone:
                await hop(lambda row=row: watches.gone(row=row.id))  # type: ignore[misc]
                what = Action.CREATE
        if what is Action.CREATE:
            anew = await _create(graph, ref, row) or anew
    if anew:
        await hop(lambda: _catch_up(ref))


async def _renew(graph: Graph, ref: Ref, row: Row, graph_id: str) -> None:
    async with lane(ref=ref):
        answer = await subscriptions.renew(graph, subscription_id=graph_id, expires_at=clock.now() + _life())
    until = answer.expiration_date_time or clock.now() + timedelta(hours=1)
    await hop(
        lambda: watches.renewed(
            row=row.id, expires_at=until, workspace=ref.workspace, connection=ref.connection, now=clock.now()
        )
    )


def _life() -> timedelta:
    return timedelta(days=settings.WORKESTRA.subscription_days)


async def _create(graph: Graph, ref: Ref, row: Row, *, minutes: int | None = None, again: bool = True) -> bool:
    """Make a subscription. A twin that Graph already has (a worker died before it wrote the answer down) has a
    secret that nobody knows: it is ended and made anew."""
    secret = secrets.token_urlsafe(48)
    await hop(lambda: watches.before_create(row=row.id, secret=secret))
    url = settings.WORKESTRA.public_url + reverse("mail:graph-notices")
    life = timedelta(minutes=minutes) if minutes else _life()
    try:
        answer = await subscriptions.create(
            graph,
            resource=subscriptions.folder_resource(folder=row.resource),
            notification_url=url,
            lifecycle_url=url,
            client_state=secret,
            expires_at=clock.now() + life,
        )
    except AlreadySubscribed as twin:
        if not again:
            await hop(lambda: watches.refused(row=row.id, code="twin", now=clock.now()))
            return False
        await _end_twin(graph, row, twin)
        return await _create(graph, ref, row, again=False)
    except LifeTooLong as cap:
        if minutes is not None or cap.minutes < 60:
            raise
        return await _create(graph, ref, row, minutes=cap.minutes - 30, again=again)
    except (Refused, AccessDenied) as problem:
        code = HANDSHAKE if isinstance(problem, HandshakeFailed) else problem.code or "refused"
        log.warning("watch.refused", connection=ref.connection, code=code, message=problem.message)
        await hop(lambda: watches.refused(row=row.id, code=code, now=clock.now()))
        await hop(lambda: _tell(ref))
        return False
    until = answer.expiration_date_time or clock.now() + timedelta(hours=1)
    mine = await hop(
        lambda: watches.created(
            row=row.id,
            secret=secret,
            graph_id=answer.id,
            expires_at=until,
            workspace=ref.workspace,
            connection=ref.connection,
            now=clock.now(),
        )
    )
    if not mine:
        with contextlib.suppress(Gone):
            await subscriptions.delete(graph, subscription_id=answer.id)
    return mine


async def _end_twin(graph: Graph, row: Row, twin: AlreadySubscribed) -> None:
    wanted = subscriptions.folder_resource(folder=row.resource).lower()
    some = [twin.existing_id] if twin.existing_id else []
    if not some:
        listed = await subscriptions.list_all(graph)
        some = [one.id for one in listed if (one.resource or "").lower().endswith(wanted)]
    for one in some:
        with contextlib.suppress(Gone):
            await subscriptions.delete(graph, subscription_id=one)


def _catch_up(ref: Ref) -> None:
    with scope(workspace=ref.workspace):
        schedule.want(workspace=ref.workspace, connection=ref.connection, kind="light", now=clock.now(), why="missed")
        dispatch.pull(workspace=ref.workspace, connection=ref.connection, urgent=True)
    _tell(ref)


def _tell(ref: Ref) -> None:
    with scope(workspace=ref.workspace):
        announce(workspace=ref.workspace, topic=f"connection:{ref.connection}")
