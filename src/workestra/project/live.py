"""Server-sent events: tells a browser which topics of its workspace changed; it then reads again (INB 4)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from workestra.kit.live import Hub, conninfo
from workestra.tenancy.views import async_member_view, member_of


@cache
def hub() -> Hub:
    """This process's one listening connection."""
    return Hub(conninfo=conninfo(settings=settings.DATABASES["default"]))


@async_member_view
async def events(request: HttpRequest) -> HttpResponseBase:
    """A stream that never ends. It reads no business rows: topics carry ids only."""
    workspace = member_of(request).workspace_id

    async def stream() -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        async for topic in hub().topics(workspace=workspace):
            yield f"data: {json.dumps({'topic': topic})}\n\n".encode() if topic else b": still here\n\n"

    answer = StreamingHttpResponse(stream(), content_type="text/event-stream")
    answer["Cache-Control"] = "no-store"
    answer["X-Accel-Buffering"] = "no"
    return answer
