"""The one write of every peer: Django's bulk_create with update_conflicts."""

from __future__ import annotations

from collections.abc import Sequence

from bench.peers.table.models import CHANGING, Letter

BATCH = 250  # rows a statement: see README.md for what other sizes cost


def save(letters: Sequence[Letter], *, batch: int = BATCH) -> None:
    """Insert or update by message_id, in one transaction."""
    Letter.objects.bulk_create(
        letters, batch_size=batch, update_conflicts=True, unique_fields=["message_id"], update_fields=CHANGING
    )
