"""`workestra doctor`: what works, what does not, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import typer

from workestra.project.cli import out, ready
from workestra.project.cli.checks.finding import Finding, fail, ok
from workestra.project.cli.out import AsJson
from workestra.project.cli.problem import Code, Problem

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(as_json: AsJson = False) -> None:
    """Check settings, database, worker, and the way to Microsoft and back. Exit code 1 if something fails."""
    found = list(_findings())
    if as_json:
        out.emit([asdict(one) for one in found])
    else:
        console = out.console()
        for one in found:
            console.print(f"[{COLOURS[one.level]}]{one.level:4}[/]  {one.about}: ", end="")
            console.print(one.text, markup=False)
            if one.remedy:
                console.print(f"      {one.remedy}", markup=False)
    if any(one.level == "fail" for one in found):
        raise typer.Exit(Code.FAILED)


def _findings() -> Iterator[Finding]:
    chosen = ready.environment()
    from workestra.project.cli.checks import configuration, database, microsoft

    yield ok("settings", "complete and well formed")
    yield from configuration.look(chosen=chosen)
    try:
        url = ready.database()
    except Problem as problem:
        text, _, remedy = str(problem).partition("\n")
        yield fail("database", text, remedy)
    else:
        ready.load()
        yield from database.look(chosen=chosen, url=url)
    yield from microsoft.look(chosen=chosen)
