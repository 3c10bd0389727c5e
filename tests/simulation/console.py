"""`workestra verify`, typed by somebody on the server: a process of its own, which may be killed like any other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tests.simulation.lives import Life
from tests.simulation.worker import keep_slots
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import runs
from workestra.project.cli import verify as command
from workestra.tenancy.rows import scope

if TYPE_CHECKING:
    from tests.simulation.members import Owner
    from tests.simulation.product import Product


def verify(*, product: Product, owner: Owner, repair: bool) -> str:
    """Begin it. What it finds stands in the sync log."""
    life = Life("console", skew=product.skew())
    life.start(keep_slots(life))
    life.start(_whole(product, owner, life, repair=repair))
    if owner.dice.random() < 0.3:
        product.loop.call_later(owner.dice.uniform(0.05, 3), product.kill, life)
    return "types workestra verify" + (" --repair" if repair else "")


async def _whole(product: Product, owner: Owner, life: Life, *, repair: bool) -> None:
    row: Any = SimpleNamespace(id=owner.row.pk, workspace_id=owner.row.workspace_id, address=owner.name)

    def ask() -> int:
        with scope(workspace=row.workspace_id):
            return runs.ask_check(
                workspace=row.workspace_id,
                connection=row.id,
                repair=repair,
                bodies=True,
                member=None,
                now=clock.now(),
            )

    try:
        said = await command._work(row, await hop(ask))
        product.trace("console", said.split(" ")[0] or "compared")  # the rest names a request, by chance
    except Exception as problem:
        product.trace("console", f"ends with {type(problem).__name__}")
    life.kill()
