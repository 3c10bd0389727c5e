"""`workestra serve` keeps web and worker alive, and ends both."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.cli.terminal import PROGRAM, clean_environment

from workestra.project import env, postgres
from workestra.project.cli import ports

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def until(true: Callable[[], bool], *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ready(url: str) -> bool:
    try:
        with direct.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def child(process: psutil.Process, name: str) -> psutil.Process | None:
    """The supervised process of this command."""
    for one in process.children():
        try:
            if name in one.cmdline() and one.status() != psutil.STATUS_ZOMBIE:
                return one
        except psutil.NoSuchProcess:
            continue
    return None


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[psutil.Process, str]]:
    """A server on an empty database, and its address."""
    port = ports.next_free(start=18300)
    settings = clean_environment(
        home=tmp_path,
        WORKESTRA_DATABASE_URL=postgres.embedded_url(home=env.read().home, database=f"serve_{os.getpid()}"),
        WORKESTRA_DATABASE_ROLE="serve_app",
        WORKESTRA_PUBLIC_URL=f"http://127.0.0.1:{port}",
        WORKESTRA_SECRET_KEY="s" * 50,
        WORKESTRA_TOKEN_KEYS="k1:" + "A" * 43 + "=",
    )
    command = [*PROGRAM, "serve", "--migrate", "--port", str(port)]
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/readyz"
        until(lambda: ready(url))
        yield psutil.Process(process.pid), url
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_a_killed_worker_and_a_killed_web_come_back(serving: tuple[psutil.Process, str]) -> None:
    process, url = serving
    for name in ("worker", "web"):
        until(lambda name=name: child(process, name) is not None)
        before = child(process, name)
        assert before is not None
        before.kill()
        until(lambda name=name, before=before: (now := child(process, name)) is not None and now.pid != before.pid)
    until(lambda: ready(url))


def test_the_end_leaves_no_process_behind(serving: tuple[psutil.Process, str]) -> None:
    process, url = serving
    family = [process, *process.children(recursive=True)]
    assert len(family) > 2
    process.terminate()
    psutil.wait_procs(family, timeout=30)
    assert [one for one in family[1:] if one.is_running()] == []
    assert not ready(url)
