"""The database is made, kept up to date and filled with people by commands, run as people run them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
from tests.cli.terminal import PROGRAM, clean_environment, workestra

from workestra.project import env, postgres

PASSWORD = "a paper boat sails"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment with an empty database of this module's own."""
    home = tmp_path_factory.mktemp("home")
    return clean_environment(
        home=home,
        WORKESTRA_DATABASE_URL=postgres.embedded_url(home=env.read().home, database=f"cli_{os.getpid()}"),
        WORKESTRA_DATABASE_ROLE="cli_app",
        WORKESTRA_SECRET_KEY="s" * 50,
        WORKESTRA_TOKEN_KEYS="k1:" + "A" * 43 + "=",
        WORKESTRA_MICROSOFT_AUTHORITY="http://127.0.0.1:9/common",
        WORKESTRA_GRAPH_URL="http://127.0.0.1:9/v1.0",
    )


@pytest.fixture(scope="module")
def migrated(settings: Mapping[str, str]) -> Mapping[str, str]:
    """The same, brought up to date by two processes at once."""
    before = workestra("migrate", "--check", env=settings)
    assert before.returncode == 4
    assert "workestra migrate" in before.stdout
    both = [
        subprocess.Popen([*PROGRAM, "migrate", "--json"], env=dict(settings), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [json.loads(one.communicate(timeout=120)[0]) for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(bool(one["applied"]) for one in said) == [False, True]
    return settings


def test_two_migrations_at_once_apply_everything_once(migrated: Mapping[str, str]) -> None:
    done = workestra("migrate", "--check", env=migrated)
    assert done.returncode == 0
    again = workestra("migrate", env=migrated)
    assert (again.returncode, again.stdout) == (0, "The database was up to date already.\n")


def test_the_product_may_not_change_what_was_migrated(migrated: Mapping[str, str]) -> None:
    with psycopg.connect(migrated["WORKESTRA_DATABASE_URL"], options="-c role=cli_app", autocommit=True) as product:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            product.execute("delete from django_migrations")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            product.execute("alter table mail_message disable row level security")


def test_a_person_gets_a_seat_and_can_be_given_another_role(migrated: Mapping[str, str]) -> None:
    seat = [
        "create-user",
        "Pia@Harbour.example",
        "--workspace",
        "Harbour",
        "--name",
        "Pia",
        "--password-stdin",
        "--json",
    ]
    first = workestra(*seat, env=migrated, stdin=PASSWORD + "\n")
    assert first.returncode == 0, first.stderr
    second = workestra(*seat, "--role", "owner", env=migrated, stdin=PASSWORD + "\n")
    one, two = json.loads(first.stdout), json.loads(second.stdout)
    assert one == {
        "email": "pia@harbour.example",
        "workspace": "Harbour",
        "workspaceId": one["workspaceId"],
        "role": "member",
    }
    assert two == {**one, "role": "owner"}


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (["not-an-address"], PASSWORD, "is not an e-mail address"),
        (["x@harbour.example"], "short", "too short"),
        (["x@harbour.example"], "", "too short"),
        (["x@harbour.example", "--role", "queen"], PASSWORD, "--role is one of"),
        (["x@harbour.example", "--time-zone", "Mars/Olympus"], PASSWORD, "No time zone"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    migrated: Mapping[str, str], arguments: list[str], stdin: str, words: str
) -> None:
    done = workestra(
        "create-user", *arguments, "--workspace", "Harbour", "--password-stdin", env=migrated, stdin=stdin
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mailbox_that_nobody_connected_is_not_found(migrated: Mapping[str, str]) -> None:
    assert workestra("connections", "--json", env=migrated).stdout == ""
    for command in (["sync", "ana@x.example"], ["backfill", "7", "--range", "30d"], ["export", "ana@x.example"]):
        done = workestra(*command, env=migrated)
        assert done.returncode == 3
        assert "workestra connections" in done.stderr


def test_the_doctor_says_what_fails_and_what_to_do(migrated: Mapping[str, str]) -> None:
    done = workestra("doctor", "--json", env=migrated)
    found = {one["about"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 1
    assert {about for about, one in found.items() if one["level"] == "fail"} == {"worker", "sign-in", "Graph"}
    assert found["tables"]["level"] == found["role"]["level"] == found["clock"]["level"] == "ok"
    assert all(one["remedy"] for one in found.values() if one["level"] != "ok")


def test_serving_a_database_that_is_not_up_to_date_is_refused(settings: Mapping[str, str], tmp_path: Path) -> None:
    empty = postgres.embedded_url(home=env.read().home, database=f"cli_empty_{os.getpid()}")
    done = workestra("serve", env={**settings, "WORKESTRA_DATABASE_URL": empty})
    assert done.returncode == 4
    assert "workestra serve --migrate" in done.stderr
