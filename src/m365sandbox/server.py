"""Runs an ASGI app on a loopback port: in the foreground for people, in a thread for tests. One process, one loop."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
import uvicorn


@dataclass(slots=True)
class Tls:
    """A certificate for loopback names and the authority that vouches for it, as PEM files."""

    ca_path: Path
    key_path: Path
    chain_path: Path
    _folder: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def create(cls, *, names: tuple[str, ...] = (), ca_file: Path | None = None) -> Tls:
        """A new authority and certificate. `ca_file` is where the authority is written for clients."""
        folder = tempfile.TemporaryDirectory(prefix="m365sandbox-tls-")
        root = Path(folder.name)
        authority = trustme.CA(organization_name="Microsoft 365 sandbox")
        leaf = authority.issue_cert("localhost", "127.0.0.1", "::1", *names)
        tls = cls(ca_file or root / "ca.pem", root / "key.pem", root / "chain.pem", folder)
        authority.cert_pem.write_to_path(str(tls.ca_path))
        leaf.private_key_pem.write_to_path(str(tls.key_path))
        for number, part in enumerate(leaf.cert_chain_pems):
            part.write_to_path(str(tls.chain_path), append=number > 0)
        return tls

    def close(self) -> None:
        """Remove the files, but for an authority that was written elsewhere."""
        if self._folder:
            self._folder.cleanup()


class Server(uvicorn.Server):
    """uvicorn, but its end comes at once, and clients that keep an idle connection open do not hold it up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._end = asyncio.Event()

    def end(self) -> None:
        """Serve no longer. To be called in the server's loop."""
        self.should_exit = True
        self._end.set()

    async def main_loop(self) -> None:
        """Tick as uvicorn does, but do not sleep through the call to end."""
        for counter in itertools.count():
            if await self.on_tick(counter):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut idle connections, let running requests finish, cut what is left."""
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is None or cycle.response_complete:
                _cut(connection)
        await asyncio.sleep(0)  # in which those that were cut go
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
        else:
            await self._leave(sockets or [])
        for connection in list(self.server_state.connections):
            _cut(connection)
        await asyncio.sleep(0)

    async def _leave(self, sockets: list[socket.socket]) -> None:
        """Go while nobody is on the line. uvicorn would first give them a tenth of a second for their answers."""
        for server in self.servers:
            server.close()
        for one in sockets:
            one.close()
        await self.lifespan.shutdown()


class HangUp:
    """Tells an app how to close a line without an answer, which ASGI has no word for."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on."""
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if scope["type"] == "http" and transport is not None:
            scope = {**scope, "extensions": {**scope.get("extensions", {}), "m365sandbox.abort": transport.abort}}
        await self._app(scope, receive, send)


def _cut(connection: Any) -> None:
    transport = getattr(connection, "transport", None)
    if transport is not None:
        transport.abort()


@dataclass(slots=True)
class Handle:
    """A server that runs in a thread. `url` has no slash at the end."""

    url: str
    ca_path: Path | None
    app: Any
    _server: Server
    _thread: threading.Thread
    _tls: Tls | None = None
    loop: asyncio.AbstractEventLoop | None = field(default=None)

    def stop(self) -> None:
        """End the server and wait for its thread."""
        self._server.should_exit = True
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended already
                self.loop.call_soon_threadsafe(self._server.end)
        self._thread.join(timeout=10)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(timeout=10)
        if self._tls:
            self._tls.close()

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that port 0 is known before the server starts. Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # only so asyncio sets TCP_NODELAY
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    bound.listen(256)
    return bound


def configure(app: Any, *, tls: Tls | None) -> uvicorn.Config:
    """How the sandbox is served: no access log (the sandbox keeps its own), long idle connections."""
    return uvicorn.Config(
        HangUp(app),
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        ssl_keyfile=str(tls.key_path) if tls else None,
        ssl_certfile=str(tls.chain_path) if tls else None,
    )


def address(bound: socket.socket, *, host: str, tls: Tls | None) -> str:
    """The URL of a listening socket."""
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{bound.getsockname()[1]}"


def serve_app_in_thread(app: Any, *, port: int = 0, tls: Tls | None = None, host: str = "127.0.0.1") -> Handle:
    """Start and wait until it answers. Raises RuntimeError when it does not start."""
    bound = listen(host, port)
    server = Server(configure(app, tls=tls))
    handle = Handle(
        url=address(bound, host=host, tls=tls),
        ca_path=tls.ca_path if tls else None,
        app=app,
        _server=server,
        _thread=threading.Thread(target=lambda: None),
        _tls=tls,
    )

    async def run() -> None:
        handle.loop = asyncio.get_running_loop()
        await server.serve(sockets=[bound])

    def body() -> None:
        # a failed start-up is told by SystemExit
        with contextlib.suppress(SystemExit), contextlib.closing(bound):
            asyncio.run(run())

    handle._thread = threading.Thread(target=body, name="m365sandbox", daemon=True)
    handle._thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        if not handle._thread.is_alive() or time.monotonic() > deadline:
            server.should_exit = True
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.005)
    return handle
