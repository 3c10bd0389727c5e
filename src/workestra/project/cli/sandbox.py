"""`workestra sandbox`: the stand-in for Microsoft 365, a program of its own."""

from __future__ import annotations

import os
import sys

import typer


def sandbox(context: typer.Context) -> None:
    """Run the Microsoft 365 sandbox. Options are its own: workestra sandbox --help"""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "m365sandbox", *context.args])  # noqa: S606
