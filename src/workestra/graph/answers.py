"""From an answer that is no success to the one error that says what to do.

Codes decide before statuses, and without regard to case: Graph gives one condition several statuses and
spellings. Messages are never relied on, but for what a code cannot say (a subscription's ceiling, the id of
its twin). Graph: "Microsoft Graph error responses and resource types"; Microsoft identity platform: "Claims
challenges".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .errors import (
    AccessDenied,
    CursorExpired,
    Gone,
    GraphError,
    NoMailbox,
    Refused,
    SignInNeeded,
    Throttled,
    TooLarge,
    Unreachable,
)
from .throttle import http_date, parse_retry_after

_BY_CODE: dict[str, type[GraphError]] = {
    "applicationthrottled": Throttled,
    "toomanyrequests": Throttled,
    "activitylimitreached": Throttled,
    "errorserverbusy": Throttled,
    "syncstatenotfound": CursorExpired,
    "syncstateinvalid": CursorExpired,
    "resyncrequired": CursorExpired,
    "errorsyncfoldernotfound": CursorExpired,
    "mailboxnotenabledforrestapi": NoMailbox,
    "mailboxnotsupportedforrestapi": NoMailbox,
    "mailboxnothostedinexchangeonline": NoMailbox,
    "restapinotenabledforuser": NoMailbox,
    "errornonexistentmailbox": NoMailbox,
    "errorinvaliduser": NoMailbox,
    "resourcenotfound": NoMailbox,
    "erroritemnotfound": Gone,
    "errorfoldernotfound": Gone,
    "errorexceededmessagelimit": Refused,
    "errorquotaexceeded": Refused,
    "quotalimitreached": Refused,
    "errormessagesizeexceeded": Refused,
    "erroraccessdenied": AccessDenied,
    "errorsendasdenied": AccessDenied,
}
_BY_STATUS: dict[int, type[GraphError]] = {
    401: SignInNeeded,
    403: AccessDenied,
    404: Gone,
    408: Unreachable,
    410: CursorExpired,
    421: Unreachable,
    425: Unreachable,
    429: Throttled,
    501: Refused,
    507: Refused,
    509: Throttled,
}
_CLAIMS = re.compile(r'claims\s*=\s*"([^"]*)"', re.IGNORECASE)
_CHALLENGE = re.compile(r'error\s*=\s*"?insufficient_claims', re.IGNORECASE)


def refusal(
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    reading: bool,
    challenges: Sequence[str] = (),
    client_request_id: str | None = None,
) -> GraphError:
    """The error that an answer means.

    `headers` has lower-case names; `challenges` are the values of all WWW-Authenticate headers; `now` serves
    where the answer carries no date; `reading` is True for a GET, where a gateway's time-out means: too much
    at once.
    """
    code, message, inner = _told(body)
    kind = _kind(status=status, code=code, inner=inner, waits="retry-after" in headers, reading=reading)
    challenged, claims = claims_challenge(challenges)
    if challenged and status in {401, 403}:
        kind = SignInNeeded
    return kind(
        code=code or ("insufficient_claims" if challenged else ""),
        message=message,
        status=status,
        request_id=headers.get("request-id") or _text(inner.get("request-id")) or None,
        client_request_id=client_request_id,
        retry_after=parse_retry_after(value=headers.get("retry-after"), now=http_date(headers.get("date")) or now),
        claims=claims if kind is SignInNeeded else None,
    )


def _kind(*, status: int, code: str, inner: Mapping[str, Any], waits: bool, reading: bool) -> type[GraphError]:
    for name in (code, _text(inner.get("code"))):
        if status >= 400 and name.lower() in _BY_CODE:
            return _BY_CODE[name.lower()]
    if status == 504 and reading:
        return TooLarge
    if status in {500, 502, 503, 504} and waits:
        return Throttled
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Refused if 400 <= status < 500 else Unreachable


def _told(body: bytes) -> tuple[str, str, Mapping[str, Any]]:
    """Code, message and inner error of an error body, each empty where the body is something else."""
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return "", "the answer is not JSON" if body else "", {}
    error = tree.get("error") if isinstance(tree, dict) else None
    if isinstance(error, str):
        return error, _text(tree.get("error_description")), {}
    if not isinstance(error, dict):
        return "", "", {}
    inner = error.get("innerError", error.get("innererror"))
    return (
        _text(error.get("code")),
        _text(error.get("message"))[:1000],
        inner if isinstance(inner, dict) else {},
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def claims_challenge(challenges: Sequence[str]) -> tuple[bool, str | None]:
    """Whether WWW-Authenticate asks for claims, and their JSON, decoded and ready for the next sign-in."""
    for challenge in challenges:
        found = _CLAIMS.search(challenge)
        if found or _CHALLENGE.search(challenge):
            return True, _decoded_claims(found[1]) if found else None
    return False, None


def _decoded_claims(value: str) -> str | None:
    padded = value.strip().replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
        return text if isinstance(json.loads(text), dict) else None
    except (binascii.Error, ValueError, RecursionError):
        return None
