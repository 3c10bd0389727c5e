"""What storing alone costs, without a network: Django's bulk_create on the bare table (PRF 2).

    python -m bench.store_peers --rows 2000 --batches 50 100 250 500 1000

Rows are built from the feeder's own messages before the clock starts. Each size starts with an empty table;
the second pass writes the same rows again, as a replay of pages already held would.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.cluster import database, server
from bench.feed.messages import messages
from bench.peers import table


def prepared(*, count: int, seed: int = 1) -> list[dict[str, Any]]:
    """`count` messages in Graph's shape, mean 26 KB of HTML, newest first."""
    newest = datetime(2026, 6, 1, tzinfo=UTC)
    return list(messages(count=count, mean=26_000, days=80, newest=newest, folder="inbox", seed=seed))


def letters(wire: Iterable[dict[str, Any]]) -> list[Any]:
    """Model instances of the bare table, not saved. Needs table.prepare first."""
    from bench.peers.table.models import Letter

    return [
        Letter(
            message_id=one["id"],
            internet_message_id=one["internetMessageId"],
            conversation_id=one["conversationId"],
            folder_id=one["parentFolderId"],
            change_key=one["changeKey"],
            subject=one["subject"],
            sender=one["from"]["emailAddress"]["address"],
            sender_name=one["from"]["emailAddress"]["name"],
            recipients=[
                [kind, who["emailAddress"]["name"], who["emailAddress"]["address"]]
                for kind in ("toRecipients", "ccRecipients", "bccRecipients")
                for who in one[kind]
            ],
            received_at=datetime.fromisoformat(one["receivedDateTime"]),
            sent_at=datetime.fromisoformat(one["sentDateTime"]),
            is_read=one["isRead"],
            importance=one["importance"],
            flag=one["flag"]["flagStatus"],
            categories=one["categories"],
            has_attachments=one["hasAttachments"],
            attachments=one["attachments"],
            headers=one["internetMessageHeaders"],
            preview=one["bodyPreview"],
            body_type=one["body"]["contentType"],
            body=one["body"]["content"],
        )
        for one in wire
    ]


def bulk_create(*, rows: list[Any], batch: int) -> float:
    """Seconds for writing all rows, one bulk_create and one transaction for each `batch`."""
    from bench.peers.table.save import save

    gc.collect()
    began = time.perf_counter()
    for start in range(0, len(rows), batch):
        save(rows[start : start + batch], batch=batch)
    return time.perf_counter() - began


def main() -> None:
    """Command line; prints rows a second for each batch size, first write and replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--batches", type=int, nargs="+", default=[50, 100, 250, 500, 1000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--database-url", default="")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        server(url=given.database_url, folder=Path(folder) / "postgres") as admin,
        database(admin=admin, name="bench_store") as url,
    ):
        table.prepare(database_url=url)
        from django.db import connection

        from bench.peers.table.models import Letter

        rows = letters(prepared(count=given.rows))
        for repeat in range(given.repeats):
            for batch in given.batches:
                with connection.cursor() as cursor:
                    cursor.execute(f'truncate "{Letter._meta.db_table}"')
                first, again = bulk_create(rows=rows, batch=batch), bulk_create(rows=rows, batch=batch)
                print(
                    f"repeat {repeat + 1}  batch {batch:5}  write {given.rows / first:7.0f} rows/s  "
                    f"replay {given.rows / again:7.0f} rows/s",
                    flush=True,
                )
        connection.close()


if __name__ == "__main__":
    main()
