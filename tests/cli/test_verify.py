"""`workestra verify` and `connections --log`, as typed (OPS 2, HLT 3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from tests.sandboxes import Outlook, ref_of, run
from typer.testing import CliRunner

from m365sandbox.faults import Fault
from workestra.mail.flows.history import history
from workestra.mail.flows.pull import pull
from workestra.mail.models import Connection, Message
from workestra.project.cli import ready
from workestra.project.cli.app import app
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


@pytest.fixture
def type_in(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in this process, whose Django is ready and has a database of its own."""
    monkeypatch.setattr(ready, "django", lambda **_: None)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def full(ana: Member, outlook: Outlook, type_in: Callable[..., Result]) -> Connection:
    """Ana's mailbox, with twenty letters of history."""
    outlook.history(count=20)
    connection = outlook.connect(ana)
    type_in("backfill", str(connection.pk), "--range", "all")
    run(history(ref=ref_of(connection)))
    run(pull(ref=ref_of(connection)))
    return connection


def documents(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def lose(connection: Connection, count: int) -> None:
    with scope(workspace=connection.workspace_id):
        some = Message.objects.filter(connection=connection).values_list("pk", flat=True)[:count]
        Message.objects.filter(pk__in=list(some)).delete()


def test_an_equal_mailbox_ends_with_zero_and_a_table(full: Connection, type_in: Callable[..., Result]) -> None:
    result = type_in("verify", str(full.pk))
    assert result.exit_code == 0, result.output
    assert "equal" in result.stdout
    assert "Inbox" in result.stdout
    bodies = type_in("verify", str(full.pk), "--bodies", "--json")
    assert bodies.exit_code == 0
    *folders, verdict = documents(bodies)
    assert verdict["equal"] is True
    assert sum(one["outlook"] for one in folders) == sum(one["held"] for one in folders) == 20


def test_a_difference_ends_with_one_until_it_is_repaired(full: Connection, type_in: Callable[..., Result]) -> None:
    lose(full, 3)
    found = type_in("verify", str(full.pk), "--json")
    assert found.exit_code == 1
    assert sum(one.get("missing", 0) for one in documents(found)) == 3
    assert "--repair" in type_in("verify", str(full.pk)).stdout
    mended = type_in("verify", str(full.pk), "--repair", "--json")
    assert mended.exit_code == 0, mended.output
    assert documents(mended)[-1]["equal"] is True
    assert type_in("verify", str(full.pk)).exit_code == 0


def test_what_could_not_be_compared_ends_with_two_and_says_why(
    full: Connection, type_in: Callable[..., Result], outlook: Outlook
) -> None:
    outlook.world.faults.add(Fault(r"GET .*/messages\?", "status", status=500, times=50))
    failed = type_in("verify", str(full.pk), "--json")
    assert failed.exit_code == 2
    assert documents(failed)[0]["equal"] is None
    outlook.world.faults.clear()
    with scope(workspace=full.workspace_id):
        Connection.objects.filter(pk=full.pk).update(state="sign_in", error_code="token_revoked")
    assert type_in("verify", str(full.pk)).exit_code == 2


def test_a_folder_that_cannot_be_read_is_named_and_ends_with_two(
    full: Connection, type_in: Callable[..., Result], outlook: Outlook
) -> None:
    part = outlook.mailbox("ana").folder("archive").id.rstrip("=")
    outlook.world.faults.add(Fault(rf"GET .*{part}.*/messages", "status", status=403, times=None))
    result = type_in("verify", str(full.pk), "--json")
    verdict = documents(result)[-1]
    assert (result.exit_code, verdict["equal"], verdict["refused"]) == (2, None, ["Archive"])
    shown = type_in("verify", str(full.pk))
    assert shown.exit_code == 2
    assert "does not let us read it just now: Archive" in " ".join(shown.stdout.split())
    lose(full, 1)
    assert type_in("verify", str(full.pk), "--json").exit_code == 1


def test_a_pause_that_microsoft_asks_for_is_waited_out(
    full: Connection, type_in: Callable[..., Result], outlook: Outlook
) -> None:
    outlook.world.faults.add(Fault(r"GET .*/messages\?", "status", status=429, headers={"Retry-After": "1"}))
    assert type_in("verify", str(full.pk)).exit_code == 0


def test_the_log_lists_what_ran_newest_first(full: Connection, type_in: Callable[..., Result]) -> None:
    rows = documents(type_in("connections", "--log", str(full.pk), "--json"))
    assert [one["id"] for one in rows] == sorted((one["id"] for one in rows), reverse=True)
    assert {"backfill", "light"} <= {one["kind"] for one in rows}
    assert all(one["requests"] > 0 for one in rows if one["kind"] == "backfill")
    shown = type_in("connections", "--log", str(full.pk), "--most", "1").stdout
    assert len(shown.strip().splitlines()) == 1
