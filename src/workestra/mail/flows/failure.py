"""What a failure of Microsoft's means for a connection: its code for people, and what happens next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from workestra.graph.errors import (
    AccessDenied,
    Cause,
    GraphError,
    NoMailbox,
    SignInNeeded,
    SignInRefused,
    Throttled,
    Unreachable,
)
from workestra.mail.doors.slots import LONGEST_PAUSE
from workestra.mail.flows.microsoft import NotConfigured
from workestra.rules.retrying import Failure

DEFAULT_PAUSE = timedelta(seconds=20)
MINUTE = timedelta(minutes=1)
CAUSES = {
    Cause.ADMIN_CONSENT: "admin_consent_required",
    Cause.CONDITIONAL_ACCESS: "conditional_access",
    Cause.MFA: "mfa_required",
    Cause.EXPIRED: "token_expired",
    Cause.REVOKED: "token_revoked",
    Cause.MISCONFIGURED: "app_misconfigured",
    Cause.DECLINED: "consent_declined",
    Cause.WRONG_TENANT: "wrong_tenant",
    Cause.ACCOUNT: "account_blocked",
    Cause.CODE_USED: "code_used",
    Cause.BAD_ID_TOKEN: "sign_in_untrusted",
    Cause.TEMPORARILY_UNAVAILABLE: "microsoft_unavailable",
}


def told(*, problem: GraphError | NotConfigured) -> Failure:
    """The failure that a typed error stands for. The detail holds Microsoft's code and request id, no content."""
    if isinstance(problem, NotConfigured):
        return Failure("not_configured", {}, longest=MINUTE)  # costs nothing to look, and heals with the next start
    detail: dict[str, Any] = {"microsoft_code": problem.code, "request_id": problem.request_id or ""}
    if isinstance(problem, Throttled):
        wait = timedelta(seconds=problem.retry_after) if problem.retry_after is not None else DEFAULT_PAUSE
        return Failure("throttled", detail, pause=min(max(wait, timedelta(seconds=1)), LONGEST_PAUSE))
    if isinstance(problem, SignInRefused):
        detail["aadsts"] = list(problem.aadsts)
        if problem.code == "invalid_grant" and problem.cause in (Cause.MISCONFIGURED, Cause.OTHER):
            # Whatever number comes with it: what we hold is no longer good, and signing in again heals it.
            return Failure("token_expired", detail, sign_in=True)
        if problem.cause is Cause.MISCONFIGURED:
            return Failure("app_misconfigured", detail)  # what the person granted is still good
        return Failure(CAUSES.get(problem.cause, "sign_in_refused"), detail, sign_in=True)
    if isinstance(problem, SignInNeeded):
        code = "conditional_access" if problem.claims else "token_expired"
        return Failure(code, detail, sign_in=True)
    if isinstance(problem, NoMailbox):
        return Failure("mailbox_not_found", detail)
    if isinstance(problem, AccessDenied):
        return Failure("permission_denied", detail)
    if isinstance(problem, Unreachable):
        return Failure("microsoft_unavailable", detail, passing=True)
    return Failure("sync_failed", detail, passing=True)
