"""`workestra verify`: a mailbox against the store, folder by folder, id by id."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from workestra.project.cli import mailbox as which
from workestra.project.cli import out, ready
from workestra.project.cli.out import AsJson
from workestra.project.cli.problem import Code, Problem

if TYPE_CHECKING:
    from workestra.mail.doors.logbook import CheckView, FolderProof
    from workestra.mail.doors.overview import Overview
    from workestra.mail.doors.ref import Ref

DIFFERS = 1
COULD_NOT = 2


def verify(
    mailbox: which.Mailbox,
    repair: Annotated[bool, typer.Option("--repair", help="Read what differs from Outlook again.")] = False,
    bodies: Annotated[bool, typer.Option("--bodies", help="Compare the body of every message, too.")] = False,
    workspace: which.Workspace = "",
    as_json: AsJson = False,
) -> None:
    """Compare the mailbox with what is stored of it. Nothing is ever changed at Microsoft.

    Per folder: messages that Outlook has and that we held, missing here, too many here, and different in folder,
    read state, flag, categories or, with --bodies, content. Exit code: 0 equal, 1 it differs, 2 it could not be
    compared, or not all of it because Microsoft does not let us read a folder.
    """
    ready.django()
    connection = which.one(mailbox=mailbox, workspace=workspace)
    if not connection.active:
        _could_not(connection, f"it does not sync: {connection.state} {connection.error_code}".rstrip(), as_json)
    from workestra.kit import clock
    from workestra.mail.doors import runs
    from workestra.tenancy.rows import scope

    with scope(workspace=connection.workspace_id):
        run = runs.ask_check(
            workspace=connection.workspace_id,
            connection=connection.id,
            repair=repair,
            bodies=bodies,
            member=None,
            now=clock.now(),
        )
    failure = _compare(connection, run, bar=not as_json)
    if failure:
        _could_not(connection, failure, as_json)
    view = _view(connection, run)
    _tell(view, address=connection.address, as_json=as_json)
    if not view.run.equal:
        raise typer.Exit(DIFFERS if view.left else COULD_NOT)


def _compare(connection: Overview, run: int, *, bar: bool) -> str:
    """Do it here, with a bar. Why it could not be done, in words; "" where it was."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    ended = threading.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out.console(stderr=True), disable=not bar) as progress:
        task = progress.add_task(connection.address, total=None)

        def watch() -> None:
            from django.db import connections

            while not ended.wait(0.5):
                view = _view(connection, run)
                progress.update(task, completed=view.run.compared, total=max(view.total, view.run.compared))
            connections.close_all()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            return asyncio.run(_work(connection, run))
        except KeyboardInterrupt:
            _end(connection, run, code="interrupted")
            raise
        finally:
            ended.set()
            watcher.join()


async def _work(connection: Overview, run: int) -> str:
    from workestra.graph.errors import GraphError, Throttled
    from workestra.kit import clock
    from workestra.kit.hop import hop
    from workestra.mail.doors import runs
    from workestra.mail.doors.schedule import CHECKS
    from workestra.mail.flows import microsoft
    from workestra.mail.flows.failure import told
    from workestra.mail.flows.microsoft import NotConfigured
    from workestra.mail.flows.verify import verify as compare

    here = await hop(lambda: _ref(connection))
    try:
        while True:
            try:
                await compare(ref=here, only=run)
                return ""
            except Throttled as problem:
                pause = told(problem=problem).pause
                await hop(lambda: runs.throttled(ref=here, kinds=CHECKS, now=clock.now()))
                await asyncio.sleep(pause.total_seconds() if pause else 1)
    except (GraphError, NotConfigured) as problem:
        failure = told(problem=problem)
        await hop(lambda: _end(connection, run, code=failure.code, detail=failure.detail))
        said = failure.detail.get("microsoft_code") or ""
        return f"{failure.code} {said} {failure.detail.get('request_id') or ''}".rstrip()
    finally:
        await microsoft.close()


def _ref(connection: Overview) -> Ref:
    from workestra.mail.doors import ref
    from workestra.tenancy.rows import scope

    with scope(workspace=connection.workspace_id):
        here = ref.read(connection=connection.id)
    if here is None:
        raise Problem(f"{connection.address} was disconnected meanwhile.", code=Code.NOT_FOUND)
    return here


def _end(connection: Overview, run: int, *, code: str, detail: dict[str, object] | None = None) -> None:
    from workestra.kit import clock
    from workestra.mail.doors import runs
    from workestra.tenancy.rows import scope

    with scope(workspace=connection.workspace_id):
        runs.fail_one(run=run, code=code, detail=detail or {}, now=clock.now())


def _view(connection: Overview, run: int) -> CheckView:
    from workestra.mail.doors import logbook
    from workestra.tenancy.rows import scope

    with scope(workspace=connection.workspace_id):
        return logbook.check(run=run)


def _tell(view: CheckView, *, address: str, as_json: bool) -> None:
    if as_json:
        for one in view.folders:
            out.emit(_document(one) | {"mailbox": address})
        cost = {"requests": view.run.requests, "batched": view.run.batched, "seconds": round(view.run.seconds, 3)}
        equal = False if view.left else view.run.equal or None  # what could not be read is neither
        verdict = {"equal": equal, "refused": list(view.refused)}
        out.emit({"mailbox": address, **verdict, "run": view.run.id, **cost})
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("Folder", "Outlook", "held", "missing", "surplus", "different", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in view.folders:
        figures = (one.outlook, one.held, one.missing, one.surplus, one.different)
        table.add_row(escape(one.name), *(f"{figure:,}" for figure in figures))
    console = out.console()
    console.print(table)
    differences = sum(one.differences for one in view.folders)
    if view.refused and not view.run.equal:
        names = escape(", ".join(view.refused))
        console.print(f"Not compared, because Microsoft does not let us read it just now: {names}.")
    if not differences and not view.run.equal:
        console.print(f"{address}: no differences in what was compared.")
    elif not differences:
        console.print(f"{address}: equal.")
    elif view.repair and view.run.equal:
        console.print(f"{address}: {differences} differences, all repaired. Now equal.")
    elif view.repair:
        console.print(f"{address}: {differences} differences, {view.left} of them are still there.")
        if view.asks:
            console.print(
                f"Outlook does not have {view.asks} messages any more. That is most of a folder, so they stay until"
                " the mailbox's owner agrees: Settings > Integrations > Outlook, Check and sync log."
            )
    else:
        console.print(f"{address}: {differences} differences. To repair them: workestra verify {address} --repair")


def _document(one: FolderProof) -> dict[str, object]:
    return {key: value for key, value in asdict(one).items() if key not in ("at", "since")} | {
        "since": out.moment(one.since)
    }


def _could_not(connection: Overview, why: str, as_json: bool) -> NoReturn:
    if as_json:
        out.emit({"mailbox": connection.address, "equal": None, "error": why})
    typer.echo(f"{connection.address} could not be compared: {why}", err=True)
    raise typer.Exit(COULD_NOT)
