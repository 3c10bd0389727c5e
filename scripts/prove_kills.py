"""Proof: a worker killed (-9) ten times during a backfill loses nothing and doubles nothing (BKF 5, I7).

Everything is real: the sandbox over HTTP, an embedded PostgreSQL, `workestra web` and `workestra worker` as
processes, a sign-in through the sandbox's pages. Each kill happens while a page is in flight; two of them
inside the transaction that stores a page, proven by stopping the worker first (SIGSTOP) and looking at
PostgreSQL before it is killed. Meanwhile somebody works in Outlook: reads, files, deletes and receives mail.
Nobody presses anything. In the end `workestra export` is compared with what the sandbox says is true.

    .venv/bin/python scripts/prove_kills.py [--messages 20000] [--kills 10] [--inside 2]
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from prove_stage import Product, differences

from m365sandbox import app as sandbox_app

EMAIL = "ana@proof.example"


class Witness:
    """Sees from outside whether a page is in flight, and whether a page's transaction is open."""

    def __init__(self, *, world: Any, key: tuple[str, str], database: str) -> None:
        self.world = world
        self.key = key
        self.database = psycopg.connect(database, autocommit=True)

    def in_flight(self) -> int:
        """Requests that the sandbox has not answered yet."""
        return int(self.world.throttle.running(self.key))

    def inside_absorb(self) -> bool:
        """Whether a backend has written messages in a transaction that is not committed."""
        rows = self.database.execute(
            "select 1 from pg_stat_activity a join pg_locks l on l.pid = a.pid"
            " join pg_class c on c.oid = l.relation"
            " where a.datname = 'workestra' and a.xact_start is not null and a.backend_xid is not null"
            " and c.relname = 'mail_message' and l.mode = 'RowExclusiveLock' and l.granted limit 1"
        ).fetchall()
        return bool(rows)

    def stored(self) -> int:
        """Rows in the store, whatever workspace."""
        row = self.database.execute("select count(*) from mail_message").fetchone()
        return int(row[0]) if row else 0

    def state(self) -> tuple[str, str, int]:
        """State, phase and progress of the backfill."""
        row = self.database.execute(
            "select state, phase, pulled from mail_backfill order by id desc limit 1"
        ).fetchone()
        return (row[0], row[1], row[2]) if row else ("", "", 0)


def kill(*, worker: subprocess.Popen[bytes], witness: Witness, inside: bool, deadline: float) -> str:
    """Kill the worker at the wanted instant: stop it, look, and only then kill it."""
    while time.monotonic() < deadline:
        worker.send_signal(signal.SIGSTOP)
        time.sleep(0.03)
        flying, open_ = witness.in_flight(), witness.inside_absorb()
        if flying and (open_ or not inside):
            worker.kill()
            worker.wait()
            return f"{flying} pages in flight" + (", inside the transaction of a page" if open_ else "")
        worker.send_signal(signal.SIGCONT)
        time.sleep(random.uniform(0.02, 0.12))
    raise SystemExit("the wanted instant never came: use more messages")


def work_in_outlook(*, box: Any, letters: list[Any], chance: random.Random) -> int:
    """What its owner does meanwhile. Returns how many things."""
    items = [item for item in box.truth() if item.folder.well_known in ("inbox", "archive", "sentitems")]
    for item in chance.sample(items, 12):
        box.mark_read(item, not item.is_read)
    for item in chance.sample(items, 4):
        box.move(item, "archive")
    for item in chance.sample(items, 3):
        if not item.gone:
            box.delete(item)
    for _ in range(3):
        if letters:
            box.deliver(letters.pop())
    return 22


def main() -> int:
    """Run the proof; 0 if nothing differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--inside", type=int, default=2)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--latency", type=float, default=150, help="ms a request")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    address = "ana@larkfield.example"
    print(f"A mailbox of {asked.messages:,} messages, {asked.kills} kills, {asked.inside} inside a transaction.")
    world = sandbox_app.create_world(asked.seed, people={address: asked.messages})
    box = world.mailbox_of(address)
    more = [letter for letter, _ in sandbox_app.seed.letters(address, world.directory, 200, 991, world.clock())]
    app = next(iter(world.directory.apps.values()))
    with tempfile.TemporaryDirectory(prefix="workestra-proof-") as folder:
        handle = sandbox_app.serve_in_thread(world)
        product = Product(
            home=Path(folder), sandbox=handle.url, client_id=app.client_id, client_secret=app.client_secret
        )
        try:
            return _prove(asked, chance, world, box, more, handle.url, product, address)
        finally:
            product.stop()
            handle.stop()


def _prove(
    asked: argparse.Namespace,
    chance: random.Random,
    world: Any,
    box: Any,
    more: list[Any],
    sandbox: str,
    product: Product,
    address: str,
) -> int:
    product.run("migrate")
    product.create_user(email=EMAIL, workspace="Proof")
    product.start("web", "--port", str(product.port))
    product.connect(email=EMAIL, address=address)
    world.latency(asked.latency, 0.2)
    from workestra.project import postgres

    app = next(iter(world.directory.apps.values()))
    key = (app.client_id, world.directory.person(address=address).id)
    witness = Witness(world=world, key=key, database=postgres.embedded_url(home=product.home))
    product.run("backfill", address, "--range", "all")
    worker = product.start("worker")
    changes = 0
    begun = time.monotonic()
    for number in range(1, asked.kills + 1):
        goal = asked.messages * number // (asked.kills + 2)
        while witness.state()[2] < goal and witness.state()[0] != "done":
            time.sleep(0.05)
        if witness.state()[0] == "done":
            raise SystemExit("it was done before all kills: use more messages")
        inside = number in range(3, 3 + asked.inside)
        how = kill(worker=worker, witness=witness, inside=inside, deadline=time.monotonic() + 60)
        at = witness.state()
        changes += work_in_outlook(box=box, letters=more, chance=chance)
        print(f"kill {number:2}: {how}; {at[2]:,} pulled, {witness.stored():,} rows", flush=True)
        worker = product.start("worker")
    while witness.state()[0] != "done":
        time.sleep(0.2)
        if worker.poll() is not None:
            raise SystemExit("the worker ended by itself")
        if time.monotonic() - begun > 1800:
            raise SystemExit(f"not done after half an hour: {witness.state()}")
    print(f"done after {time.monotonic() - begun:.0f} s; {changes} things were done in Outlook meanwhile", flush=True)
    return _judge(product, sandbox, address, world)


def _judge(product: Product, sandbox: str, address: str, world: Any) -> int:
    """Wait until the live lane has caught up too, then compare; print what differs if anything."""
    counts: dict[str, int] = {}
    told: list[str] = []
    for _ in range(60):
        counts, told = differences(product=product, sandbox=sandbox, address=address)
        if not told and not counts["twice"]:
            break
        time.sleep(2)
    for name, count in counts.items():
        print(f"{name:>14}: {count:,}")
    for line in told[:20]:
        print(line)
    deletions = world.requests.by_method["DELETE"]
    moves = sum(one.method == "POST" and one.path.endswith(("/move", "/copy")) for one in world.requests.entries)
    print(
        f"requests {world.requests.total:,}; 429s {world.requests.by_status[429]}; DELETE {deletions}, moves {moves}"
    )
    good = not told and not counts["twice"] and not deletions and not moves
    print("PROVEN: the store equals the mailbox." if good else "NOT PROVEN.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
