"""Nothing in the repository depends on the machine that it was written on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Written in two halves, so that this file does not find itself.
FOREIGN = re.compile("|".join(("/wo" + "rk/", "/op" + "t/pypi", "extra-index" + "-url", "--index" + "-url http")))
UNDONE = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bX" + r"XX\b", "<<<<" + "<<<")))


def files() -> list[Path]:
    """Every text file that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / one for one in listed.split("\0") if one]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_folder_or_an_index_of_one_machine() -> None:
    assert lines_with(FOREIGN) == []


def test_nothing_is_left_half_done() -> None:
    assert lines_with(UNDONE) == []


def test_every_package_is_pinned_by_hashes() -> None:
    for page in (ROOT / "requirements").glob("*.txt"):
        text = page.read_text(encoding="utf-8")
        pins = re.findall(r"^[\w.\-\[\]]+==\S+ ?(.*)$", text, flags=re.MULTILINE)
        assert pins
        assert all("\\" in rest or "--hash" in rest for rest in pins), page.name
