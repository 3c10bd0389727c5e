"""`workestra backfill`: pull the history of a mailbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from workestra.project.cli import mailbox as which
from workestra.project.cli import out, ready
from workestra.project.cli.out import AsJson
from workestra.project.cli.problem import Code, Problem

if TYPE_CHECKING:
    from workestra.mail.doors.cards import BackfillCard
    from workestra.mail.doors.overview import Overview

RANGES = ("30d", "90d", "12m", "all")
ENDED = ("done", "cancelled", "failed")


def backfill(
    mailbox: which.Mailbox,
    span: Annotated[str, typer.Option("--range", help="30d, 90d, 12m or all.")],
    workspace: which.Workspace = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it ends, with a bar.")] = False,
    as_json: AsJson = False,
) -> None:
    """Pull the mailbox's mail of that range, newest first. What is here already is not pulled again."""
    if span not in RANGES:
        raise Problem(f"--range is one of: {', '.join(RANGES)}", code=Code.USAGE)
    ready.django()
    connection = which.one(mailbox=mailbox, workspace=workspace)
    which.must_be_active(connection=connection)
    from workestra.kit import clock
    from workestra.mail.doors import connections, overview
    from workestra.tenancy.rows import scope

    with scope(workspace=connection.workspace_id):
        owner = overview.owner(of=connection)
        begun = connections.start_backfill(member=owner, connection_id=connection.id, choice=span, now=clock.now())
    if begun is None:
        raise Problem(f"{connection.address} was disconnected meanwhile.", code=Code.NOT_FOUND)
    if not wait:
        if as_json:
            out.emit({"backfill": begun.pk, "range": begun.choice, "state": begun.state})
        else:
            typer.echo(f"Pulling {begun.choice} of {connection.address} in the background.")
        return
    try:
        last = _follow(connection, bar=not as_json)
    except KeyboardInterrupt:
        typer.echo("It goes on in the background.", err=True)
        raise typer.Exit(Code.INTERRUPTED) from None
    _tell(last, address=connection.address, as_json=as_json)


def _cards(connection: Overview) -> Iterator[BackfillCard]:
    """The backfill as it stands, every half second, until it ends. A person who signs in again lets it go on."""
    from workestra.kit import clock
    from workestra.mail.doors import overview, queries
    from workestra.tenancy.rows import scope

    while True:
        with scope(workspace=connection.workspace_id):
            owner = overview.owner(of=connection)
            card = queries.connection_card(member=owner, connection_id=connection.id, now=clock.now())
        if card is None or card.backfill is None:
            raise Problem("The backfill's card was put away in the browser; it goes on in the background.")
        yield card.backfill
        if card.backfill.state in ENDED:
            return
        time.sleep(0.5)


def _follow(connection: Overview, *, bar: bool) -> BackfillCard:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    last: BackfillCard | None = None
    with Progress(*columns, console=out.console(stderr=True), disable=not bar) as progress:
        task = progress.add_task(connection.address, total=None)
        for last in _cards(connection):
            progress.update(task, description=_words(connection, last), completed=last.pulled, total=last.estimate)
    assert last is not None
    return last


def _words(connection: Overview, card: BackfillCard) -> str:
    if card.state == "waiting" and card.waiting_until:
        return f"{connection.address}: Microsoft asks to wait until {card.waiting_until:%H:%M:%S} UTC"
    if card.state == "held":
        return f"{connection.address}: its owner has to sign in again"
    if card.checking:
        return f"{connection.address}: comparing ids with Outlook's"
    return f"{connection.address}: {card.state}"


def _tell(card: BackfillCard, *, address: str, as_json: bool) -> None:
    if as_json:
        out.emit(asdict(card) | {"mailbox": address})
    else:
        typer.echo(f"{address}: {card.state}, {card.pulled} messages pulled.")
    if card.state != "done":
        raise typer.Exit(Code.FAILED)
