"""The embedded server comes up whatever its last end was like, and goes with its last user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from workestra.project import embedded, postgres
from workestra.project.cli.keep import Keeper

USER = "import signal, sys; from pathlib import Path; from workestra.project import embedded\n"
USER += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # shells ignore it in what they start with &
USER += "embedded.join(home=Path(sys.argv[1])); print('in', flush=True); sys.stdin.read()"


def until(true: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def number(home: Path) -> int:
    return int((embedded.folder_of(home=home) / "postmaster.pid").read_text().split()[0])


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home of this test's own, whose server is stopped afterwards. Its name is an odd one."""
    place = tmp_path / "my home, 100%"
    yield place
    embedded.leave(home=place)
    assert not embedded.running(home=place)


def user(home: Path) -> subprocess.Popen[str]:
    """A process that uses the server until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


def test_a_killed_server_comes_back_with_what_was_committed(home: Path) -> None:
    url = postgres.embedded_url(home=home)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table kept as select 7 as n")
    os.kill(number(home), signal.SIGKILL)
    until(lambda: not embedded.running(home=home))
    said: list[str] = []
    keeper = Keeper(home=home, say=said.append)
    keeper.start()
    until(lambda: answers(url))
    keeper.stop()
    assert said[0].startswith("PostgreSQL ended")
    assert said[-1] == "PostgreSQL runs again"
    with psycopg.connect(url) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)


def test_a_number_that_another_program_has_by_now_is_not_the_server(home: Path) -> None:
    postgres.embedded_url(home=home)
    embedded.leave(home=home)
    (embedded.folder_of(home=home) / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert not embedded.running(home=home)
    assert answers(postgres.embedded_url(home=home))
    assert number(home) != os.getpid()


def test_what_an_interrupted_initdb_left_behind_is_not_in_the_way(home: Path) -> None:
    part = home / "postgres.part"
    part.mkdir(parents=True)
    (part / "PG_VERSION").write_text("18\n")
    assert answers(postgres.embedded_url(home=home))
    assert not part.exists()


def test_the_server_goes_with_its_last_user_even_if_others_were_killed(home: Path) -> None:
    first, last = user(home), user(home)
    first.kill()
    first.communicate()
    assert embedded.running(home=home)
    last.communicate("")
    assert last.returncode == 0
    assert not embedded.running(home=home)


def test_a_user_that_ends_leaves_the_server_to_the_others(home: Path) -> None:
    url = postgres.embedded_url(home=home)
    other = user(home)
    other.communicate("")
    assert answers(url)


def test_a_signal_during_the_start_waits_until_the_server_is_known(home: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE)
    until(lambda: (home / "postgres.part").exists())
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0
    assert not embedded.running(home=home)
    assert answers(postgres.embedded_url(home=home))


def test_the_cluster_does_not_follow_the_locale_of_whoever_started_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "xx_YY.UTF-8")
    monkeypatch.setenv("PGPORT", "6000")
    with psycopg.connect(postgres.embedded_url(home=home)) as connection:
        row = connection.execute("select lower('ÄÉ'), 'a' < 'B', current_setting('server_encoding')").fetchone()
    assert row == ("äé", False, "UTF8")


def test_a_home_that_cannot_be_made_is_told_of_in_words(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(embedded.NoServer, match="cannot be opened"):
        embedded.join(home=file)


def test_a_server_all_of_whose_users_were_killed_is_stopped(home: Path) -> None:
    only = user(home)
    only.kill()
    only.communicate()
    until(lambda: not embedded.running(home=home))
