"""Microsoft Graph's mail API, version 1.0, as far as Workestra needs it."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount

from ..world import World
from .app import GraphApp


def routes(world: World) -> list[BaseRoute]:
    """The routes of the Graph host."""
    return [Mount("/v1.0", app=GraphApp(world, "v1.0"))]
