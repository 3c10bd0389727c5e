"""The store against Outlook's truth: the judge of convergence."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from tests.sandboxes import Outlook, ref_of
from workestra.mail.models import Connection, Message
from workestra.rules.tracking import UNTRACKED
from workestra.tenancy.rows import scope

Row = tuple[Any, ...]


def truth(outlook: Outlook, name: str, *, since: datetime) -> dict[str, Row]:
    """What Outlook has in the folders that are tracked by default, received at or after `since`."""
    box = outlook.mailbox(name)
    rows: dict[str, Row] = {}
    for item in box.truth():
        tracked = True
        chain: Any = item.folder
        while chain is not None and chain.well_known != "msgfolderroot":
            tracked = tracked and chain.well_known not in UNTRACKED
            chain = chain.parent
        if not tracked or item.letter.received_at < since:
            continue
        _, content = item.letter.body()
        rows[box.immutable_id(item)] = (
            item.folder.id,
            item.is_read,
            sorted(item.categories),
            item.letter.subject,
            hashlib.sha256(content.encode()).hexdigest(),
        )
    return rows


def store(connection: Connection) -> dict[str, Row]:
    """What we hold."""
    with scope(workspace=connection.workspace_id):
        rows = Message.objects.filter(connection_id=connection.pk, removed_at__isnull=True).select_related("folder")
        return {
            row.immutable_id: (
                row.folder.graph_id,
                row.is_read,
                sorted(row.categories),
                row.subject,
                bytes(row.body_hash).hex(),
            )
            for row in rows
        }


def differences(outlook: Outlook, connection: Connection, name: str) -> list[str]:
    """Every difference, in words; none: the store equals the mailbox in the range."""
    theirs = truth(outlook, name, since=ref_of(connection).scope_start)
    ours = store(connection)
    return [
        *(f"missing {one}" for one in theirs.keys() - ours.keys()),
        *(f"surplus {one}" for one in ours.keys() - theirs.keys()),
        *(
            f"differs {one}: {theirs[one]} / {ours[one]}"
            for one in theirs.keys() & ours.keys()
            if theirs[one] != ours[one]
        ),
    ]
