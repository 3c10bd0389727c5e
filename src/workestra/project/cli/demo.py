"""`workestra demo`: everything on one machine, with a Microsoft 365 of its own, in one command."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workestra.project.cli import demo_wait, out, ports, ready
from workestra.project.cli.demo_home import Home, open_home
from workestra.project.cli.problem import Code, Problem
from workestra.project.cli.supervise import Child, Ended, Supervisor, signals_end

SELF = (sys.executable, "-m", "workestra.project.cli")
WORKSPACE = "Larkfield Instruments"
PEOPLE = (("ana@larkfield.example", "Ana Ferreira", "owner"), ("ben@larkfield.example", "Ben Okafor", "member"))


def demo(
    messages: Annotated[int, typer.Option(min=0, help="Letters in Ana's mailbox at the sandbox.")] = 2000,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page; the next free one if taken.")] = 8000,
    home: Annotated[Path, typer.Option(help="Folder for the demo's data.")] = Path("var"),
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain text.")] = False,
    exit_after_ready: Annotated[
        bool, typer.Option("--exit-after-ready", help="End once everything answers (for automated checks).")
    ] = False,
) -> None:
    """Try Workestra: starts a database, a stand-in for Microsoft 365, web and worker. Ctrl-C ends all of it."""
    console = out.console(no_color=no_color)
    with signals_end(), contextlib.ExitStack() as stack:
        supervisor = Supervisor(say=lambda text: console.print(text, markup=False))
        try:
            place = stack.enter_context(open_home(folder=home))
            shown = _bring_up(place=place, supervisor=supervisor, console=console, port=port, messages=messages)
            _explain(console=console, place=place, **shown)
            if exit_after_ready:
                return
            fallen = supervisor.watch()
            raise Problem(f"{fallen.name} ended by itself. The end of {fallen.log}:\n{fallen.last_words()}")
        except Ended:
            console.print("Ending.")
        finally:
            supervisor.stop()


def _bring_up(*, place: Home, supervisor: Supervisor, console: Any, port: int, messages: int) -> dict[str, Any]:
    """Start the parts in order and wait for each. Returns what there is to tell."""
    web_port = ports.next_free(start=port)
    sandbox_port = ports.next_free(start=8365, taken=frozenset({web_port}))
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("WORKESTRA_", "_WORKESTRA_"))}
    plain["PYTHONUNBUFFERED"] = "1"

    command = [sys.executable, "-m", "m365sandbox", "--host", "127.0.0.1", "--port", str(sandbox_port)]
    command += ["--messages", str(messages), "--json"]
    console.print(f"Microsoft 365 sandbox: inventing a company and {messages:,} letters …")
    sandbox = Child("sandbox", command, plain, log=place.log("sandbox"), restart=False)
    supervisor.start(sandbox)

    console.print("PostgreSQL: starting …")
    database_url = ready.embedded(home=place.folder, keep=lambda text: console.print(text, markup=False))
    env = plain | {
        "_WORKESTRA_EMBEDDED_URL": database_url,
        "_WORKESTRA_CHECKED": "1",
        "WORKESTRA_HOME": str(place.folder),
        "WORKESTRA_PUBLIC_URL": f"http://127.0.0.1:{web_port}",
        "WORKESTRA_SECRET_KEY": place.secrets["WORKESTRA_SECRET_KEY"],
        "WORKESTRA_TOKEN_KEYS": place.secrets["WORKESTRA_TOKEN_KEYS"],
    }
    _step(["migrate"], env=env)
    for email, name, role in PEOPLE:
        seat = ["create-user", email, "--name", name, "--workspace", WORKSPACE, "--role", role, "--password-stdin"]
        _step(seat, env=env, stdin=place.password)

    sandbox_url = f"http://127.0.0.1:{sandbox_port}"
    demo_wait.until(
        what="The sandbox",
        supervisor=supervisor,
        true=lambda: demo_wait.introduction(child=sandbox) is not None and demo_wait.answers(url=sandbox_url),
    )
    said = demo_wait.introduction(child=sandbox) or {}
    env |= {
        "WORKESTRA_MICROSOFT_CLIENT_ID": said["client_id"],
        "WORKESTRA_MICROSOFT_CLIENT_SECRET": said["client_secret"],
        "WORKESTRA_MICROSOFT_AUTHORITY": f"{said['login']}/common",
        "WORKESTRA_GRAPH_URL": said["graph"],
    }
    console.print("Web and worker: starting …")
    web = [*SELF, "web", "--port", str(web_port)]
    supervisor.start(Child("web", web, env, log=place.log("web")))
    supervisor.start(Child("worker", [*SELF, "worker"], env, log=place.log("worker")))
    page = env["WORKESTRA_PUBLIC_URL"]
    demo_wait.until(what="The page", supervisor=supervisor, true=lambda: demo_wait.answers(url=f"{page}/readyz"))
    demo_wait.until(
        what="The worker",
        supervisor=supervisor,
        true=lambda: demo_wait.worker_beats(database_url=database_url),
    )
    ana = next(one for one in said["people"] if one["address"] == PEOPLE[0][0])
    return {"page": page, "sandbox": sandbox_url, "person": ana}


def _step(arguments: list[str], *, env: dict[str, str], stdin: str = "") -> None:
    """Run one of our own commands to its end."""
    done = subprocess.run([*SELF, *arguments], env=env, input=stdin, text=True, capture_output=True, check=False)
    if done.returncode:
        raise Problem(f"workestra {arguments[0]} failed:\n{done.stderr or done.stdout}", code=Code.FAILED)


def _explain(*, console: Any, place: Home, page: str, sandbox: str, person: dict[str, str]) -> None:
    def line(text: str = "") -> None:
        console.print(text, highlight=False)

    line()
    line("[bold green]Workestra is running.[/]")
    line()
    line(f"  Open       [bold]{page}[/]")
    line(f"  Sign in    [bold]{PEOPLE[0][0]}[/]")
    line(f"  Password   [bold]{place.password}[/]")
    line()
    line("What to do")
    line("  1. Sign in, then: Settings > Integrations > Outlook > Connect Microsoft 365.")
    line(f"  2. On Microsoft's page (the sandbox plays it) sign in as [bold]{person['address']}[/],")
    line(f"     password [bold]{person['password']}[/], and accept the permissions.")
    line("  3. Choose how much mail to sync, watch it come in, and open the Inbox.")
    line()
    line(f"  Sandbox    {sandbox}   its people, their passwords, and its mailboxes")
    line(f"  Logs       {place.folder / 'log'}")
    line()
    line("The sandbox keeps its company in memory. Started again, it has the same people and letters under the same")
    line("ids, but it has forgotten sign-ins and whatever you changed there: press Reconnect on the mailbox's row.")
    line()
    line("Ctrl-C ends everything.")
