"""Which connection a person at the terminal means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workestra.project.cli.problem import Code, Problem

if TYPE_CHECKING:
    from workestra.mail.doors.overview import Overview

Mailbox = Annotated[str, typer.Argument(help="Address of a connected mailbox, or its number in `connections`.")]
Workspace = Annotated[str, typer.Option(help="Name of the workspace, where several have connected the mailbox.")]


def one(*, mailbox: str, workspace: str = "") -> Overview:
    """The connection that is meant. Django is ready.

    Raises:
        Problem: none, or more than one.
    """
    from workestra.kit import clock
    from workestra.mail.doors import overview

    found = overview.find(mailbox=mailbox, now=clock.now())
    if workspace:
        found = [each for each in found if each.workspace == workspace]
    if not found:
        raise Problem(f"No connected mailbox is called {mailbox}. See: workestra connections", code=Code.NOT_FOUND)
    if len(found) > 1:
        some = "\n".join(f"  {each.id}  {each.address}  in {each.workspace}" for each in found)
        raise Problem(
            f"Several workspaces have connected {mailbox}; name one by its number:\n{some}", code=Code.USAGE
        )
    return found[0]


def must_be_active(*, connection: Overview) -> None:
    """Raises Problem where nothing would sync."""
    if not connection.active:
        why = {
            "sign_in": "Microsoft wants its owner to sign in again: Settings > Integrations > Outlook > Reconnect",
            "disconnected": "it is disconnected: connect it again in Settings > Integrations > Outlook",
        }.get(connection.state, connection.state)
        raise Problem(f"{connection.address} does not sync: {why} ({connection.owner}).")
