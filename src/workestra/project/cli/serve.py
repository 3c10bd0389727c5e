"""`workestra serve`: web and worker in one process tree, kept alive."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from workestra.project.cli import ready
from workestra.project.cli.problem import Code, Problem
from workestra.project.cli.supervise import Child, Ended, Supervisor, signals_end
from workestra.project.cli.web import Host, Port, Workers

SELF = (sys.executable, "-m", "workestra.project.cli")


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    migrate: Annotated[bool, typer.Option("--migrate", help="Bring the database up to date first.")] = False,
) -> None:
    """Run web and worker together; whichever dies is started again. Ctrl-C or SIGTERM ends both."""
    with signals_end():
        supervisor = Supervisor(say=lambda text: typer.echo(text, err=True))
        try:
            ready.database()
            env = dict(os.environ)
            _bring_up_to_date(env=env, migrate=migrate)
            web = [*SELF, "web", "--host", host, "--port", str(port), "--workers", str(workers)]
            supervisor.start(Child(name="web", command=web, env=env))
            supervisor.start(Child(name="worker", command=[*SELF, "worker"], env=env))
            supervisor.watch()
        except Ended:
            typer.echo("Ending.", err=True)
        finally:
            supervisor.stop()


def _bring_up_to_date(*, env: dict[str, str], migrate: bool) -> None:
    """Migrate, or see that nothing waits to be migrated."""
    command = [*SELF, "migrate"] if migrate else [*SELF, "migrate", "--check"]
    done = subprocess.run(command, env=env, check=False, capture_output=not migrate)
    if done.returncode == Code.DATABASE and not migrate:
        raise Problem(
            "The database is not up to date. Run: workestra migrate (or: workestra serve --migrate)",
            code=Code.DATABASE,
        )
    if done.returncode:
        sys.stderr.buffer.write(done.stderr or b"")
        raise Problem("The database could not be prepared; the lines above say why.", code=Code.DATABASE)
