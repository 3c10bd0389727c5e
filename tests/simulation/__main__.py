"""Proof by simulation: product and sandbox in one process, on virtual time, driven by a seed.

    python -m tests.simulation --seeds 200 --days 3       seeds 1..200
    python -m tests.simulation --seed 17 --days 3         one of them again, with its trace
    python -m tests.simulation --seed 17 --twice          twice; both traces have to be equal

A failing seed is printed with the end of its trace, and what to type to see it again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of a trace
    words = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
    os.execve(sys.executable, words, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606

from tests import environment  # noqa: F401 - before Django reads its settings

os.environ["DJANGO_SETTINGS_MODULE"] = "workestra.project.settings"


def main() -> int:
    """0 where every seed held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--days", type=float, default=3.0, help="simulated days a seed")
    parser.add_argument("--twice", action="store_true", help="live each seed twice and compare the traces")
    parser.add_argument("--tail", type=int, default=80, help="lines of a failing seed's trace")
    parser.add_argument("--trace", action="store_true", help="print the trace's tail in any case")
    asked = parser.parse_args()

    import logging

    import django

    django.setup(set_prefix=False)
    logging.disable(logging.CRITICAL)
    import workestra.mail.jobs  # noqa: F401
    from tests.simulation import stage
    from tests.simulation.run import Outcome, live

    stage.prepare()
    seeds = [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.seeds)
    began = time.monotonic()
    done: list[Outcome] = []
    failed: list[int] = []
    for seed in seeds:
        one = live(seed=seed, days=asked.days)
        done.append(one)
        if asked.twice:
            again = live(seed=seed, days=asked.days)
            if again.digest != one.digest:
                one.breaches.append(f"the same seed twice gives two traces: {one.digest}, {again.digest}")
                pair = next(((a, b) for a, b in zip(one.tail, again.tail, strict=False) if a != b), None)
                one.tail = [*one.tail[:1], *(pair or ())]
        print(
            f"seed {one.seed}: {asked.days:g} days in {one.wall:.1f} s, {one.actions} actions, {one.faults} faults,"
            f" {one.kills} kills, {one.requests} requests, {one.messages} messages, trace {one.digest}"
            f" {'ok' if not one.breaches else 'FAILED'}",
            flush=True,
        )
        if one.breaches or asked.trace:
            for line in (*one.story[-asked.tail // 2 :], "...", *one.tail[-asked.tail // 2 :]):
                print("   ", line)
        if one.breaches:
            failed.append(one.seed)
            for line in one.breaches[:12]:
                print("  !", line)
            print(f"  again: make prove-simulation SEED={one.seed} DAYS={asked.days:g}", flush=True)
    total = {
        name: sum(getattr(one, name) for one in done)
        for name in (
            "actions",
            "faults",
            "kills",
            "requests",
            "messages",
            "lost",
            "doubled",
            "unexpected",
            "different",
        )
    }
    print(
        f"{len(done)} seeds of {asked.days:g} simulated days in {time.monotonic() - began:.0f} s: "
        + ", ".join(f"{count} {name}" for name, count in total.items())
        + f", {sum(one.deletes for one in done)} DELETE or move requests on mail,"
        f" {len(failed)} failing seeds {failed or ''}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
