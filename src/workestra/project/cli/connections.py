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
