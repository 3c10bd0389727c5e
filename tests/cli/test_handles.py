"""A process that was killed does not keep the embedded server running for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from workestra.project.cli.handles import strike_off_the_dead


def test_dead_processes_are_struck_off_and_living_ones_stay(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    listed = tmp_path / "postgres" / ".handle_pids.json"
    listed.parent.mkdir()
    listed.write_text(json.dumps([dead.pid, os.getpid(), 1]))
    strike_off_the_dead(home=tmp_path)
    assert json.loads(listed.read_text()) == [os.getpid(), 1]


def test_a_home_without_a_server_is_left_as_it_is(tmp_path: Path) -> None:
    strike_off_the_dead(home=tmp_path)
    assert list(tmp_path.iterdir()) == []
