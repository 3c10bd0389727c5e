"""Proof by simulation: product and sandbox in one process, on virtual time, driven by a seed.

    python -m tests.simulation --seeds 200 --days 3       seeds 1..200, one on each core
    python -m tests.simulation --seed 17 --days 3         one of them again, with its trace
    python -m tests.simulation --seed 17 --twice          twice; both traces have to be equal

A failing seed is printed with the end of its trace, and what to type to see it again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of a trace
    words = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
    os.execve(sys.executable, words, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606

from tests import environment  # noqa: F401 - before Django reads its settings
from tests.simulation.outcome import COUNTED, Outcome

os.environ["DJANGO_SETTINGS_MODULE"] = "workestra.project.settings"


def prepare() -> None:
    """Once a process: its own database, and a quiet log."""
    import logging

    import django

    django.setup(set_prefix=False)
    logging.disable(logging.CRITICAL)
    import workestra.mail.jobs  # noqa: F401
    from tests.simulation import stage

    stage.prepare()


def one(seed: int, *, days: float, twice: bool) -> Outcome:
    """Live one seed; `twice`: once more, and compare the traces."""
    from tests.simulation.run import live

    first = live(seed=seed, days=days)
    if twice:
        again = live(seed=seed, days=days)
        if again.digest != first.digest:
            first.breaches.append(f"the same seed twice gives two traces: {first.digest}, {again.digest}")
            pair = next(((a, b) for a, b in zip(first.tail, again.tail, strict=False) if a != b), None)
            first.tail = [*first.tail[:1], *(pair or ())]
    return first


def lived(seeds: Sequence[int], *, days: float, twice: bool) -> Iterator[Outcome]:
    """Each seed's outcome, one after the other in this process."""
    prepare()
    for seed in seeds:
        yield one(seed, days=days, twice=twice)


def shared(seeds: Sequence[int], *, days: float, twice: bool, jobs: int) -> Iterator[Outcome]:
    """The same, in order, from `jobs` processes of which each lives every so many-th seed."""
    words = [sys.executable, "-m", "tests.simulation", "--days", str(days), *(["--twice"] if twice else [])]
    shares = [seeds[number::jobs] for number in range(jobs)]
    children = [
        subprocess.Popen([*words, "--share", *map(str, share)], stdout=subprocess.PIPE, text=True) for share in shares
    ]
    try:
        for place in range(len(seeds)):
            pipe = children[place % jobs].stdout
            line = pipe.readline() if pipe is not None else ""
            if not line:
                raise SystemExit(f"the process that lived seed {seeds[place]} broke off; what it said is above")
            yield Outcome(**json.loads(line))
    finally:
        for child in children:
            child.terminate()
            child.wait()


def main() -> int:
    """0 where every seed held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--days", type=float, default=3.0, help="simulated days a seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="seeds at a time (one a core)")
    parser.add_argument("--share", type=int, nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--twice", action="store_true", help="live each seed twice and compare the traces")
    parser.add_argument("--tail", type=int, default=80, help="lines of a failing seed's trace")
    parser.add_argument("--trace", action="store_true", help="print the trace's tail in any case")
    asked = parser.parse_args()
    if asked.share:
        for outcome in lived(asked.share, days=asked.days, twice=asked.twice):
            print(json.dumps(asdict(outcome)), flush=True)
        return 0
    seeds = [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.seeds)
    began = time.monotonic()
    done: list[Outcome] = []
    failed: list[int] = []
    jobs = min(asked.jobs, len(seeds))
    more = {"days": asked.days, "twice": asked.twice}
    for outcome in shared(seeds, **more, jobs=jobs) if jobs > 1 else lived(seeds, **more):
        done.append(outcome)
        print(outcome, flush=True)
        if outcome.breaches or asked.trace:
            for line in (*outcome.story[-asked.tail // 2 :], "...", *outcome.tail[-asked.tail // 2 :]):
                print("   ", line)
        if outcome.breaches:
            failed.append(outcome.seed)
            for line in outcome.breaches[:12]:
                print("  !", line)
            print(f"  again: make prove-simulation SEED={outcome.seed} DAYS={asked.days:g}", flush=True)
    total = {name: sum(getattr(outcome, name) for outcome in done) for name in COUNTED}
    print(
        f"{len(done)} seeds of {asked.days:g} simulated days in {time.monotonic() - began:.0f} s: "
        + ", ".join(f"{count} {name}" for name, count in total.items())
        + f", {sum(outcome.deletes for outcome in done)} DELETE or move requests on mail,"
        f" {len(failed)} failing seeds {failed or ''}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
