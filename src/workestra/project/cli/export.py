"""`workestra export`: the stored mail of a mailbox."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from workestra.project.cli import mailbox as which
from workestra.project.cli import ready
from workestra.project.cli.problem import Code, Problem


def export(
    mailbox: which.Mailbox,
    form: Annotated[str, typer.Option("--format", help="jsonl: one JSON document a line.")] = "jsonl",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write, for its owner's eyes; default: the terminal."),
    ] = None,
    workspace: which.Workspace = "",
) -> None:
    """Write the mailbox's stored messages: ids, folder, people, dates, state and a digest of each body."""
    if form != "jsonl":
        raise Problem("--format is: jsonl", code=Code.USAGE)
    ready.django()
    connection = which.one(mailbox=mailbox, workspace=workspace)
    import msgspec

    from workestra.mail.doors import export as door

    encoder = msgspec.json.Encoder()
    count = 0
    try:
        with _target(output) as target:
            for line in door.lines(workspace=connection.workspace_id, connection=connection.id):
                target.write(encoder.encode(line))
                target.write(b"\n")
                count += 1
            target.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: no complaint at exit
        raise typer.Exit(Code.FAILED) from None
    typer.echo(f"{count} messages of {connection.address}.", err=True)


@contextlib.contextmanager
def _target(path: Path | None) -> Iterator[BinaryIO]:
    """The file, which appears under its name once it is whole, or standard output."""
    if path is None:
        yield sys.stdout.buffer
        return
    part = path.with_name(path.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        part.replace(path)
    except OSError as problem:
        raise Problem(f"{path} cannot be written: {problem.strerror or problem}") from None
    finally:
        part.unlink(missing_ok=True)
