"""Settings that cannot be used stop the start with their names and examples, never with a traceback (OPS 1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.terminal import clean_environment, workestra

GOOD = {"WORKESTRA_SECRET_KEY": "s" * 50, "WORKESTRA_TOKEN_KEYS": "k1:" + "A" * 43 + "="}


def test_missing_settings_are_named_with_examples(tmp_path: Path) -> None:
    done = workestra("migrate", env=clean_environment(home=tmp_path))
    assert done.returncode == 2
    assert "WORKESTRA_SECRET_KEY is not set. Example: WORKESTRA_SECRET_KEY=" in done.stderr
    assert "WORKESTRA_TOKEN_KEYS is not set." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKESTRA_TOKEN_KEYS", "k1:short"),
        ("WORKESTRA_SECRET_KEY", "too short"),
        ("WORKESTRA_PUBLIC_URL", "mail.example.com"),
        ("WORKESTRA_GRAPH_URL", "http://graph.example.com/v1.0"),
        ("WORKESTRA_DATABASE_URL", "mysql://somewhere/else"),
        ("WORKESTRA_CA_BUNDLE", "/nowhere/ca.pem"),
        ("WORKESTRA_LIGHT_SYNC_MINUTES", "often"),
    ],
)
def test_a_malformed_setting_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    done = workestra("serve", env=clean_environment(home=tmp_path, **{**GOOD, name: value}))
    assert done.returncode == 2
    assert done.stderr.startswith(name)
    assert "Example:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["web", "worker", "migrate", "doctor", "connections"])
def test_every_command_checks_the_settings_first(tmp_path: Path, command: str) -> None:
    done = workestra(command, env=clean_environment(home=tmp_path, **{**GOOD, "WORKESTRA_PUBLIC_URL": "nonsense"}))
    assert done.returncode == 2
    assert done.stderr.startswith("WORKESTRA_PUBLIC_URL")
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away_is_told_in_words(tmp_path: Path) -> None:
    away = {"WORKESTRA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    done = workestra("connections", env=clean_environment(home=tmp_path, **GOOD, **away))
    assert done.returncode == 4
    assert "The database cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_that_asked_for_json_is_told_in_json(tmp_path: Path) -> None:
    done = workestra("connections", "--json", env=clean_environment(home=tmp_path, **GOOD, WORKESTRA_DEBUG="maybe"))
    assert done.returncode == 2
    assert json.loads(done.stdout) == {"error": {"code": "usage", "message": done.stderr.rstrip("\n")}}
    assert done.stderr.startswith("WORKESTRA_DEBUG must be true or false. Example: WORKESTRA_DEBUG=false")
