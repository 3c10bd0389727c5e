"""The command line `workestra` (OPS 2).

Each command is a file of its own; Django and the settings are loaded by the command that needs them, so that
`--help` answers at once. Exit codes: see `problem.Code`.
"""

from __future__ import annotations

import json
import signal
import sys
from types import FrameType

from workestra.project.cli.problem import Problem


def main() -> None:
    """Run the command line. What goes wrong ends in words and an exit code, not in a traceback."""
    from workestra.project.cli.app import app
    from workestra.project.cli.database_words import told

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)
    try:
        app(prog_name="workestra")
    except Problem as problem:
        _fail(problem)
    except Exception as problem:
        known = told(problem=problem)
        if known is None:
            raise
        _fail(known)


def _fail(problem: Problem) -> None:
    """Words for the person; for a program that asked for JSON, an object on standard output as well."""
    if "--json" in sys.argv[1:]:
        print(json.dumps({"error": {"code": problem.code.name.lower(), "message": str(problem)}}, ensure_ascii=False))
    print(problem, file=sys.stderr)
    sys.exit(problem.code)


def _end(number: int, frame: FrameType | None) -> None:
    """In good order, so that an embedded server that nobody else uses is stopped."""
    raise SystemExit(128 + number)
