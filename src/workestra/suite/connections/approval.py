"""Whose approval link it is that an administrator comes back from (ENT 2).

The state of a link names the browser session that showed it and is signed: only that session takes the return,
once. An administrator without a seat here, who was sent the link, comes back in another browser; all that can
be said then is that the link was ours. Nothing follows from a return but words.
"""

from __future__ import annotations

from enum import Enum

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

USED = "approvals_used"  # in the session: how many links of it have come back
SALT = "workestra.approval"


class Whose(Enum):
    """`MINE`: of this session, and not used before. `SENT`: made in another browser. `NOBODYS`: all else."""

    MINE = "mine"
    SENT = "sent"
    NOBODYS = "nobodys"


def _name(session_key: str) -> str:
    return salted_hmac(SALT, session_key, algorithm="sha256").hexdigest()[:32]


def state_of(*, request: HttpRequest) -> str:
    """The state of the link that this session may show now."""
    used = int(request.session.get(USED, 0))
    return Signer(salt=SALT).sign(f"{_name(request.session.session_key or '')}.{used}")


async def take(*, request: HttpRequest, state: str) -> Whose:
    """Whose link it is; one of this session is spent by asking."""
    try:
        name, _, number = Signer(salt=SALT).unsign(state).partition(".")
    except BadSignature:
        return Whose.NOBODYS
    key = request.session.session_key
    if not key or name != _name(key):
        return Whose.SENT
    used = int(await request.session.aget(USED, 0))
    if number != str(used):
        return Whose.NOBODYS
    await request.session.aset(USED, used + 1)
    return Whose.MINE
