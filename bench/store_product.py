"""What storing costs the product: `absorb` with threads, search and row-level security (PRF 2).

    python -m bench.store_product --rows 2000 --page 250

The rows are those of `bench.store_peers`; decoding, hashing and compressing happen before the clock starts, as the
peers' models are built before theirs. The replay absorbs the same pages under a later question and fails when a
single row was written again. To be set beside `bench.store_peers` in the same minutes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from bench.cluster import database, server
from bench.product import _migrate, _prepare
from bench.store_peers import prepared


def main() -> None:
    """Command line; prints rows a second, first write and replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--page", type=int, default=250)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--database-url", default="")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        server(url=given.database_url, folder=Path(folder) / "postgres") as admin,
        database(admin=admin, name="bench_store_product") as url,
    ):
        _prepare("http://127.0.0.1:1", url)
        import django

        django.setup()
        _migrate(url)
        rates = [measure(rows=given.rows, page=given.page, number=number) for number in range(given.repeats)]
        for number, (write, replay) in enumerate(rates):
            print(f"repeat {number + 1}  page {given.page}  write {write:7.0f} rows/s  replay {replay:7.0f} rows/s")
        write, replay = (statistics.median(each) for each in zip(*rates, strict=True))
        print(f"median    page {given.page}  write {write:7.0f} rows/s  replay {replay:7.0f} rows/s", flush=True)
        from django.db import connections

        connections["default"].close_pool()


def measure(*, rows: int, page: int, number: int) -> tuple[float, float]:
    """(rows a second written, rows a second replayed) into a mailbox of its own. Fails if a replay writes."""
    from workestra.graph.wire import Message
    from workestra.kit import clock
    from workestra.mail.doors import folders, store
    from workestra.mail.intake import letter

    here = _mailbox(number)
    wire = [msgspec.convert(one, Message) for one in prepared(count=rows, seed=number + 1)]
    folders.replace(
        ref=here, folders=[folders.Seen(wire[0].parent_folder_id or "", "", "Inbox", "inbox", 0)], now=clock.now()
    )
    here = _read(here)
    now = clock.now()
    letters = [letter(message=one, mailbox=here.mailbox, asked_at=now) for one in wire]

    def absorb(asked_at: Any) -> float:
        began = time.perf_counter()
        for start in range(0, rows, page):
            store.absorb(
                ref=here, asked_at=asked_at, now=asked_at, letters=letters[start : start + page], history=True
            )
        return time.perf_counter() - began

    first = absorb(now)
    before = _versions(here)
    again = absorb(now + timedelta(minutes=1))
    if len(before) != rows or _versions(here) != before:
        raise SystemExit("rows are missing, or a replay wrote")
    return rows / first, rows / again


def _mailbox(number: int) -> Any:
    from workestra.kit import clock
    from workestra.mail.doors import connecting, ref
    from workestra.mail.flows.microsoft import SCOPES
    from workestra.tenancy.models import Role
    from workestra.tenancy.rows import scope
    from workestra.tenancy.seats import create_seat

    address = f"a{number}@bench.example"
    member = create_seat(email=address, password=None, name="A", workspace="Bench", role=Role.OWNER)
    signed_in = connecting.SignedIn("t", f"o{number}", address, "A", False, "x", "r", clock.now(), SCOPES)
    row = connecting.connect(member=member, signed_in=signed_in, reconnects=None, now=clock.now())
    with scope(workspace=member.workspace_id):
        return ref.read(connection=row.pk)


def _read(here: Any) -> Any:
    from workestra.mail.doors import ref
    from workestra.tenancy.rows import scope

    with scope(workspace=here.workspace):
        return ref.read(connection=here.connection)


def _versions(here: Any) -> set[tuple[int, str]]:
    """Every row with the transaction that wrote it."""
    from django.db import connection

    from workestra.tenancy.rows import scope

    with scope(workspace=here.workspace), connection.cursor() as cursor:
        cursor.execute("select id, xmin::text from mail_message where connection_id = %s", [here.connection])
        return set(cursor.fetchall())


if __name__ == "__main__":
    main()
