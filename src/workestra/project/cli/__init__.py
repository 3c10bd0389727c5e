"""The command line `workestra` (OPS 2).

Each command is a file of its own; Django and the settings are loaded by the command that needs them, so that
`--help` answers at once. Exit codes: see `problem.Code`.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. What goes wrong ends in words and an exit code, not in a traceback."""
    from workestra.project.cli.app import app
    from workestra.project.cli.problem import Problem, told

    try:
        app(prog_name="workestra")
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(problem.code)
    except Exception as problem:
        known = told(problem=problem)
        if known is None:
            raise
        print(known, file=sys.stderr)
        sys.exit(known.code)
