"""Proof: the tests catch planted bugs (RELIABILITY of the suite itself).

Each entry of mutants/*.toml changes one place of a copy of src; the tests named with it have to fail then, and
have to pass without it. A mutant whose place is not found exactly once fails the run: it has to be planted anew.
One that survives means that a test is missing.

    .venv/bin/python scripts/prove_mutants.py [--only WORD] [--jobs 2] [--check]

`--check` only sees whether each mutant still finds its place.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
LONGEST = 300  # seconds that the tests of one mutant may take


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug, and the tests that have to notice it."""

    name: str
    file: str
    search: str
    replace: str
    tests: list[str]

    def planted(self, text: str) -> str:
        """The file with the bug in it. Raises ValueError where its place is not there exactly once."""
        found = text.count(self.search)
        if found != 1:
            raise ValueError(f"its place is there {found} times in {self.file}")
        return text.replace(self.search, self.replace)


def listed() -> list[Mutant]:
    """All mutants, file by file."""
    return [
        Mutant(**one)
        for path in sorted((ROOT / "mutants").glob("*.toml"))
        for one in tomllib.loads(path.read_text())["mutant"]
    ]


def run(*, source: Path, tests: list[str], longest: float | None = None) -> tuple[int, str]:
    """Run these tests against the product under `source`; with `longest` seconds to go, only to the first failure.
    Returns pytest's exit code and what it printed.
    """
    words = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-o", f"pythonpath={source} .", *tests]
    env = os.environ | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            words + ["-x"] * (longest is not None),
            cwd=ROOT,
            env=env,
            text=True,
            capture_output=True,
            timeout=longest,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, "FAILED (took-too-long)"
    return done.returncode, done.stdout


def judged(mutant: Mutant, source: Path) -> tuple[bool, str]:
    """(whether it was caught, by what) with the bug planted in a copy of `source`."""
    with tempfile.TemporaryDirectory(prefix="workestra-mutant-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        place = copy / "workestra" / mutant.file
        try:
            place.write_text(mutant.planted(place.read_text()))
        except (OSError, ValueError) as problem:
            return False, f"NOT PLANTED: {problem}"
        code, printed = run(source=copy, tests=mutant.tests, longest=LONGEST)
    if code == 0:
        return False, "SURVIVED"
    caught = FAILED.search(printed)
    if code != 1 or caught is None:
        return False, f"BROKEN: pytest ended with {code}: {printed[-400:]}"
    return True, caught[1]


def main() -> int:
    """Plant every bug; 0 where all are caught."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="those whose name has this in it")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    begun = time.monotonic()
    mutants = [one for one in listed() if asked.only in one.name]
    with tempfile.TemporaryDirectory(prefix="workestra-source-") as folder:
        source = Path(folder) / "src"  # of one moment, though somebody may be editing
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        astray = []
        for one in mutants:
            try:
                one.planted((source / "workestra" / one.file).read_text())
            except (OSError, ValueError) as problem:
                astray.append(one)
                print(f"NOT PLANTED  {one.name}: {problem}")
        if asked.check or astray:
            print(f"{len(mutants)} mutants, {len(astray)} do not find their place")
            return 1 if astray else 0
        code, printed = run(source=source, tests=sorted({test for one in mutants for test in one.tests}))
        print(f"without a planted bug: pytest ends with {code} after {time.monotonic() - begun:.0f} s", flush=True)
        if code:
            print(printed[-3000:])
            print("the tests fail without any planted bug: mend them first")
            return 1
        survivors = 0
        with ThreadPoolExecutor(max_workers=asked.jobs) as workers:
            for one, (caught, by) in zip(mutants, workers.map(lambda one: judged(one, source), mutants), strict=True):
                survivors += not caught
                print(f"{'caught  ' if caught else 'NOT     '} {one.name}\n         {by}", flush=True)
    print(
        f"{len(mutants)} mutants, {len(mutants) - survivors} caught, {survivors} not,"
        f" {(time.monotonic() - begun) / 60:.1f} minutes"
    )
    return 1 if survivors or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
