"""`workestra preflight`: for `serve` and `web`, whose own processes do not load Django."""

from __future__ import annotations

import os
import subprocess
import sys

import typer

from workestra.project.cli import ready

CHECKED = "_WORKESTRA_CHECKED"


def preflight() -> None:
    """Say whether web and worker could start on this database."""
    ready.stay()


def must_succeed() -> None:
    """Run it in a process of its own, once: processes that are started later know of it.

    Raises:
        typer.Exit: with its exit code; it has said why.
    """
    if os.environ.get(CHECKED):
        return
    done = subprocess.run([sys.executable, "-m", "workestra.project.cli", "preflight"], check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    os.environ[CHECKED] = "1"
