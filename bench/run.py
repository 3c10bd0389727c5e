"""One run: product and peers side by side, interleaved and repeated, as seconds and as ratios to each other.

    python -m bench.run                      everything, with latency and without
    python -m bench.run --only bare sdk o365 --repeats 3 --mode latency --json
    python -m bench.run --only bare --page-sizes 50 100 250 500 1000

Every measurement is a process of its own with an empty database of its own; the order is rotated in each
repeat, and the figure is the median. The feeder's counters are read after each one. The two client
libraries take minutes for 10,000 messages, at a steady pace, so they read the newest --slow-messages of
them and are compared by messages a second; --full makes them read all.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bench import processes, report
from bench.cluster import database, server
from workestra.rules.replication import PAGE

MODULES = {
    "bare": "bench.peers.bare",
    "product": "bench.product",
    "sdk": "bench.peers.sdk_bulk",
    "o365": "bench.peers.o365_bulk",
}
SLOW = {"sdk", "o365"}
PAGES = {"bare": PAGE, "product": PAGE, "sdk": 1000, "o365": 1000}  # the bound reads the product's own pages


def available() -> list[str]:
    """The runners whose module can be found."""
    return [name for name, module in MODULES.items() if importlib.util.find_spec(module) is not None]


def measure(*, given: argparse.Namespace, feeder_url: str, admin: str) -> list[dict[str, Any]]:
    """Every sample as a flat record: runner, mode, page_size, seconds, messages, and the feeder's counts."""
    samples = []
    for mode in given.mode:
        for repeat in range(given.repeats):
            cases = [(name, size) for name in given.only for size in given.page_sizes or [PAGES[name]]]
            turn = repeat % len(cases)
            for name, size in cases[turn:] + cases[:turn]:
                samples.append(
                    sample(name=name, size=size, mode=mode, given=given, feeder_url=feeder_url, admin=admin)
                )
                print(report.line(samples[-1]), file=sys.stderr, flush=True)
    return samples


def sample(
    *, name: str, size: int, mode: str, given: argparse.Namespace, feeder_url: str, admin: str
) -> dict[str, Any]:
    """One measurement. Failed when the runner fails or did not read every message."""
    processes.ask(url=f"{feeder_url}/_feeder/reset?latency={'on' if mode == 'latency' else 'off'}", method="POST")
    wanted = min(given.messages, given.slow_messages) if name in SLOW and not given.full else given.messages
    with database(admin=admin, name="bench_run") as url:
        result = processes.runner(
            module=MODULES[name],
            feeder_url=feeder_url,
            database_url=url,
            page_size=size,
            messages=wanted,
            timeout=given.timeout,
        )
    counted = processes.ask(url=f"{feeder_url}/_feeder/counters")
    if result.messages != wanted:
        raise processes.Failed(f"{name}: {result.messages} of {wanted} messages")
    return {
        "runner": name,
        "mode": mode,
        "page_size": size,
        "seconds": result.seconds,
        "messages": result.messages,
        "requests": counted["requests"],
        "throttled": counted["throttled"],
        "max_in_flight": counted["max_in_flight"],
        "megabytes": counted["bytes"] / 1e6,
        "refused": counted["unknown"],
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(MODULES), help="default: all that can be found")
    parser.add_argument("--mode", nargs="+", choices=("latency", "none"), default=["latency", "none"])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--slow-messages", type=int, default=2000)
    parser.add_argument("--full", action="store_true", help="the slow peers read every message too")
    parser.add_argument(
        "--page-sizes",
        type=int,
        nargs="+",
        help="default: the product's; 1000 for the libraries",
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for one measurement")
    parser.add_argument("--database-url", default="", help="a PostgreSQL superuser address; default: embedded")
    parser.add_argument("--no-gzip", action="store_true", help="the feeder sends plain pages")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    given.only = given.only or available()
    arguments = ["--no-gzip"] if given.no_gzip else []
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        server(url=given.database_url, folder=Path(folder) / "postgres") as admin,
        processes.feeder(messages=given.messages, arguments=arguments) as feeder_url,
    ):
        samples = measure(given=given, feeder_url=feeder_url, admin=admin)
    medians = report.medians(samples)
    if given.json:
        print(msgspec.json.encode({"samples": samples, "medians": medians}).decode())
    else:
        print(report.table(medians))


if __name__ == "__main__":
    main()
