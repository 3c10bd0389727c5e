"""Where a call takes its access token from."""

from __future__ import annotations

from typing import Protocol


class TokenSource(Protocol):
    """Hands out access tokens of one grant; who keeps and renews them is its own matter."""

    async def token(self, *, stale: str | None = None) -> str:
        """An access token that is believed good.

        `stale` is a token that Graph has just refused: hand out another one, renewed if need be. Raises
        `SignInNeeded` where only a person can help, `Throttled` or `Unreachable` where waiting can.
        """
        ...
