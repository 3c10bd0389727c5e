"""Proof: a worker killed (-9) at any durable step loses nothing, doubles nothing and wakes nobody (I7).

A scripted life of a connection (tests/crash/life.py) is lived once without a crash, which counts its points:
before and after every commit, after every request, around every job of the queue. Then it is lived once for
each point, and the process that passes it is killed there; another one goes on. In the end the store has to
equal the mailbox, and all that is stored the life without a crash; then a worker runs again and has to find
nothing to do.

    .venv/bin/python scripts/prove_crash.py [--every 1] [--jobs 2]

`--every 7` takes each seventh point; `--jobs` shares the lives among so many processes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]


def main() -> int:
    """Share the work and sum it up; 0 where nothing differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first", type=int, default=1, help="the first point")
    parser.add_argument("--share", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.share is not None:
        return _share(first=asked.first + asked.share * asked.every, every=asked.every * asked.jobs)
    begun = time.monotonic()
    words = [sys.executable, __file__, f"--every={asked.every}", f"--jobs={asked.jobs}", f"--first={asked.first}"]
    workers = [
        subprocess.Popen([*words, f"--share={number}"], stdout=subprocess.PIPE, text=True)
        for number in range(asked.jobs)
    ]
    points, kills, wrong = 0, 0, 0
    where: Counter[str] = Counter()
    for worker in workers:
        assert worker.stdout is not None
        for line in worker.stdout:
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "points":
                points = max(points, int(rest))
            elif kind == "kill":
                kills += 1
                where[rest] += 1
            else:
                wrong += kind == "differs"
                print(line, end="", flush=True)
        if worker.wait():
            wrong += 1
            print(f"a share of the work ended with {worker.returncode}")
    for name, count in where.most_common():
        print(f"{count:6} killed {name}")
    print(f"n = {points} points, {kills} kills, {wrong} differences, {time.monotonic() - begun:.0f} s")
    return 0 if kills and not wrong else 1


def _share(*, first: int, every: int) -> int:
    """Live once without a crash, then once for each point of this share; tells of it line by line."""
    from tests.crash.stage import stage

    with stage() as web:
        from tests.crash.life import Life
        from tests.crash.portrait import unlike

        life = Life(web=web)
        with life.lived():
            end = life.portrait()
            bad = [*life.unlike_outlook(), *life.forbidden()]
            if life.idle_requests():
                bad.append("it does not come to rest")
        for one in bad:
            print(f"differs without a crash: {one}")
        print(f"points {life.passed}", flush=True)
        kill_at = first
        while True:
            life = Life(web=web, kill_at=kill_at)
            told = []
            try:
                with life.lived():
                    if not life.killed:
                        return 1 if bad else 0  # this point is beyond the end
                    told += life.unlike_outlook()
                    told += unlike(one=end, other=life.portrait())
                    told += life.forbidden()
                    if life.throttled():
                        told.append(f"{life.throttled()} requests were throttled")
                    if asked := life.idle_requests():
                        told.append(f"{asked} requests where nothing was to do")
            except Exception as problem:
                told.append(f"{type(problem).__name__}: {problem}")
            print(f"kill {life.killed}", flush=True)
            for one in told:
                print(f"differs at point {kill_at} ({life.killed}): {one}", flush=True)
            kill_at += every


if __name__ == "__main__":
    sys.exit(main())
