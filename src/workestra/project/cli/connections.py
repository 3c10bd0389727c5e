"""`workestra connections`: every connected mailbox and how it is doing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from workestra.project.cli import out, ready
from workestra.project.cli.out import AsJson

COLOURS = {"healthy": "green", "never": "blue", "stale": "yellow", "error": "red"}


def connections(as_json: AsJson = False) -> None:
    """List the connected mailboxes of all workspaces. With --json one document a line."""
    ready.django()
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
    from rich.table import Table

    table = Table("No.", "Mailbox", "Workspace", "Owner", "State", "Health", "Last success", "Arrives by", "Error")
    for row in rows:
        colour = COLOURS.get(row.health, "white")
        table.add_row(
            str(row.id),
            escape(row.address),
            escape(row.workspace),
            escape(row.owner),
            row.state,
            f"[{colour}]{row.health}[/]",
            _short(row.last_success_at),
            f"push until {_short(row.push_expires_at)}" if row.push == "push" else "schedule",
            escape(row.error_code),
        )
    console.print(table)


def _short(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if value else "-"
