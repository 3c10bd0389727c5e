"""Children live and die with their supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from workestra.project.cli.supervise import Child, Ended, Supervisor, signals_end


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A supervisor that leaves nobody behind."""
    some = Supervisor(say=lambda text: None)
    yield some
    some.stop()


def python(text: str, *, name: str = "child", log: Path | None = None, restart: bool = True) -> Child:
    return Child(name, [sys.executable, "-c", text], dict(os.environ), log=log, restart=restart)


def until(true: Callable[[], bool], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(number: int) -> bool:
    return not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


def test_a_child_that_died_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    again = python(f"open({str(marks)!r}, 'a').write('x'); raise SystemExit(3)")
    last = python(
        f"import time\nwhile len(open({str(marks)!r}, 'a+').name) and __import__('os').path.getsize("
        f"{str(marks)!r}) < 3: time.sleep(0.05)",
        name="last",
        restart=False,
    )
    supervisor.start(again)
    supervisor.start(last)
    assert supervisor.watch() is last
    assert len(marks.read_text()) >= 3
    assert again.failures >= 2


def test_a_child_that_is_not_to_be_restarted_is_told_of(supervisor: Supervisor, tmp_path: Path) -> None:
    child = python("print('last words'); raise SystemExit(1)", log=tmp_path / "log", restart=False)
    supervisor.start(child)
    assert supervisor.watch() is child
    assert child.last_words() == "last words"


def test_the_end_takes_what_children_started_and_what_does_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    text = (
        "import subprocess, sys, signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        f"some = subprocess.Popen([sys.executable, '-c', {deaf!r}])\n"
        f"open({str(note)!r}, 'w').write(str(some.pid) + ' ')\n"
        "time.sleep(600)"
    )
    child = python(text)
    supervisor.start(child)
    until(lambda: note.exists() and note.read_text().endswith(" "))
    grandchild = int(note.read_text())
    supervisor.stop()
    assert not child.alive
    until(lambda: gone(grandchild))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_what_is_under_way_and_a_second_one_does_not_disturb_the_end(number: signal.Signals) -> None:
    with pytest.raises(Ended) as ended, signals_end():
        try:
            signal.raise_signal(number)
            time.sleep(5)
        finally:
            signal.raise_signal(number)
    assert ended.value.number == number


def test_a_child_of_a_killed_supervisor_ends_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    text = (
        "import os, sys, time\n"
        "from workestra.project.cli.supervise import Child, Supervisor\n"
        "some = Child('c', [sys.executable, '-c', 'import time; time.sleep(600)'], dict(os.environ))\n"
        "Supervisor(say=print).start(some)\n"
        f"open({str(note)!r}, 'w').write(str(some.process.pid) + ' ')\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", text])
    try:
        until(lambda: note.exists() and note.read_text().endswith(" "))
        child = int(note.read_text())
        assert not gone(child)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: gone(child))
