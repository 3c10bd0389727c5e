"""The web process: health and the notification endpoint before Django, everything else through it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any

from workestra.project.parent import end_with_parent

above = multiprocessing.parent_process()
if above is not None and above.pid is not None:  # a web process of several: without the first it would keep the port
    end_with_parent(parent=above.pid, number=signal.SIGKILL)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workestra.project.settings")

import django  # noqa: E402

django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402

from workestra.kit.live import conninfo  # noqa: E402
from workestra.mail.hooks import PATH, Endpoint  # noqa: E402
from workestra.project import health  # noqa: E402

_django = ASGIHandler()
_database = conninfo(settings=settings.DATABASES["default"])
_hooks = Endpoint(conninfo=_database)
_health = health.Health(conninfo=_database)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Choose by path."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == PATH:
        await _hooks(scope, receive, send)
    elif scope["type"] == "http" and scope["path"] in (health.ALIVE, health.READY):
        await _health(scope, send)
    else:
        await _django(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
