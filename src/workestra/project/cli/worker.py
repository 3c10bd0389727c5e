"""`workestra worker`: the process that syncs."""

from __future__ import annotations

from typing import Annotated

import typer

from workestra.project.cli import ready


def worker(
    concurrency: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Jobs at once; default: WORKESTRA_WORKER_CONCURRENCY."),
    ] = None,
) -> None:
    """Sync mailboxes until SIGTERM or Ctrl-C. Start as many as you like, on as many machines as you like."""
    ready.stay()
    from workestra.project.worker import run

    run(concurrency=concurrency)
