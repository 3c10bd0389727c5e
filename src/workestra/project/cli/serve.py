"""`workestra serve`: web and worker in one process tree, kept alive."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from workestra.project.cli import ports, preflight, ready
from workestra.project.cli.supervise import Child, Ended, Supervisor, signals_end
from workestra.project.cli.web import Host, Port, Workers

SELF = (sys.executable, "-m", "workestra.project.cli")


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    migrate: Annotated[bool, typer.Option("--migrate", help="Bring the database up to date first.")] = False,
) -> None:
    """Run web and worker together; whichever dies is started again. Ctrl-C or SIGTERM ends them."""
    with signals_end():
        supervisor = Supervisor(say=_say)
        try:
            ready.environment()
            ports.must_be_free(host=host, port=port)
            ready.database(keep=_say)
            if migrate:
                _migrate()
            preflight.must_succeed()
            web = [*SELF, "web", "--host", host, "--port", str(port), "--workers", str(workers)]
            supervisor.start(Child(name="web", command=web, env=dict(os.environ)))
            supervisor.start(Child(name="worker", command=[*SELF, "worker"], env=dict(os.environ)))
            supervisor.watch()
        except Ended:
            typer.echo("Ending.", err=True)
        finally:
            supervisor.stop()


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _migrate() -> None:
    done = subprocess.run([*SELF, "migrate"], check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
