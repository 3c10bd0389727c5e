"""The settings page says what env.py says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from workestra.project.env import EXAMPLES, Environment

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = {f"WORKESTRA_{name.upper()}" for name in Environment.model_fields}


def test_the_page_is_what_the_code_says() -> None:
    command = [sys.executable, "scripts/settings_page.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_variable_is_documented_with_an_example() -> None:
    page = (ROOT / "docs" / "operate" / "settings.md").read_text(encoding="utf-8")
    assert {one for one in VARIABLES if f"`{one}`" not in page} == set()
    assert set(EXAMPLES) == VARIABLES


def test_nothing_but_env_reads_a_setting_from_the_environment() -> None:
    read = []
    for path in (ROOT / "src" / "workestra").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "env.py" and ('environ["WORKESTRA_' in text or 'environ.get("WORKESTRA_' in text):
            read.append(str(path.relative_to(ROOT)))
    assert read == []
