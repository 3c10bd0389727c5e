"""What commands print: tables and bars for people, one JSON document a line for programs."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def console(*, no_color: bool = False, stderr: bool = False) -> Console:
    """A console; without colour where the output is no terminal or NO_COLOR is set."""
    return Console(no_color=no_color or None, stderr=stderr, highlight=False, soft_wrap=True)


def emit(value: Any) -> None:
    """One JSON document on a line of standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def moment(value: datetime | None) -> str | None:
    """A time as Graph writes it: UTC, with a Z."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    return str(value)
