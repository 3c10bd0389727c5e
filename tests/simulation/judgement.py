"""The verdict on a product at rest: the checkers, asked for every connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation import resting
from tests.simulation.checkers import convergence, health, readstate, requests
from tests.simulation.members import Owner
from workestra.mail.models import Message, SyncRun
from workestra.tenancy.rows import scope

if TYPE_CHECKING:
    from tests.simulation.run import Simulation


async def converged(*, cast: Simulation) -> list[str]:
    """I1 to I3, I5, I6, I11 and I13. Counts what it finds in the outcome."""
    words: list[str] = []
    outcome, world, now = cast.outcome, cast.outlook.world, cast.product.now()
    for owner in cast.owners:
        box = cast.outlook.mailbox(owner.name)
        found = await cast.product.look(
            lambda owner=owner, box=box: convergence.verdict(  # type: ignore[misc]
                box=box, connection=owner.row, connected=owner.connected
            )
        )
        outcome.lost += len(found.lost)
        outcome.doubled += len(found.doubled)
        outcome.unexpected += len(found.unexpected)
        outcome.different += len(found.different)
        words += found.words
        words += await cast.product.look(
            lambda owner=owner, box=box: [  # type: ignore[misc]
                *readstate.overruled(box=box, connection=owner.row, ledger=cast.ledger),
                *readstate.waiting(connection=owner.row),
            ]
        )
        words += await cast.product.look(lambda owner=owner: health.unwell(connection=owner.row, now=now))  # type: ignore[misc]
    entries = world.requests.last(world.requests.total - outcome.requests)
    outcome.requests = world.requests.total
    deletes = requests.forbidden(entries=entries)
    outcome.deletes += len(deletes)
    cast.trace("judged", f"{len(entries)} requests")
    return [*words, *deletes, *requests.unbounded(entries=entries), *_failed(cast)]


def _failed(cast: Simulation) -> list[str]:
    return [f"a job failed: {one}" for one in cast.product.failures]


async def again(*, cast: Simulation) -> list[str]:
    """I6, I7: whoever runs again finds nothing to do, has nothing to tell, and a check finds everything equal."""
    words: list[str] = []
    for owner in cast.owners:
        before = await cast.product.look(lambda owner=owner: _newest(owner))  # type: ignore[misc]
        requests_before = cast.outlook.world.requests.total
        await cast.product.act(owner.sync_now)
        await cast.product.act(owner.check)
        await resting.rest(cast=cast, seconds=120)
        words += await cast.product.look(lambda owner=owner: _unequal(owner))  # type: ignore[misc]
        entries = cast.outlook.world.requests.last(cast.outlook.world.requests.total - requests_before)
        words += readstate.patched(entries=entries)
        count, found = await cast.product.look(lambda owner=owner, before=before: _after(owner, before))  # type: ignore[misc]
        cast.outcome.messages += count
        words += found
        words += await _two_rounds(cast, owner)
    return words


async def _two_rounds(cast: Simulation, owner: Owner) -> list[str]:
    """I6: a press at rest is put once for each message that it marks, and its coming back causes nothing."""
    words = []
    for _ in range(3):
        owner.pressed = ([], False)
        await cast.product.act(owner.mark)
        ids, is_read = owner.pressed
        cast.ledger.here(ids=ids, is_read=is_read, at=cast.loop.time())
        for most in (len(ids), 0):
            before = cast.outlook.world.requests.total
            await resting.rest(cast=cast, seconds=120)
            entries = cast.outlook.world.requests.last(cast.outlook.world.requests.total - before)
            patches = readstate.patched(entries=entries)
            if len(patches) != most:
                words += [f"I6 {len(patches)} requests for {most} marks", *patches]
    box = cast.outlook.mailbox(owner.name)
    return words + await cast.product.look(
        lambda: readstate.overruled(box=box, connection=owner.row, ledger=cast.ledger)
    )


def _newest(owner: Owner) -> int:
    with scope(workspace=owner.row.workspace_id):
        rows = SyncRun.objects.filter(connection_id=owner.row.pk).order_by("-id")
        return rows.values_list("pk", flat=True).first() or 0


def _after(owner: Owner, before: int) -> tuple[int, list[str]]:
    with scope(workspace=owner.row.workspace_id):
        held = Message.objects.filter(connection_id=owner.row.pk, removed_at__isnull=True).count()
        rows = SyncRun.objects.filter(connection_id=owner.row.pk, pk__gt=before)
        return held, [
            f"I7 at rest a sync added {one.added}, changed {one.changed}, removed {one.removed}"
            for one in rows
            if one.added or one.changed or one.removed
        ]


def _unequal(owner: Owner) -> list[str]:
    """What the product itself says of its copy."""
    with scope(workspace=owner.row.workspace_id):
        run = SyncRun.objects.filter(connection_id=owner.row.pk, kind="verify").latest("id")
        differ = [f"{one.folder.name}: {one.left}" for one in run.proofs.select_related("folder") if one.left]
    return [] if run.equal else [f"OPS 2 a check at rest ended as {run.state}, {run.error_code} {differ}"]
