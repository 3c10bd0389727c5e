"""The web process: the notification endpoint before Django, everything else through it."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workestra.project.settings")

import django

django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402

from workestra.kit.live import conninfo  # noqa: E402
from workestra.mail.hooks import PATH, Endpoint  # noqa: E402

_django = ASGIHandler()
_hooks = Endpoint(conninfo=conninfo(settings=settings.DATABASES["default"]))


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Choose by path."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == PATH:
        await _hooks(scope, receive, send)
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
