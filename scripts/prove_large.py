"""Proof: a mailbox of a million messages costs a worker no more memory than a small one (BKF 9, PRF 3, PRF 7).

Everything is real: a sandbox process that makes each body when it is asked for, an embedded PostgreSQL, `workestra
web` and `workestra worker`, a sign-in through the sandbox's pages. Everything is chosen as the range. The live lane
walks all folders by delta, the backfill begins with the newest mail; when both have come as far as asked, the proof
ends.

    .venv/bin/python scripts/prove_large.py [--messages 1000000] [--pull 200000] [--most 300]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
from prove_stage import ROOT, Product

EMAIL = "ana@proof.example"
ADDRESS = "ana@larkfield.example"
MEGABYTE = 1024 * 1024


class Mailbox:
    """What the database says of the one mailbox."""

    def __init__(self, *, url: str) -> None:
        self._database = psycopg.connect(url, autocommit=True)

    def number(self, query: str) -> int:
        """The one number that a query answers."""
        row = self._database.execute(query).fetchone()  # type: ignore[arg-type]
        return int(row[0] or 0) if row else 0

    def pulled(self) -> int:
        """Messages that the backfill has stored."""
        return self.number("select max(pulled) from mail_backfill")

    def unwalked(self) -> int:
        """Folders that the live lane has not walked to their end yet."""
        return self.number("select count(*) from mail_folder where tracked and gone_at is null and cursor = ''")


def main() -> int:
    """Run the proof; 0 if the worker stayed below the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--pull", type=int, default=200_000)
    parser.add_argument("--most", type=int, default=300, help="MB that the worker may have")
    parser.add_argument("--minutes", type=float, default=60, help="to give up after")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="workestra-proof-") as folder:
        outlook = subprocess.Popen(
            [sys.executable, "-m", "m365sandbox", "--port", "0", "--json", "--messages", str(asked.messages)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
        assert outlook.stdout is not None
        began = time.monotonic()
        told = json.loads(outlook.stdout.readline())
        print(f"A mailbox of {asked.messages:,} messages, ready after {time.monotonic() - began:.0f} s", flush=True)
        product = Product(
            home=Path(folder), sandbox=told["url"], client_id=told["client_id"], client_secret=told["client_secret"]
        )
        try:
            return _prove(asked, product)
        finally:
            product.stop()
            outlook.terminate()
            outlook.wait(20)


def _prove(asked: argparse.Namespace, product: Product) -> int:
    product.run("migrate")
    product.create_user(email=EMAIL, workspace="Proof")
    product.start("web", "--port", str(product.port))
    product.connect(email=EMAIL, address=ADDRESS)
    from workestra.project import postgres

    mailbox = Mailbox(url=postgres.embedded_url(home=product.home))
    worker = product.start("worker")
    watched = psutil.Process(worker.pid)
    product.run("backfill", ADDRESS, "--range", "all")
    begun, peak, said, first = time.monotonic(), 0, 0, 0.0
    while (pulled := mailbox.pulled()) < asked.pull or mailbox.unwalked():
        peak = max(peak, watched.memory_info().rss)
        passed = time.monotonic() - begun
        if pulled >= 50 and not first:
            first = passed
            print(f"the first 50 stored {first:.1f} s after the range was chosen", flush=True)
        if passed >= said:
            said += 30
            now = watched.memory_info().rss / MEGABYTE
            left = mailbox.unwalked()
            print(f"{passed:5.0f} s: {pulled:9,} pulled, {left} folders to walk, {now:.0f} MB", flush=True)
        if passed > asked.minutes * 60:
            raise SystemExit("not done in time")
        time.sleep(0.25)
    spent = time.monotonic() - begun
    print(f"done after {spent:.0f} s: {pulled:,} pulled ({pulled / spent:.0f} a second), every folder walked")
    print(f"the worker's most memory: {peak / MEGABYTE:.0f} MB")
    good = peak < asked.most * MEGABYTE
    print("PROVEN." if good else f"NOT PROVEN: over {asked.most} MB.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
