"""What the sign-in service's refusals mean.

Microsoft asks programs to act on `error`, and so `advice` does; its AADSTS numbers and `suberror` only choose
the words that people read. Microsoft identity platform: "Microsoft Entra authentication and authorization
error codes".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import Cause, SignInRefused

_BY_NUMBER: dict[Cause, tuple[int, ...]] = {
    Cause.DECLINED: (65004,),
    Cause.ADMIN_CONSENT: (90094, 90095),
    Cause.CONDITIONAL_ACCESS: (53000, 53001, 53002, 53003, 53004, 530032, 530035),
    Cause.MFA: (50072, 50074, 50076, 50078, 50079, 50158),
    Cause.WRONG_TENANT: (16000, 50020, 50034, 51004, 90072, 500208),
    Cause.ACCOUNT: (50053, 50055, 50057, 50105),
    Cause.CODE_USED: (54005,),
    Cause.EXPIRED: (50058, 50089, 50132, 50133, 70000, 70008, 70043, 700082, 700084),
    Cause.REVOKED: (50173, 65001),
    Cause.MISCONFIGURED: (
        *(50011, 50147, 50194, 90002, 90008, 90014, 90124, 90130, 501481, 501491),
        *(650052, 650056, 650057, 700005, 700016, 700025, 700054),
        *(900144, 7000215, 7000218, 7000222, 9002313, 9002332),
    ),
    Cause.TEMPORARILY_UNAVAILABLE: (50033, 50087, 50196, 90006, 90012, 90024, 90033, 90055),
}
_CAUSE_OF_NUMBER = {number: cause for cause, numbers in _BY_NUMBER.items() for number in numbers}
_CAUSE_OF_SUBERROR = {
    "bad_token": Cause.EXPIRED,
    "token_expired": Cause.EXPIRED,
    "consent_required": Cause.REVOKED,
    "protection_policy_required": Cause.CONDITIONAL_ACCESS,
    "device_authentication_failed": Cause.CONDITIONAL_ACCESS,
    "client_mismatch": Cause.MISCONFIGURED,
    "basic_action": Cause.MFA,
}
_CAUSE_OF_ERROR = {
    "access_denied": Cause.DECLINED,
    "consent_required": Cause.REVOKED,
    "login_required": Cause.EXPIRED,
    "interaction_required": Cause.MFA,
    "invalid_grant": Cause.EXPIRED,
    "temporarily_unavailable": Cause.TEMPORARILY_UNAVAILABLE,
    "server_error": Cause.TEMPORARILY_UNAVAILABLE,
    "invalid_request": Cause.MISCONFIGURED,
    "unauthorized_client": Cause.MISCONFIGURED,
    "unsupported_response_type": Cause.MISCONFIGURED,
    "unsupported_grant_type": Cause.MISCONFIGURED,
    "invalid_client": Cause.MISCONFIGURED,
    "invalid_resource": Cause.MISCONFIGURED,
    "invalid_scope": Cause.MISCONFIGURED,
}
_NUMBER = re.compile(r"AADSTS(\d{4,8})")


def refused(*, answer: Mapping[str, Any], status: int | None = None) -> SignInRefused:
    """The refusal told by a token endpoint's error body, or by the query of a redirect back to us.

    `answer` comes from outside: any value may have any type.
    """
    error, suberror = _text(answer, "error"), _text(answer, "suberror")
    description = _text(answer, "error_description")
    listed = answer.get("error_codes")
    numbers = [number for number in listed if type(number) is int] if isinstance(listed, list) else []
    numbers += [int(number) for number in _NUMBER.findall(description)]
    aadsts = tuple(dict.fromkeys(numbers))
    return SignInRefused(
        cause=cause_of(error=error, suberror=suberror, aadsts=aadsts),
        code=error or "noAnswer",
        message=description[:1000],
        status=status,
        request_id=_text(answer, "trace_id") or None,
        claims=_text(answer, "claims") or None,
        aadsts=aadsts,
        suberror=suberror,
    )


def cause_of(*, error: str, suberror: str = "", aadsts: tuple[int, ...] = ()) -> Cause:
    """The cause that the most telling one names: a known number, then the suberror, then the error."""
    for number in aadsts:
        if number in _CAUSE_OF_NUMBER:
            return _CAUSE_OF_NUMBER[number]
    return _CAUSE_OF_SUBERROR.get(suberror) or _CAUSE_OF_ERROR.get(error, Cause.OTHER)


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""
