"""A database that cannot be used is told of in one sentence that says what to do, by every command."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from tests.cli.terminal import PROGRAM, clean_environment, workestra

from workestra.project import embedded, postgres
from workestra.project.cli import ports

GOOD = {"WORKESTRA_SECRET_KEY": "s" * 50, "WORKESTRA_TOKEN_KEYS": "k1:" + "A" * 43 + "="}
AWAY = "postgresql://nobody@127.0.0.1:1/nothing"
COMMANDS = {
    "connections": ["connections"],
    "sync": ["sync", "ana@harbour.example"],
    "backfill": ["backfill", "ana@harbour.example", "--range", "30d"],
    "export": ["export", "ana@harbour.example"],
    "create-user": ["create-user", "ana@harbour.example", "--workspace", "Harbour", "--password-stdin"],
    "migrate": ["migrate"],
    "migrate --check": ["migrate", "--check"],
    "doctor": ["doctor"],
}
STAY = {"worker": ["worker"], "web": ["web", "--port", "{port}"], "serve": ["serve", "--port", "{port}"]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real server, strict with some of its users."""
    place = tmp_path_factory.mktemp("strict")
    url = postgres.embedded_url(home=place, database="empty")
    rules = embedded.folder_of(home=place) / "pg_hba.conf"
    strict = "local all pia scram-sha-256\nlocal all stranger reject\n"
    rules.write_text(strict + rules.read_text())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create role pia login password 'right'")
        connection.execute("create role modest login")
        connection.execute("create database hers owner modest")
        connection.execute("select pg_reload_conf()")
    yield place
    embedded.leave(home=place)


@pytest.fixture(scope="module")
def migrated(home: Path) -> str:
    """The address of a database that is up to date."""
    url = address(home, database="ready")
    postgres.embedded_url(home=home, database="ready")
    done = workestra("migrate", env=settings(url))
    assert done.returncode == 0, done.stderr
    return url


def address(home: Path, *, user: str = "postgres", database: str = "empty") -> str:
    return postgres.embedded_url(home=home).replace("postgres@/workestra", f"{user}@/{database}")


def settings(url: str, **more: str) -> Mapping[str, str]:
    return clean_environment(home=Path("/nowhere"), WORKESTRA_DATABASE_URL=url, **GOOD, **more)


def refused(*arguments: str, env: Mapping[str, str]) -> str:
    """What a command says that fails because of the database. A program is told the same."""
    done = workestra(*arguments, "--json", env=env, stdin="a paper boat sails\n")
    assert done.returncode == 4
    told = json.loads(done.stdout)
    assert told["error"]["code"] == "database"
    assert told["error"]["message"] == done.stderr.strip()
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in ("doctor", "export")])
def test_every_command_says_that_the_database_is_away(command: str) -> None:
    said = refused(*COMMANDS[command], env=settings(AWAY))
    assert said.startswith("The database cannot be reached: ")
    assert "correct WORKESTRA_DATABASE_URL" in said


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in ("doctor", "export", "migrate")])
def test_every_command_says_that_the_database_is_not_up_to_date(home: Path, command: str) -> None:
    if command == "migrate --check":
        done = workestra("migrate", "--check", env=settings(address(home)))
        assert (done.returncode, "workestra migrate" in done.stdout) == (4, True)
    else:
        assert "Run: workestra migrate" in refused(*COMMANDS[command], env=settings(address(home)))


def test_an_export_says_so_too_and_prints_nothing_else(home: Path) -> None:
    for url in (AWAY, address(home)):
        done = workestra(*COMMANDS["export"], env=settings(url))
        assert (done.returncode, done.stdout) == (4, "")
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("user", "database", "words"),
    [
        ("pia:wrong", "empty", "Correct the user and password"),
        ("pia", "empty", "Correct the user and password"),
        ("stranger", "empty", "pg_hba.conf"),
        ("nobody", "empty", "correct the user in WORKESTRA_DATABASE_URL"),
        ("postgres", "nothing_there", "createdb nothing_there"),
    ],
)
@pytest.mark.parametrize("command", ["connections", "migrate"])
def test_a_refusal_is_told_apart_from_an_absence(
    home: Path, user: str, database: str, words: str, command: str
) -> None:
    said = refused(command, env=settings(address(home, user=user, database=database)))
    assert words in said
    assert "wrong" not in said


def test_a_role_that_is_not_there_and_one_that_may_not_be_taken_are_told_of(home: Path, migrated: str) -> None:
    missing = settings(migrated, WORKESTRA_DATABASE_ROLE="missing_app")
    assert "missing_app" in (said := refused("connections", env=missing))
    assert "workestra migrate" in said
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("create role unbound_app login bypassrls")
    unbound = settings(migrated, WORKESTRA_DATABASE_ROLE="unbound_app")
    assert "nobypassrls" in refused("connections", env=unbound)
    modest = settings(address(home, user="modest", database="hers"))
    assert "grant workestra_app to" in refused("connections", env=modest)


def test_a_user_who_may_not_make_the_role_learns_who_does(home: Path) -> None:
    modest = settings(address(home, user="modest", database="hers"), WORKESTRA_DATABASE_ROLE="own_app")
    said = refused("migrate", env=modest)
    assert "create role" in said
    assert "own_app" in said


def test_the_database_of_a_newer_version_is_not_touched(home: Path, migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("insert into django_migrations (app, name, applied) values ('mail', '9999_later', now())")
        try:
            assert "newer Workestra (it has mail.9999_later)" in refused("connections", env=settings(migrated))
        finally:
            connection.execute("delete from django_migrations where name = '9999_later'")
    assert workestra("connections", env=settings(migrated)).returncode == 0


@pytest.mark.parametrize(
    ("url", "words"),
    [(AWAY, "cannot be reached"), ("postgresql://x@no-such-host.invalid/y", "cannot be reached")],
)
def test_the_doctor_says_what_is_wrong_with_the_database_by_its_name(url: str, words: str) -> None:
    done = workestra("doctor", "--json", env=settings(url, WORKESTRA_MICROSOFT_AUTHORITY="http://127.0.0.1:9/common"))
    (found,) = [one for one in json.loads(done.stdout) if one["about"] == "database"]
    assert done.returncode == 1
    assert words in found["text"]
    assert "WORKESTRA_DATABASE_URL" in found["remedy"]
    assert "embedded" not in done.stdout


@pytest.mark.parametrize("command", list(STAY))
def test_what_stays_says_that_it_waits_for_a_database_that_is_away(tmp_path: Path, command: str) -> None:
    log = tmp_path / "log"
    words = [one.replace("{port}", str(ports.next_free(start=18600))) for one in STAY[command]]
    with log.open("wb") as file:
        process = subprocess.Popen([*PROGRAM, *words], env=dict(settings(AWAY)), stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 60
        while "The database cannot be reached" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(30)
    assert "Trying for" in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("command", list(STAY))
def test_what_stays_does_not_start_on_a_database_that_is_not_up_to_date(home: Path, command: str) -> None:
    words = [one.replace("{port}", str(ports.next_free(start=18650))) for one in STAY[command]]
    done = workestra(*words, env=settings(address(home)))
    assert done.returncode == 4
    assert done.stderr == ("The database is not up to date. Run: workestra migrate (or: workestra serve --migrate)\n")
