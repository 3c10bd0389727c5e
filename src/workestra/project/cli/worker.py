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
    assist: Annotated[
        bool,
        typer.Option("--assist", help="Only lend a hand to backfills that another worker leads: uses a second core."),
    ] = False,
) -> None:
    """Sync mailboxes until SIGTERM or Ctrl-C. Start as many as you like, on as many machines as you like."""
    ready.stay()
    from workestra.project.worker import run

    run(concurrency=concurrency, assist=assist)
