"""Access tokens for one connection: refreshed before they expire, once, however many ask (SEC 2).

The lease is a row; the network call happens outside any transaction; rotated tokens are committed before
anybody uses them. Whoever loses the lease waits and reads what the winner committed.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta

from workestra.graph.entra import Entra
from workestra.graph.errors import Cause, SignInNeeded, SignInRefused, Unreachable
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.kit.vault import Sealed
from workestra.mail.doors import grants

WAITS = 300  # of 0.2 s: as long as a lease lives


class GrantTokens:
    """The TokenSource of a stored grant."""

    def __init__(self, *, workspace: int, connection: int, entra: Callable[[], Entra]) -> None:
        self._workspace = workspace
        self._connection = connection
        self._entra = entra
        self._holder = uuid.uuid4().hex
        self._last: grants.Tokens | None = None
        self._refused: tuple[int, SignInRefused] | None = None

    async def token(self, *, stale: str | None = None) -> str:
        """A good access token. Raises SignInNeeded, Throttled or Unreachable."""
        if self._last is not None and self._last.good(now=clock.now(), stale=stale):
            return self._last.access
        for _ in range(WAITS):
            held = await self._read()
            if held.good(now=clock.now(), stale=stale):
                self._last = held
                return held.access
            self._known(held)
            if not await self._lease(held):
                await asyncio.sleep(0.2)
                continue
            try:
                self._known(held)  # another task may have been refused between our look and our lease
                return await self._refresh(held)
            except SignInRefused as problem:
                passing = problem.cause is Cause.TEMPORARILY_UNAVAILABLE
                if not passing:
                    self._refused = (held.version, problem)  # before anybody else may ask
                await self._release()
                if passing:
                    raise Unreachable(code=problem.code, message=problem.message) from problem
            except BaseException:
                await self._release()
                raise
        raise Unreachable(code="leaseHeld", message="another process refreshes this token and does not finish")

    def _known(self, held: grants.Tokens) -> None:
        """Raise what Microsoft said of these tokens already: nobody rotated them meanwhile, so it is true."""
        if self._refused is not None and held.version == self._refused[0]:
            raise self._refused[1]

    async def _read(self) -> grants.Tokens:
        try:
            held = await hop(lambda: grants.read(workspace=self._workspace, connection=self._connection))
        except Sealed as problem:
            raise SignInNeeded(code="token_sealed", message=str(problem)) from problem
        if held is None:
            raise SignInNeeded(code="no_grant", message="this mailbox has no stored sign-in")
        return held

    async def _lease(self, held: grants.Tokens) -> bool:
        taken = False

        def take() -> None:
            nonlocal taken
            taken = grants.take_lease(
                workspace=self._workspace,
                connection=self._connection,
                version=held.version,
                holder=self._holder,
                now=clock.now(),
            )

        try:
            await hop(take)
        except asyncio.CancelledError:  # whoever is told to end leaves no lease behind that others wait for
            if taken:
                await self._release()
            raise
        return taken

    async def _release(self) -> None:
        who = {"workspace": self._workspace, "connection": self._connection}
        await asyncio.shield(hop(lambda: grants.release_lease(**who, holder=self._holder)))

    async def _refresh(self, held: grants.Tokens) -> str:
        fresh = await self._entra().refresh(
            refresh_token=held.refresh, scopes=held.scopes, tenant_id=held.tenant_id, now=clock.now()
        )
        now = clock.now()
        await hop(
            lambda: grants.rotate(
                workspace=self._workspace,
                connection=self._connection,
                version=held.version,
                access=fresh.access_token,
                refresh=fresh.refresh_token or held.refresh,
                expires_at=now + timedelta(seconds=fresh.expires_in),
                scopes=sorted(fresh.scopes) or held.scopes,
                now=now,
            )
        )
        self._last = None
        return fresh.access_token
