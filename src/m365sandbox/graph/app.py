"""The Graph endpoint as an ASGI application: reads the request, compresses and sends the answer."""

from __future__ import annotations

import asyncio
import zlib
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from ..world import World
from .errors import GraphError
from .pipeline import LineCut, Pipeline
from .wire import Call, Reply

MOST_BYTES = 4 * 1024 * 1024
LEAST_TO_COMPRESS = 1024


class GraphApp:
    """Everything under /v1.0."""

    def __init__(self, world: World, version: str) -> None:
        self.world = world
        self.version = version
        self.pipeline = Pipeline(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        content = await _read(receive)
        if content is None:
            problem = GraphError(413, "requestEntityTooLarge", "Request entity too large.")
            await _send(send, Reply(413, problem.body(date="", request_id="", client_request_id="")), headers)
            return
        origin = self.world.public_url or f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}"
        raw = scope.get("raw_path") or quote(scope["path"]).encode()
        path = raw.decode("latin-1").split("?")[0].removeprefix(f"/{self.version}")
        call = Call(
            scope["method"],
            path,
            scope["query_string"].decode("latin-1"),
            headers,
            content,
            f"{origin}/{self.version}",
        )
        try:
            reply = await self.pipeline.serve(call)
        except LineCut as line:
            if not line.begun:
                await _hang_up(scope)
                raise
            start = {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"4096")],
            }
            await send(start)
            await send({"type": "http.response.body", "body": b'{"@odata.context":"', "more_body": True})
            if line.seconds:
                await self.world.sleep(line.seconds)
            raise
        await _send(send, reply, headers)


async def _hang_up(scope: Scope) -> None:
    """Close the line without a byte, where a server said how (see `server.HangUp`)."""
    abort = scope.get("extensions", {}).get("m365sandbox.abort")
    if abort is not None:
        abort()
        await asyncio.sleep(0.01)  # until the server has noticed


async def _read(receive: Receive) -> bytes | None:
    """The body, or None when it is larger than Graph takes."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size <= MOST_BYTES:
            parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts) if size <= MOST_BYTES else None


async def _send(send: Send, reply: Reply, asked: dict[str, str]) -> None:
    body, kind = reply.payload(), reply.kind()
    headers = dict(reply.headers)
    if kind:
        headers["Content-Type"] = kind
    headers["Cache-Control"] = "private"
    headers["OData-Version"] = "4.0"
    if len(body) >= LEAST_TO_COMPRESS and "gzip" in asked.get("accept-encoding", ""):
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
    if reply.status != 204:
        headers["Content-Length"] = str(len(body))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
