"""`connections`, `backfill`, `sync` and `export` on a mailbox that a member connected."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.sandboxes import Outlook, ref_of, run
from typer.testing import CliRunner

from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import overview
from workestra.mail.flows.history import history
from workestra.mail.flows.pull import pull
from workestra.mail.models import Connection, SyncRun
from workestra.project.cli import ready
from workestra.project.cli.app import app
from workestra.project.cli.problem import Problem
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


@pytest.fixture
def type_in(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in this process, whose Django is ready and has a database of its own."""
    monkeypatch.setattr(ready, "django", lambda **_: None)

    def run_command(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run_command


@pytest.fixture
def connected(ana: Member, outlook: Outlook) -> Connection:
    """Ana's mailbox with some history, connected and not synced yet."""
    outlook.history(count=8)
    return outlook.connect(ana)


def worked_off(connection: Connection) -> threading.Thread:
    """A worker's part, beside the command that waits for it."""
    here = ref_of(connection)

    def work() -> None:
        run(history(ref=here))
        run(pull(ref=here))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_backfill_that_was_waited_for_tells_how_it_ended(
    type_in: Callable[..., Result], connected: Connection
) -> None:
    number = str(connected.pk)
    begun = type_in("backfill", number, "--range", "90d", "--json")
    assert begun.exit_code == 0, begun.output
    assert lines(begun)[0]["state"] == "queued"
    worker = worked_off(connected)
    ended = type_in("backfill", number, "--range", "90d", "--wait", "--json")
    worker.join()
    assert ended.exit_code == 0, ended.output
    assert (lines(ended)[0]["state"], lines(ended)[0]["pulled"]) == ("done", 8)


async def once_asked(connection: Connection) -> None:
    """Wait until somebody asks for a sync, then do it, as a worker does."""
    for _ in range(200):
        if await hop(lambda: asked_for(connection)):
            break
        await asyncio.sleep(0.05)
    await pull(ref=await hop(lambda: ref_of(connection)))


def asked_for(connection: Connection) -> bool:
    """Whether a sync waits."""
    with scope(workspace=connection.workspace_id):
        return SyncRun.objects.filter(connection=connection, state="queued").exists()


def test_a_sync_tells_what_it_brought(
    type_in: Callable[..., Result], connected: Connection, outlook: Outlook
) -> None:
    run(pull(ref=ref_of(connected)))
    outlook.deliver(subject="fresh")
    asked = type_in("sync", str(connected.pk), "--no-wait", "--json")
    assert (asked.exit_code, lines(asked)[0]["state"]) == (0, "queued")
    run(pull(ref=ref_of(connected)))
    with scope(workspace=connected.workspace_id):
        brought = SyncRun.objects.get(pk=lines(asked)[0]["run"])
    assert (brought.state, brought.added) == ("done", 1)
    worker = threading.Thread(target=lambda: run(once_asked(connected)))
    worker.start()
    done = type_in("sync", str(connected.pk), "--json")
    worker.join()
    assert done.exit_code == 0, done.output
    assert (lines(done)[0]["state"], lines(done)[0]["added"]) == ("done", 0)


def test_a_mailbox_that_wants_its_owner_says_so(type_in: Callable[..., Result], connected: Connection) -> None:
    with scope(workspace=connected.workspace_id):
        Connection.objects.filter(pk=connected.pk).update(state="sign_in", error_code="token_revoked")
    for command in (["sync", str(connected.pk)], ["backfill", str(connected.pk), "--range", "30d"]):
        result = type_in(*command)
        assert isinstance(result.exception, Problem)
        assert "Reconnect" in str(result.exception)


def test_the_list_names_mailbox_workspace_and_health(type_in: Callable[..., Result], connected: Connection) -> None:
    mine = [line for line in lines(type_in("connections", "--json")) if line["id"] == connected.pk]
    assert [(one["address"], one["state"], one["health"]) for one in mine] == [(connected.address, "active", "never")]
    assert connected.address in type_in("connections").stdout


def test_an_export_is_written_whole_and_for_its_owner_alone(
    type_in: Callable[..., Result], connected: Connection, tmp_path: Path
) -> None:
    type_in("backfill", str(connected.pk), "--range", "all")
    run(history(ref=ref_of(connected)))
    target = tmp_path / "mail.jsonl"
    assert type_in("export", str(connected.pk), "--output", str(target)).exit_code == 0
    assert len(target.read_text(encoding="utf-8").splitlines()) == 8
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_an_export_to_nowhere_is_refused_in_words(type_in: Callable[..., Result], connected: Connection) -> None:
    result = type_in("export", str(connected.pk), "--output", "/nowhere/mail.jsonl")
    assert isinstance(result.exception, Problem)
    assert "/nowhere/mail.jsonl cannot be written" in str(result.exception)
    assert overview.find(mailbox=str(connected.pk), now=clock.now())
