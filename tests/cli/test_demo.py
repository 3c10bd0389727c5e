"""One command brings everything up, one signal takes everything down."""

from __future__ import annotations

import re
import subprocess
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from tests.cli.terminal import PROGRAM, clean_environment, workestra

from workestra.project.cli import ports


def wait_for(path: Path, words: str, process: subprocess.Popen[bytes]) -> str:
    """The text of a log once it holds these words."""
    deadline = time.monotonic() + 150
    while words not in (text := path.read_text(encoding="utf-8")):
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    return text


def users_of(home: Path) -> list[psutil.Process]:
    """Processes that have the folder on their command line or in their settings."""
    found = []
    for one in psutil.process_iter():
        try:
            if any(str(home) in part for part in [*one.cmdline(), *one.environ().values()]):
                found.append(one)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def ready(url: str) -> int:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=10) as answer:
        return int(answer.status)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "var"


@pytest.fixture(scope="module")
def told(home: Path) -> str:
    """What a demo said that came up, answered, and was ended by SIGTERM."""
    out = home.parent / "out"
    port = ports.next_free(start=18100)
    command = [*PROGRAM, "demo", "--home", str(home), "--messages", "40", "--port", str(port)]
    with out.open("wb") as file:
        process = subprocess.Popen(command, env=clean_environment(home=home), stdout=file, stderr=file)
    try:
        text = wait_for(out, "Ctrl-C ends everything", process)
        page = re.search(r"Open +(\S+)", text)
        sandbox = re.search(r"Sandbox +(\S+)", text)
        assert page and sandbox
        assert [ready(f"{page[1]}/readyz"), ready(f"{page[1]}/login"), ready(sandbox[1])] == [200, 200, 200]
        assert any("postgres" in one.name() for one in users_of(home))
    finally:
        process.terminate()
        process.wait(timeout=60)
    assert process.returncode == 0
    return out.read_text(encoding="utf-8")


def test_a_demo_says_where_to_go_and_as_whom(told: str) -> None:
    assert re.search(r"Open +http://127\.0\.0\.1:\d+", told)
    assert re.search(r"Sign in +ana@larkfield\.example", told)
    assert re.search(r"Password +\S{10,}", told)
    assert "Connect Microsoft 365" in told
    assert "\x1b[" not in told


def test_a_demo_that_was_ended_leaves_no_process_behind(told: str, home: Path) -> None:
    assert told.endswith("Ending.\n")
    assert users_of(home) == []


def test_a_second_demo_goes_on_with_the_same_data(told: str, home: Path) -> None:
    again = workestra(
        *("demo", "--home", str(home), "--messages", "40", "--exit-after-ready"), env=clean_environment(home=home)
    )
    assert again.returncode == 0, again.stderr
    password = re.search(r"Password +(\S+)", told)
    assert password and password[1] in again.stdout
    assert users_of(home) == []
