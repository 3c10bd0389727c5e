"""A few seeds of the simulation; `make prove-simulation` lives many, and longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_seeds_converge_and_the_same_seed_twice_gives_the_same_trace() -> None:
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    words = ("-m", "tests.simulation", "--first", "12", "--seeds", "2", "--days", "0.3", "--twice")
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "0 lost, 0 doubled, 0 unexpected, 0 different, 0 DELETE" in done.stdout
