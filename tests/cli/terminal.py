"""A terminal: the program run as people run it, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = [sys.executable, "-m", "workestra.project.cli"]


def clean_environment(*, home: Path, **more: str) -> dict[str, str]:
    """This process's environment without settings of Workestra's, and the given ones."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("WORKESTRA_", "_WORKESTRA_"))}
    return plain | {"WORKESTRA_HOME": str(home)} | more


def workestra(*arguments: str, env: Mapping[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments], env=dict(env), input=stdin, capture_output=True, text=True, check=False, timeout=120
    )
