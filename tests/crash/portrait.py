"""What two runs of one life have to have in common: all that is stored, in words that hold in any workspace."""

from __future__ import annotations

from typing import Any

from django.db import connection as database
from tests.sandboxes import Outlook

from workestra.kit import clock
from workestra.mail.models import (
    Backfill,
    Connection,
    Folder,
    Message,
    Notice,
    Slot,
    Subscription,
    SyncRun,
    ThreadCopy,
)
from workestra.tenancy.rows import scope


def portrait(*, connection: Connection, outlook: Outlook) -> dict[str, Any]:
    """Mail, threads, places, history, health and what waits: by subjects and names, without ids or times."""
    with scope(workspace=connection.workspace_id):
        mine = {"connection_id": connection.pk}
        letters = list(Message.objects.filter(**mine).select_related("folder").order_by("subject", "id"))
        threads: dict[int, str] = {}
        for one in letters:
            threads.setdefault(one.thread_id, one.subject)
        row = Connection.objects.get(pk=connection.pk)
        told: dict[str, Any] = {
            f"letter {one.subject}": (
                one.folder.name if one.removed_at is None else "removed",
                (one.is_read, one.flag, tuple(one.categories), bytes(one.body_hash).hex()[:12], one.doubted)
                if one.removed_at is None
                else None,
                threads[one.thread_id],
            )
            for one in letters
        }
        told |= {"letters": len(letters)}
        told |= {
            f"thread {threads[one.thread_id]}": (one.messages, one.unread, one.fresh, one.flagged)
            for one in ThreadCopy.objects.filter(**mine)
        }
        told |= {
            f"folder {one.name}": (one.tracked, bool(one.cursor), one.link, one.prove, one.ready_at is not None)
            for one in Folder.objects.filter(gone_at__isnull=True, **mine)
        }
        told |= {
            f"backfill {number}": (one.choice, one.state, one.phase, one.pulled, one.estimate, one.reason)
            for number, one in enumerate(Backfill.objects.filter(**mine).order_by("id"))
        }
        told["connection"] = (row.state, row.error_code, row.failures, row.first_done_at is not None)
        told["connections"] = Connection.objects.count()
        told["runs under way"] = SyncRun.objects.filter(state__in=("queued", "running"), **mine).count()
    told["notices"] = Notice.objects.filter(**mine).count()
    told["slots"] = Slot.objects.filter(mailbox_id=row.mailbox_id, expires_at__gt=clock.now()).count()
    ours = {one.graph_id for one in Subscription.objects.filter(mailbox_id=row.mailbox_id)}
    told["subscriptions"] = (len(ours), ours == set(outlook.world.subscriptions))
    with database.cursor() as cursor:
        cursor.execute(
            "select status::text from procrastinate_jobs where (args->>'connection')::bigint = %s", [row.pk]
        )
        told["jobs"] = sorted(one[0] for one in cursor.fetchall())
    return told


def unlike(*, one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Every difference, in words."""
    return [
        f"{key}: {one.get(key)} without a crash, {other.get(key)} with it"
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]
