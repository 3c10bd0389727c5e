"""`workestra sync`: bring a mailbox up to date now."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from workestra.project.cli import mailbox as which
from workestra.project.cli import out, ready
from workestra.project.cli.out import AsJson
from workestra.project.cli.problem import Code, Problem

if TYPE_CHECKING:
    from workestra.mail.doors.connections import RunView


def sync(
    mailbox: which.Mailbox,
    workspace: which.Workspace = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait.")] = 600,
    as_json: AsJson = False,
) -> None:
    """Ask the worker for a delta sync of the mailbox, and say what it brought. Safe to repeat."""
    ready.django()
    connection = which.one(mailbox=mailbox, workspace=workspace)
    which.must_be_active(connection=connection)
    from workestra.kit import clock
    from workestra.mail.doors import connections, overview
    from workestra.tenancy.rows import scope

    with scope(workspace=connection.workspace_id):
        owner = overview.owner(of=connection)
        run = connections.sync_now(member=owner, connection_id=connection.id, now=clock.now())
    if run is None:
        raise Problem(f"{connection.address} was disconnected meanwhile.", code=Code.NOT_FOUND)
    if not wait:
        if as_json:
            out.emit({"run": run, "state": "queued", "mailbox": connection.address})
        else:
            typer.echo(f"Asked for; run {run}.")
        return
    deadline = time.monotonic() + timeout
    while True:
        with scope(workspace=connection.workspace_id):
            view = connections.sync_run(member=owner, run_id=run)
        if view is not None and view.state in ("done", "failed"):
            break
        if time.monotonic() > deadline:
            raise Problem("Not done in time; it goes on in the background. Does a worker run? See: workestra doctor")
        time.sleep(0.25)
    _tell(view, address=connection.address, as_json=as_json)


def _tell(view: RunView, *, address: str, as_json: bool) -> None:
    if as_json:
        out.emit(asdict(view) | {"mailbox": address})
    elif view.state == "done":
        typer.echo(f"{address}: {view.added} new, {view.changed} changed, {view.removed} removed.")
    else:
        typer.echo(f"{address}: the sync failed: {view.error_code} {view.error_detail}", err=True)
    if view.state == "failed":
        raise typer.Exit(Code.FAILED)
