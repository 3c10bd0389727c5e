"""One refresh however many ask, and no token lost or used before it is written down (SEC 2)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections as databases
from tests.mail import hands
from tests.sandboxes import Outlook, run

from workestra.graph import mail
from workestra.graph.errors import Cause, SignInNeeded, SignInRefused, Unreachable
from workestra.kit import clock
from workestra.mail.doors import grants
from workestra.mail.flows.microsoft import entra, graph_for
from workestra.mail.flows.tokens import GrantTokens
from workestra.mail.models import Connection, Grant
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def _tokens(connection: Connection) -> GrantTokens:
    return GrantTokens(workspace=connection.workspace_id, connection=connection.pk, entra=entra)


def _grant(connection: Connection, **changes: object) -> Grant:
    with scope(workspace=connection.workspace_id):
        if changes:
            Grant.objects.filter(connection=connection).update(**changes)
        return Grant.objects.get(connection=connection)


@pytest.fixture
def expired(ana: Member, outlook: Outlook) -> Connection:
    """A connection whose access token is at its end."""
    connection = outlook.connect(ana)
    _grant(connection, access_expires_at=clock.now())
    return connection


def _refreshes(outlook: Outlook) -> int:
    return int(outlook.world.tokens.refreshes[outlook.person("ana").id])  # type: ignore[attr-defined]


def test_ten_that_ask_in_one_process_refresh_once_and_all_get_the_token(
    expired: Connection, outlook: Outlook
) -> None:
    version = _grant(expired).version

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(_tokens(expired).token() for _ in range(10)))

    got = set(run(all_at_once()))
    assert len(got) == 1
    assert outlook.world.tokens.check(got.pop()) is not None
    assert _refreshes(outlook) == 1
    assert _grant(expired).version == version + 1


def test_ten_that_ask_on_loops_of_their_own_refresh_once(expired: Connection, outlook: Outlook) -> None:
    def ask(_: int) -> str:
        try:
            return run(_tokens(expired).token())
        finally:
            databases.close_all()

    with ThreadPoolExecutor(10) as pool:
        got = set(pool.map(ask, range(10)))
    assert len(got) == 1
    assert _refreshes(outlook) == 1


def test_new_tokens_are_committed_before_anybody_uses_them(
    expired: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = grants.rotate

    def rotate(**given: object) -> bool:
        hit = real(**given)  # type: ignore[arg-type]
        held = grants.read(workspace=expired.workspace_id, connection=expired.pk)
        assert held is not None
        seen.append(held.access)
        return hit

    monkeypatch.setattr(grants, "rotate", rotate)
    assert run(_tokens(expired).token()) == seen[0]


def test_a_holder_that_died_after_microsoft_answered_is_followed_when_its_lease_ends(
    expired: Connection, outlook: Outlook
) -> None:
    version = _grant(expired).version
    assert grants.take_lease(
        workspace=expired.workspace_id,
        connection=expired.pk,
        version=version,
        holder="died",
        now=clock.now() - grants.LEASE + timedelta(seconds=0.7),
    )
    old_refresh = grants.read(workspace=expired.workspace_id, connection=expired.pk)
    assert old_refresh is not None
    begun = clock.now()
    token = run(_tokens(expired).token())
    assert clock.now() - begun > timedelta(seconds=0.5), "the lease of the dead holder was respected"
    assert outlook.world.tokens.check(token) is not None
    assert _grant(expired).version == version + 1


def test_a_refresh_that_breaks_off_gives_the_lease_back(expired: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> bool:
        raise RuntimeError("the database went away")

    with monkeypatch.context() as here:
        here.setattr(grants, "rotate", broken)
        with pytest.raises(RuntimeError):
            run(_tokens(expired).token())
    assert _grant(expired).lease_until is None
    assert run(_tokens(expired).token())


def test_who_is_told_to_end_while_taking_the_lease_leaves_none(
    expired: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = grants.take_lease

    async def ended() -> None:
        loop, asking = asyncio.get_running_loop(), asyncio.create_task(_tokens(expired).token())

        def take(**given: Any) -> bool:
            taken = real(**given)
            loop.call_soon_threadsafe(asking.cancel)
            return taken

        monkeypatch.setattr(grants, "take_lease", take)
        with pytest.raises(asyncio.CancelledError):
            await asking

    run(ended())
    assert _grant(expired).lease_until is None


def test_a_refused_grant_asks_for_a_sign_in_and_microsoft_only_once(
    expired: Connection, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlook.world.tokens.revoke(outlook.person("ana").address)  # type: ignore[attr-defined]
    asked: list[int] = []

    async def main() -> list[BaseException | str]:
        source = _tokens(expired)
        service = entra()
        real = service.refresh

        async def refresh(**given: object) -> object:
            asked.append(1)
            return await real(**given)  # type: ignore[arg-type]

        monkeypatch.setattr(service, "refresh", refresh)
        return await asyncio.gather(*(source.token() for _ in range(8)), return_exceptions=True)

    told = run(main())
    assert all(isinstance(one, SignInNeeded) for one in told)
    assert {one.cause for one in told if isinstance(one, SignInRefused)} == {Cause.REVOKED}
    assert len(asked) == 1


def test_who_takes_the_lease_of_one_that_was_just_refused_does_not_ask_again(
    expired: Connection, outlook: Outlook, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlook.world.tokens.revoke(outlook.person("ana").address)  # type: ignore[attr-defined]
    asked: list[int] = []
    begun, looked = asyncio.Event(), asyncio.Event()

    async def main() -> list[BaseException | str]:
        source, service = _tokens(expired), entra()
        real, take = service.refresh, source._lease

        async def refresh(**given: object) -> object:
            asked.append(1)
            begun.set()
            await looked.wait()  # the other one has read the tokens by now
            return await real(**given)  # type: ignore[arg-type]

        async def late() -> str:
            async def lease(held: Any) -> bool:
                looked.set()
                await first_done.wait()
                return await take(held)

            monkeypatch.setattr(source, "_lease", lease)
            return await source.token()

        monkeypatch.setattr(service, "refresh", refresh)
        first_done = asyncio.Event()
        one = asyncio.ensure_future(source.token())
        await begun.wait()
        two = asyncio.ensure_future(late())
        told = [await asyncio.gather(one, return_exceptions=True)]
        first_done.set()
        return [*told[0], *await asyncio.gather(two, return_exceptions=True)]

    told = run(main())
    assert [type(one) for one in told] == [SignInRefused, SignInRefused]
    assert len(asked) == 1
    assert _grant(expired).lease_until is None


def test_a_sign_in_that_came_while_the_old_one_was_refused_counts(
    ana: Member, expired: Connection, outlook: Outlook
) -> None:
    outlook.world.tokens.revoke(outlook.person("ana").address)  # type: ignore[attr-defined]

    async def main() -> str:
        source, service = _tokens(expired), entra()
        real = service.refresh

        async def refresh(**given: object) -> object:
            await asyncio.to_thread(_again)
            return await real(**given)  # type: ignore[arg-type]

        service.refresh = refresh  # type: ignore[method-assign,assignment]
        return await source.token()

    def _again() -> None:
        try:
            outlook.connect(ana)
        finally:
            databases.close_all()

    assert outlook.world.tokens.check(run(main())) is not None


def test_microsoft_out_of_order_is_no_reason_to_sign_in_again(expired: Connection, outlook: Outlook) -> None:
    outlook.stop()
    with pytest.raises(Unreachable):
        run(_tokens(expired).token())
    assert _grant(expired).lease_until is None


def test_a_token_that_graph_no_longer_takes_is_refreshed_once(ana: Member, outlook: Outlook) -> None:
    connection = outlook.connect(ana)
    outlook.world.tokens.expire_access(outlook.person("ana").address)  # type: ignore[attr-defined]

    async def ask() -> None:
        graph = graph_for(workspace=connection.workspace_id, connection=connection.pk)
        await mail.me(graph)
        await mail.me(graph)

    run(ask())
    assert _refreshes(outlook) == 1
    assert [one.status for one in outlook.world.requests.last()] == [401, 200, 200]


def test_tokens_of_another_row_do_not_open(ana: Member, ben: Member, outlook: Outlook) -> None:
    mine, other = outlook.connect(ana), outlook.connect(ben, "ben")
    with scope(workspace=ana.workspace_id):
        taken = Grant.objects.get(connection=other)
    _grant(mine, access_sealed=taken.access_sealed, refresh_sealed=taken.refresh_sealed)
    with pytest.raises(SignInNeeded) as told:
        run(_tokens(mine).token())
    assert told.value.code == "token_sealed"
    hands.sync(mine)
    row = hands.fresh(mine)
    assert (row.state, row.error_code) == ("sign_in", "token_expired")


def test_tokens_do_not_stand_in_the_database_in_the_clear(ana: Member, outlook: Outlook) -> None:
    connection = outlook.connect(ana)
    held = grants.read(workspace=connection.workspace_id, connection=connection.pk)
    row = _grant(connection)
    assert held is not None
    assert held.refresh.encode() not in bytes(row.refresh_sealed or b"")
    assert held.access not in repr(held)
