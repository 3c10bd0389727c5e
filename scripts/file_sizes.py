"""The budget for Python files: median under 150 lines, warned of at 300, refused at 500. Migrations do not count."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEDIAN, WARN, FAIL = 150, 300, 500


def files() -> list[Path]:
    """Every Python file that git knows or would take, without migrations."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / one for one in listed if "/migrations/" not in one and (ROOT / one).is_file()]


def main() -> int:
    """Print what is too long. Returns the exit status."""
    lengths = {one: len(one.read_text(encoding="utf-8").splitlines()) for one in files()}
    written = [length for length in lengths.values() if length]
    median = statistics.median(written)
    for path, length in sorted(lengths.items(), key=lambda item: -item[1]):
        if length >= WARN:
            word = "too long" if length >= FAIL else "long"
            print(f"{word}: {path.relative_to(ROOT)} has {length} lines")
    print(f"{len(written)} files, median {median:.0f} lines, longest {max(written)}")
    return int(median >= MEDIAN or max(written) >= FAIL)


if __name__ == "__main__":
    sys.exit(main())
