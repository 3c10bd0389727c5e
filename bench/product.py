"""The product itself: one worker process backfills the feeder's mailbox through the same flows as in service.

Inside the clock: counting, cutting, every page asked for, decoded, compressed, threaded, indexed for search
and committed behind row-level security. The proof afterwards (comparing ids with Outlook's) downloads no
mail and is measured apart: see `proof_seconds` on standard error.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import time
from datetime import timedelta

from bench.contract import TOKEN, Result


def _prepare(feeder_url: str, database_url: str) -> None:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="workestra.project.settings",
        WORKESTRA_DATABASE_URL=database_url,
        WORKESTRA_SECRET_KEY="b" * 50,
        WORKESTRA_TOKEN_KEYS="k1:" + base64.b64encode(b"1" * 32).decode(),
        WORKESTRA_MICROSOFT_CLIENT_ID="bench",
        WORKESTRA_MICROSOFT_CLIENT_SECRET="bench",
        WORKESTRA_MICROSOFT_AUTHORITY=f"{feeder_url}/common",
        WORKESTRA_GRAPH_URL=f"{feeder_url}/v1.0",
        WORKESTRA_PUBLIC_URL="https://bench.example",
    )


def _migrate(database_url: str) -> None:
    from django.core.management import call_command
    from django.db import connection

    from workestra.project import postgres, roles

    role = "workestra_app"
    roles.ensure_role(url=database_url, role=role)
    mine = connection.settings_dict
    connection.settings_dict = {**mine, **postgres.database_settings(url=database_url, role=None)}
    call_command("migrate", verbosity=0)
    connection.close()
    roles.grant_rows(url=database_url, role=role)
    connection.settings_dict = mine


def run(*, feeder_url: str, database_url: str, page_size: int, messages: int) -> Result:
    """Backfill everything. `page_size` is the product's own: its largest page."""
    _prepare(feeder_url, database_url)
    import django

    django.setup()
    _migrate(database_url)
    from workestra.kit.memory import calm_collector  # as a worker does at its start

    calm_collector()
    from workestra.kit import clock
    from workestra.mail.doors import backfills, connecting, ref, runs
    from workestra.mail.doors.connecting import SignedIn
    from workestra.mail.doors.runs import Tally
    from workestra.mail.flows import history, streams, tree
    from workestra.mail.flows.logged import Account, Meter
    from workestra.mail.flows.microsoft import SCOPES, Counted, close, graph_for
    from workestra.tenancy.models import Role
    from workestra.tenancy.rows import scope
    from workestra.tenancy.seats import create_seat

    member = create_seat(email="a@bench.example", password=None, name="A", workspace="Bench", role=Role.OWNER)
    row = connecting.connect(
        member=member,
        signed_in=SignedIn(
            tenant_id="t",
            object_id="o",
            address="a@bench.example",
            name="A",
            personal=False,
            access=TOKEN,
            refresh="r",
            expires_at=clock.now() + timedelta(hours=1),
            scopes=SCOPES,
        ),
        reconnects=None,
        now=clock.now(),
    )
    with scope(workspace=member.workspace_id):
        backfills.begin(member=member, connection=row.pk, choice="all", now=clock.now())

    async def whole() -> tuple[float, float]:
        with scope(workspace=member.workspace_id):
            here = ref.read(connection=row.pk)
        assert here is not None
        meter = Meter(counted=Counted())
        graph = graph_for(workspace=here.workspace, connection=here.connection, counted=meter.counted)
        here = await tree.refresh(graph=graph, ref_=here)
        work = backfills.current(ref=here)
        assert work is not None
        backfills.start(ref=here, work=work, now=clock.now())
        run = runs.opened(ref=here, kind="backfill", why="person", started=clock.now(), backfill=work.id)
        account = Account(here, run, meter, Tally())
        begun, cpu = time.perf_counter(), time.process_time()
        await history.plan_range(graph=graph, ref=here, work=work)
        await streams.pull_range(graph=graph, ref=here, work=work, came=account.came)
        pulled = time.perf_counter()
        print(f"worker_cpu_seconds={time.process_time() - cpu:.2f}", file=sys.stderr)
        backfills.to_phase(ref=here, work=work, was="pull", phase="prove")
        await history.prove_range(graph=graph, ref=here, work=work, account=account)
        backfills.finish(ref=here, work=work, now=clock.now())
        proven = time.perf_counter()
        await close()
        return pulled - begun, proven - pulled

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    seconds, proof = asyncio.run(whole())
    from django.db import connection

    with scope(workspace=member.workspace_id), connection.cursor() as cursor:
        cursor.execute("select count(*), count(search), count(distinct thread_id) from mail_message")
        stored, searchable, threads = cursor.fetchone()
    if not stored == searchable == messages:
        raise SystemExit(f"stored {stored}, searchable {searchable}, expected {messages}")
    print(f"proof_seconds={proof:.2f} threads={threads}", file=sys.stderr)
    return Result(seconds=seconds, messages=stored)
