"""`workestra web`: the web process."""

from __future__ import annotations

from typing import Annotated

import typer

from workestra.project.cli import ports, preflight, ready

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every network of this machine.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Web processes; one a core is plenty.")]


def web(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    """Serve pages and Microsoft's notifications until SIGTERM or Ctrl-C. TLS belongs to a proxy in front."""
    chosen = ready.environment()
    ports.must_be_free(host=host, port=port)
    ready.database(keep=lambda text: typer.echo(text, err=True))
    preflight.must_succeed()
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    typer.echo(f"Web on http://{host}:{port}, opened by people as {chosen.public_url}", err=True)
    Server(
        "workestra.project.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        # Event streams never end by themselves: an orderly end must not wait for them.
        workers_kill_timeout=3,
    ).serve()
