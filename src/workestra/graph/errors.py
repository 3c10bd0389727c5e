"""What can go wrong when Microsoft is asked, and what to do next.

    GraphError                    advice
    ├── Throttled                 retry     429, or 503/509 that name a wait: see `retry_after`
    ├── Unreachable               retry     no answer, or none that makes sense; a write may have happened
    │   ├── TooLarge              retry     504 on a read, or a body above our cap: ask for less
    │   └── KeptBack              retry     single messages that Outlook has, but does not give out just now
    ├── CursorExpired             retry     the delta link is worn out: walk the folder again
    ├── SignInNeeded              ask       the token is refused; `claims` go into the next sign-in
    │   └── SignInRefused         by cause  the sign-in service said no: see `cause`
    ├── AccessDenied              ask       403: the person, or their admin, has to allow it
    ├── NoMailbox                 ask       no Exchange Online mailbox behind this account
    ├── Gone                      give up   404: deleted, never there, or not yet readable
    ├── Refused                   give up   any other 4xx: asking the same again will not help
    │   ├── AlreadySubscribed     give up   409: such a subscription lives: see `existing_id`
    │   ├── LifeTooLong           retry     a subscription may live for `minutes` at most
    │   └── HandshakeFailed       ask       Microsoft could not validate our notification address
    └── Forbidden                 give up   our own allow-list refused it before the socket: a bug here

`advice` is for code ("retry" later, "ask" a person, "give up"); words for people live in the catalogue of
errors. Graph: "Microsoft Graph error responses and resource types".
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Advice = Literal["retry", "ask", "give up"]


class GraphError(Exception):
    """Any failure of a call to Microsoft.

    `code` is Graph's (or the sign-in service's) own word, "" where it gave none. `status` is None when no
    answer came. `retry_after` is in seconds from the moment of the answer. `claims` is the decoded JSON of a
    claims challenge. Nothing here holds a token or the content of mail.
    """

    advice: Advice = "give up"

    def __init__(
        self,
        *,
        code: str = "",
        message: str = "",
        status: int | None = None,
        request_id: str | None = None,
        client_request_id: str | None = None,
        retry_after: float | None = None,
        claims: str | None = None,
    ) -> None:
        super().__init__(code, message, status)
        self.code = code
        self.message = message
        self.status = status
        self.request_id = request_id
        self.client_request_id = client_request_id
        self.retry_after = retry_after
        self.claims = claims

    def __str__(self) -> str:
        where = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status or 'no answer'} {self.code}: {self.message}{where}"


class Throttled(GraphError):
    """Too many requests: wait `retry_after` seconds, or back off where it is None."""

    advice: Advice = "retry"


class Unreachable(GraphError):
    """No usable answer: a dead line, a time-out, a 5xx, HTML or broken JSON.

    A write may have taken effect all the same, unless `never_left` is True: then no byte of it was sent.
    """

    advice: Advice = "retry"
    never_left: bool = False


class TooLarge(Unreachable):
    """The answer was too much to build or to hold: ask for a smaller page."""


class KeptBack(Unreachable):
    """Outlook has messages that it does not give out, though it gives others: it may pass."""


class CursorExpired(GraphError):
    """The delta or next link is no longer good: start a new round."""

    advice: Advice = "retry"


class SignInNeeded(GraphError):
    """Only a person's sign-in can help. `aadsts` holds the sign-in service's codes, where it gave any."""

    advice: Advice = "ask"

    def __init__(
        self,
        *,
        code: str = "",
        message: str = "",
        status: int | None = None,
        request_id: str | None = None,
        client_request_id: str | None = None,
        retry_after: float | None = None,
        claims: str | None = None,
        aadsts: tuple[int, ...] = (),
    ) -> None:
        super().__init__(
            code=code,
            message=message,
            status=status,
            request_id=request_id,
            client_request_id=client_request_id,
            retry_after=retry_after,
            claims=claims,
        )
        self.aadsts = aadsts


class Cause(StrEnum):
    """Why the sign-in service refused."""

    DECLINED = "declined"
    ADMIN_CONSENT = "admin_consent"
    CONDITIONAL_ACCESS = "conditional_access"
    MFA = "mfa"
    WRONG_TENANT = "wrong_tenant"
    ACCOUNT = "account"
    CODE_USED = "code_used"
    EXPIRED = "expired"
    REVOKED = "revoked"
    MISCONFIGURED = "misconfigured"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    BAD_ID_TOKEN = "bad_id_token"  # noqa: S105
    OTHER = "other"


class SignInRefused(SignInNeeded):
    """The sign-in service refused a sign-in or a refresh, or what it sent failed our checks.

    `code` is the OAuth `error`, `suberror` its finer word. `advice` is "retry" where the cause passes by
    itself.
    """

    def __init__(
        self,
        *,
        cause: Cause,
        code: str = "",
        message: str = "",
        status: int | None = None,
        request_id: str | None = None,
        claims: str | None = None,
        aadsts: tuple[int, ...] = (),
        suberror: str = "",
    ) -> None:
        super().__init__(
            code=code, message=message, status=status, request_id=request_id, claims=claims, aadsts=aadsts
        )
        self.cause = cause
        self.suberror = suberror
        self.advice = "retry" if cause is Cause.TEMPORARILY_UNAVAILABLE else "ask"


class AccessDenied(GraphError):
    """Not allowed: a scope or an Exchange right is missing."""

    advice: Advice = "ask"


class NoMailbox(GraphError):
    """The account has no mailbox in Exchange Online or Outlook.com."""

    advice: Advice = "ask"


class Gone(GraphError):
    """No such thing here (any more), or it cannot be read yet."""


class Refused(GraphError):
    """Microsoft understood and refuses."""


class AlreadySubscribed(Refused):
    """The same subscription exists. `existing_id` is None where Microsoft did not name it: list them."""

    existing_id: str | None = None


class LifeTooLong(Refused):
    """Subscriptions to mail may live for at most `minutes` from now."""

    advice: Advice = "retry"
    minutes: int = 0


class HandshakeFailed(Refused):
    """Our notification address did not answer the validation as it must."""

    advice: Advice = "ask"


class Forbidden(GraphError):
    """Refused by our own allow-list, before any byte left."""
