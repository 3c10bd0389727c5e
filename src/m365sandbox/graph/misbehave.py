"""Faults as answers: what a request meets instead of, or after, what it asked for (SBX 5)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from ..faults import HTML_PAGE, Fault
from .errors import GraphError
from .wire import Call, Reply

STATUS = {
    401: ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
    403: ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
    404: ("ErrorItemNotFound", "The specified object was not found in the store."),
    410: ("SyncStateNotFound", "The sync state generation is not found; generation=1;[highest=5][5][3][4]."),
    429: ("TooManyRequests", "Please retry after"),
    500: ("InternalServerError", "An internal server error occurred. The operation failed."),
    502: ("BadGateway", "Failed to execute backend request."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    504: ("UnknownError", "Gateway timeout."),
}
GHOST = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA"
FOREIGN = "https://graph.elsewhere.example/v1.0/me/messages?$skiptoken=AAAA"
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"%d"}}}'


def refused(*, fault: Fault, now: datetime) -> GraphError:
    """The error of a status, throttle or challenge fault."""
    headers = dict(fault.headers)
    status = {"throttle": 429, "challenge": 401}.get(fault.kind, fault.status)
    if fault.kind == "throttle" and fault.retry_after:
        headers["Retry-After"] = _retry_after(fault.retry_after, now)
    if fault.kind == "challenge":
        claims = base64.b64encode((CLAIMS % now.timestamp()).encode()).decode()
        headers["WWW-Authenticate"] = (
            'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            f'error="insufficient_claims", claims="{claims}"'
        )
    code, message = STATUS.get(status, ("UnknownError", ""))
    return GraphError(status, code, message, headers=headers)


def _retry_after(text: str, now: datetime) -> str:
    if not text.startswith("date:"):
        return text
    return format_datetime(now.astimezone(UTC) + timedelta(seconds=float(text[5:])), usegmt=True)


def spoiled(*, fault: Fault, reply: Reply | None) -> Reply | None:
    """The answer of a malformed or html fault, or of a status fault with a body of its own; None for any other."""
    if fault.kind == "malformed":
        whole = reply.payload() if reply is not None else b'{"@odata.context":"https://graph","value":[{"id":"AAMkA'
        kept = whole[: max(1, len(whole) * 2 // 3)] if reply is not None else whole
        return Reply(fault.status if fault.status < 300 else 200, kept, content_type="application/json")
    if fault.kind == "html":
        page = HTML_PAGE.encode()
        return Reply(fault.status, page, dict(fault.headers), content_type="text/html; charset=utf-8")
    if fault.kind == "status" and fault.body is not None:
        return Reply(fault.status, fault.body.encode(), dict(fault.headers), content_type="application/json")
    return None


def page(*, fault: Fault, reply: Reply, call: Call) -> Reply:
    """An odd form of the page that was asked for. What is no page stays as it is."""
    body: Any = reply.body if isinstance(reply.body, dict) else None
    if body is None:
        body = json.loads(reply.payload()) if reply.payload().startswith(b"{") else {}
    if reply.status != 200 or not isinstance(body.get("value"), list):
        return reply
    odd = dict(body)
    again = call.base + call.path + (f"?{call.query}" if call.query else "")
    if fault.kind in ("empty", "repeat", "foreign"):
        odd.pop("@odata.deltaLink", None)
        odd["@odata.nextLink"] = FOREIGN if fault.kind == "foreign" else again
    if fault.kind == "empty":
        odd["value"] = []
    elif fault.kind == "double" and odd["value"]:
        odd["value"] = [*odd["value"], odd["value"][0]]
    elif fault.kind == "ghost" and "/delta" in call.path:
        odd["value"] = [*odd["value"], {"id": GHOST, "@removed": {"reason": "deleted"}}]
    return Reply(200, odd, dict(reply.headers), messages=reply.messages)
