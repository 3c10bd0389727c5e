"""`workestra serve` on the embedded server: what dies comes back, and what ends takes all along."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.cli.terminal import PROGRAM, clean_environment, workestra

from workestra.project.cli import ports

GOOD = {"WORKESTRA_SECRET_KEY": "s" * 50, "WORKESTRA_TOKEN_KEYS": "k1:" + "A" * 43 + "="}
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def until(true: Callable[[], bool], *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def status(url: str) -> int:
    try:
        with direct.open(url, timeout=8) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except (urllib.error.URLError, OSError):
        return 0


@dataclass
class Served:
    """A server on an embedded database of its own."""

    process: subprocess.Popen[bytes]
    home: Path
    log: Path
    url: str

    def postmaster(self) -> psutil.Process:
        return psutil.Process(int((self.home / "postgres" / "postmaster.pid").read_text().split()[0]))

    def users(self) -> list[psutil.Process]:
        """Living processes that have the home on their command line or in their settings."""
        found = []
        for one in psutil.process_iter():
            try:
                if any(str(self.home) in part for part in [*one.cmdline(), *one.environ().values()]):
                    found.append(one)
            except psutil.Error:
                continue
        return found


@contextlib.contextmanager
def serving(place: Path) -> Iterator[Served]:
    """A running server, ended afterwards with all that belongs to it."""
    home, log = place / "var", place / "log"
    port = ports.next_free(start=18400)
    env = clean_environment(home=home, WORKESTRA_PUBLIC_URL=f"http://127.0.0.1:{port}", **GOOD)
    command = [*PROGRAM, "serve", "--migrate", "--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=env, stdout=file, stderr=file)
    here = Served(process, home, log, f"http://127.0.0.1:{port}")
    try:
        until(lambda: process.poll() is not None or status(f"{here.url}/readyz") == 200)
        assert process.poll() is None, log.read_text()
        yield here
    finally:
        process.terminate()
        process.wait(60)
        until(lambda: here.users() == [])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests after which it serves as before."""
    with serving(tmp_path_factory.mktemp("served")) as here:
        yield here


def test_a_killed_database_is_started_again_and_web_and_worker_go_on(served: Served) -> None:
    before = [one.pid for one in psutil.Process(served.process.pid).children()]
    served.postmaster().kill()
    until(lambda: "PostgreSQL runs again" in served.log.read_text())
    until(lambda: status(f"{served.url}/readyz") == 200)
    until(lambda: status(f"{served.url}/login") == 200)
    assert [one.pid for one in psutil.Process(served.process.pid).children()] == before
    text = served.log.read_text()
    assert text.index("PostgreSQL ended; it starts again") < text.index("PostgreSQL runs again")


def test_a_stopped_database_is_told_of_by_readiness_alone(served: Served) -> None:
    for one in [served.postmaster(), *served.postmaster().children()]:
        one.suspend()
    try:
        assert status(f"{served.url}/readyz") == 503
        assert status(f"{served.url}/healthz") == 200
    finally:
        for one in [*served.postmaster().children(), served.postmaster()]:
            one.resume()
    until(lambda: status(f"{served.url}/readyz") == 200)


def test_the_children_of_a_killed_server_end_and_take_the_database_along(tmp_path: Path) -> None:
    with serving(tmp_path) as here:
        assert len(here.users()) > 3
        here.process.kill()
        here.process.wait()
        until(lambda: here.users() == [], seconds=40)


def test_a_killed_web_leaves_no_process_at_its_port(served: Served) -> None:
    web = next(one for one in psutil.Process(served.process.pid).children() if "web" in one.cmdline())
    below = web.children(recursive=True)
    assert below
    web.kill()
    psutil.wait_procs(below, timeout=20)
    assert [one for one in below if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    until(lambda: status(f"{served.url}/login") == 200)


@pytest.mark.parametrize("command", ["serve", "web", "sandbox"])
def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path, command: str) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = workestra(command, "--port", port, env=clean_environment(home=tmp_path / "var", **GOOD))
    assert done.returncode == 1
    assert port in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_a_host_that_is_not_this_machine_is_refused(tmp_path: Path, host: str) -> None:
    done = workestra("web", "--host", host, env=clean_environment(home=tmp_path, **GOOD))
    assert done.returncode == 2
    assert host in done.stderr
    assert "--host" in done.stderr


def test_a_signal_at_any_moment_of_the_start_leaves_nobody(tmp_path: Path) -> None:
    for number, pause in ((signal.SIGTERM, 0.3), (signal.SIGINT, 0.8), (signal.SIGTERM, 1.5), (signal.SIGINT, 3.0)):
        home = tmp_path / f"after-{pause}"
        env = clean_environment(home=home, **GOOD)
        command = [*PROGRAM, "serve", "--migrate", "--port", str(ports.next_free(start=18500))]
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(pause)
        process.send_signal(number)
        process.wait(60)
        here = Served(process, home, tmp_path, "")
        until(lambda here=here: here.users() == [], seconds=20)
