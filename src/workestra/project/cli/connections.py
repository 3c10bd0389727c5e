"""`workestra connections`: every connected mailbox and how it is doing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from workestra.project.cli import out, ready
from workestra.project.cli.out import AsJson

if TYPE_CHECKING:
    from workestra.mail.doors.logbook import LogRow

COLOURS = {"healthy": "green", "never": "blue", "stale": "yellow", "error": "red"}


def connections(
    log: Annotated[
        str, typer.Option("--log", metavar="MAILBOX", help="The sync log of this mailbox instead, newest first.")
    ] = "",
    most: Annotated[int, typer.Option("--most", min=1, max=5000, help="Rows of the log.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the connected mailboxes of all workspaces, or the sync log of one. With --json one document a line."""
    ready.django()
    if log:
        _log(log, most=most, as_json=as_json)
        return
    from workestra.kit import clock
    from workestra.mail.doors import overview

    rows = overview.connections(now=clock.now())
    if as_json:
        for row in rows:
            out.emit(asdict(row))
        return
    console = out.console()
    if not rows:
        console.print("No mailbox is connected yet.")
        return
    from rich.markup import escape

    width = max(len(row.address) for row in rows)
    for row in rows:
        arrives = f"push until {_short(row.push_expires_at)}" if row.push == "push" else "by schedule"
        health = f"[{COLOURS.get(row.health, 'white')}]{row.health:8}[/]"
        when = f"last success {_short(row.last_success_at)}, {arrives}"
        console.print(f"{row.id:>4}  {escape(row.address):{width}}  {health}  {when}")
        console.print(
            f"      {escape(row.workspace)}, {escape(row.owner)}, {row.state} {escape(row.error_code)}".rstrip()
        )


def _short(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if value else "never"


def _log(mailbox: str, *, most: int, as_json: bool) -> None:
    from workestra.mail.doors import logbook, overview
    from workestra.project.cli import mailbox as which
    from workestra.tenancy.rows import scope

    connection = which.one(mailbox=mailbox)
    with scope(workspace=connection.workspace_id):
        owner = overview.owner(of=connection)
        rows = logbook.log(member=owner, connection_id=connection.id, size=most)
    if as_json:
        for row in rows:
            out.emit(asdict(row) | {"mailbox": connection.address})
        return
    console = out.console()
    from rich.markup import escape

    for row in rows:
        console.print(f"{_short(row.created_at)}  {row.kind:8} {row.why:9} {row.state:7} {escape(_brought(row))}")
    if not rows:
        console.print("Nothing ran yet.")


def _brought(row: LogRow) -> str:
    text = f"{row.seconds:.1f} s, {row.requests} requests"
    text += f" ({row.batched} in batches)" if row.batched else ""
    text += f", waited {row.throttled_seconds:.0f} s for Microsoft" if row.throttled_seconds >= 1 else ""
    text += f"; {row.added} new, {row.changed} changed, {row.removed} removed"
    request = row.error_detail.get("request_id", "")
    return text + (f"; {row.error_code} {request}".rstrip() if row.error_code else "")
