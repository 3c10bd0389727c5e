"""Who signed in: the checks of an id_token, and nobody is anybody before all of them pass.

RS256 with a key that the authority publishes, and nothing else; our client id as audience; the issuer that
the authority announces, with the token's own tenant id put in; not expired, not before its time; the nonce of
this very sign-in. A person is tenant id and object id. The address in a token is a courtesy of whoever runs
that tenant: it is shown, and never matched (ENT 1). OpenID Connect Core 3.1.3.7; Microsoft identity platform:
"ID token claims reference", "Migrate away from using email claims for user identification".
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64decode

from .errors import Cause, SignInRefused

PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
LEEWAY = 300
"""Seconds by which clocks may differ, as Microsoft's own libraries allow."""

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person, as (tenant_id, object_id). `name` and `address` are for display only and may be empty.

    `issued_at`: by Microsoft's clock, or some minutes before it; None where the token does not say.
    """

    tenant_id: str
    object_id: str
    name: str
    address: str
    issued_at: datetime | None = None

    @property
    def personal(self) -> bool:
        """Whether this is an Outlook.com account rather than one of work or school."""
        return self.tenant_id == PERSONAL_TENANT


def key_id(id_token: str) -> str:
    """Which key a token says it is signed with, before anything is believed. Raises `SignInRefused`."""
    try:
        header = msgspec.json.decode(urlsafe_b64decode(id_token.partition(".")[0].encode()))
    except (ValueError, msgspec.DecodeError) as error:
        raise _bad("it is not a token") from error
    if not isinstance(header, dict) or header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
        raise _bad("it is not signed with RS256 by a named key")
    return str(header["kid"])


def identity(
    *,
    id_token: str,
    key: Mapping[str, Any],
    client_id: str,
    issuer: str,
    nonce: str,
    now: datetime,
) -> Identity:
    """The person of a token that passes every check; raises `SignInRefused` at the first that fails.

    `key` is the published key that the token names; `issuer` is the announced one, perhaps with "{tenantid}"
    in it.
    """
    try:
        claims = jwt.decode(id_token, RSAKey.import_key(_public(key)), algorithms=["RS256"]).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _bad("its signature is not good") from error
    tenant, person = claims.get("tid"), claims.get("oid")
    if not isinstance(tenant, str) or not _GUID.fullmatch(tenant):
        raise _bad("it names no tenant")
    tenant = tenant.lower()
    for announced in (issuer, key.get("issuer", issuer)):
        if claims.get("iss") != str(announced).replace("{tenantid}", tenant):
            raise _bad("its issuer is not the one announced")
    if claims.get("aud") != client_id:
        raise _bad("it is meant for another application")
    moment, expires, begins = now.timestamp(), claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or not moment < expires + LEEWAY:
        raise _bad("it has expired: check this server's clock")
    if not isinstance(begins, int | float) or not begins - LEEWAY <= moment:
        raise _bad("it is not valid yet: check this server's clock")
    if not nonce or not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
        raise _bad("it belongs to another sign-in")
    if not isinstance(person, str) or not person:
        raise _bad("it names no person")
    return Identity(
        tenant_id=tenant,
        object_id=person.lower(),
        name=_text(claims.get("name")),
        address=_text(claims.get("preferred_username")) or _text(claims.get("email")),
        issued_at=_moment(claims.get("iat")),
    )


def _public(key: Mapping[str, Any]) -> dict[str, str | list[str]]:
    return {"kty": "RSA", "n": str(key["n"]), "e": str(key["e"])}


def _moment(value: object) -> datetime | None:
    if not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _bad(why: str) -> SignInRefused:
    return SignInRefused(
        cause=Cause.BAD_ID_TOKEN, code="invalid_id_token", message=f"The id_token was refused: {why}."
    )
