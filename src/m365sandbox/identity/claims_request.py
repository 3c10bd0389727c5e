"""The `claims` parameter: what a client declares it can do, and which challenge it answers.

(Microsoft identity platform: claims challenges, claims requests and client capabilities.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .problems import Problem


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """`capable`: the client declared cp1. `asked`: the access-token claims it wants beyond that."""

    capable: bool
    asked: tuple[str, ...]

    def answers(self, challenge: str) -> bool:
        """Whether every access-token claim of a challenge was asked for."""
        return bool(challenge) and _wanted(json.loads(challenge)) <= set(self.asked)


def parse(text: str) -> ClaimsRequest:
    """Read a claims parameter; an empty one asks for nothing. Raises Problem 9002313 when it is not JSON."""
    if not text:
        return ClaimsRequest(capable=False, asked=())
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Problem(9002313) from error
    if not isinstance(document, dict):
        raise Problem(9002313)
    access = document.get("access_token")
    access = access if isinstance(access, dict) else {}
    capabilities = access.get("xms_cc")
    values = capabilities.get("values", []) if isinstance(capabilities, dict) else []
    return ClaimsRequest(
        capable=isinstance(values, list) and any(str(one).casefold() == "cp1" for one in values),
        asked=tuple(sorted(_wanted(document))),
    )


def _wanted(document: dict[str, Any]) -> set[str]:
    access = document.get("access_token")
    if not isinstance(access, dict):
        return set()
    return {f"{name}={json.dumps(value, sort_keys=True)}" for name, value in access.items() if name != "xms_cc"}
