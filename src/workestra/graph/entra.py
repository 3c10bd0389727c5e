"""Signing in at Microsoft: the way there, the way back, and fresh tokens later.

    sign_in_url ──▶ Microsoft's own pages ──▶ returned ──▶ redeem ──▶ Grant ──▶ refresh ──▶ Grant ──▶ …

Authorization code with PKCE (S256), as a confidential client with a secret or a certificate. Authlib makes
the protocol's pieces; they travel over the HTTP client that is passed in, because the whole error body is
needed and one pool of connections is enough. State, nonce and verifier are made, kept and spent by the
caller; tokens pass through here and are not kept. RFC 6749, RFC 7636, RFC 7523; Microsoft identity platform:
"OAuth 2.0 authorization code flow".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx2
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from .authority import SHARED, Authority, for_tenant
from .clientauth import Certificate, authenticated
from .errors import Cause, SignInRefused, Unreachable
from .idtoken import PERSONAL_TENANT, Identity, identity, key_id
from .refusals import refused

CLAIMS_CAPABLE = {"access_token": {"xms_cc": {"values": ["cp1"]}}}
"""Tells Microsoft that we understand claims challenges; only then are they sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Tokens and what they are good for. Not printed by repr: these are secrets.

    `expires_in` is in seconds from the answer. `scopes` are those really granted. `refresh_token` is None
    where offline_access was not granted. `identity` is None on a refresh: the person was established when
    signing in.
    """

    access_token: str
    refresh_token: str | None
    expires_in: int
    scopes: frozenset[str]
    identity: Identity | None = None

    def __repr__(self) -> str:
        return f"Grant(expires_in={self.expires_in}, scopes={sorted(self.scopes)})"


class Entra:
    """The sign-in service, for one application."""

    def __init__(
        self,
        *,
        authority: str,
        client_id: str,
        http: httpx2.AsyncClient,
        client_secret: str | None = None,
        certificate: Certificate | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if (client_secret is None) == (certificate is None):
            raise ValueError("An application proves itself by a secret or by a certificate: give one of them.")
        self._authority = Authority(url=authority, http=http, monotonic=monotonic)
        self._client_id = client_id
        self._proof: str | Certificate = certificate or client_secret or ""

    async def sign_in_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        nonce: str,
        verifier: str,
        scopes: Sequence[str],
        login_hint: str | None = None,
        prompt: str | None = None,
        claims: str | None = None,
        domain_hint: str | None = None,
    ) -> str:
        """Where to send the person. `claims` is the decoded JSON of a challenge that Graph gave.

        Raises ValueError for a login hint with prompt=select_account, which Microsoft refuses.
        """
        if login_hint and prompt == "select_account":
            raise ValueError("login_hint and prompt=select_account cannot be used together")
        document = await self._authority.document()
        url: str = prepare_grant_uri(
            document.authorization_endpoint,
            client_id=self._client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=list(scopes),
            state=state,
            nonce=nonce,
            response_mode="query",
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            claims=_claims(claims),
            login_hint=login_hint,
            prompt=prompt,
            domain_hint=domain_hint,
        )
        return url

    async def redeem(
        self,
        *,
        code: str,
        redirect_uri: str,
        verifier: str,
        nonce: str,
        now: datetime,
        scopes: Sequence[str] = (),
    ) -> Grant:
        """Turns a code into tokens and a proven person.

        Raises `SignInRefused`, `Throttled` or `Unreachable`; a code can be spent once, so all mean: start
        again.
        """
        document = await self._authority.document()
        answer = await self._token(
            endpoint=document.token_endpoint,
            now=now,
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=verifier,
            scope=list(scopes),
        )
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise SignInRefused(cause=Cause.BAD_ID_TOKEN, code="invalid_id_token", message="No id_token came.")
        person = await self._person(id_token=id_token, issuer=document.issuer, nonce=nonce, now=now)
        return _grant(answer, asked=scopes, person=person)

    async def refresh(self, *, refresh_token: str, scopes: Sequence[str], tenant_id: str, now: datetime) -> Grant:
        """Fresh tokens, asked of the person's own tenant (personal accounts: of `consumers`).

        The answer's refresh token replaces the one sent; where Microsoft sends none, it is the one sent.
        Raises `SignInRefused` where only the person can help, `Throttled` or `Unreachable` where waiting
        does.
        """
        document = await self._authority.document()
        answer = await self._token(
            endpoint=self._endpoint_of(document.token_endpoint, tenant_id),
            now=now,
            grant_type="refresh_token",
            refresh_token=refresh_token,
            scope=list(scopes),
        )
        return _grant(answer, asked=scopes, kept=refresh_token)

    def _endpoint_of(self, endpoint: str, tenant_id: str) -> str:
        mine = self._authority.tenant
        if mine not in SHARED:
            return endpoint
        theirs = "consumers" if tenant_id.lower() == PERSONAL_TENANT else tenant_id
        return for_tenant(url=endpoint, instead_of=mine, tenant=theirs)

    async def _token(self, *, endpoint: str, now: datetime, grant_type: str, **fields: Any) -> dict[str, Any]:
        body = prepare_token_request(grant_type, claims=json.dumps(CLAIMS_CAPABLE), **fields)
        body = authenticated(body=body, client_id=self._client_id, proof=self._proof, endpoint=endpoint, now=now)
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        request = httpx2.Request("POST", endpoint, headers=headers, content=body.encode())
        answer = await self._authority.ask(request, refusals=True)
        if "error" in answer or answer["status"] != 200:
            refusal = refused(answer=answer, status=answer["status"])
            if refusal.cause is Cause.TEMPORARILY_UNAVAILABLE:
                raise Unreachable(code=refusal.code, message=refusal.message, status=refusal.status)
            raise refusal
        if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
            raise Unreachable(code="malformedAnswer", message="the token endpoint gave no token", status=200)
        return answer

    async def _person(self, *, id_token: str, issuer: str, nonce: str, now: datetime) -> Identity:
        key = await self._authority.key(key_id(id_token))
        if key is None:
            raise SignInRefused(
                cause=Cause.BAD_ID_TOKEN,
                code="invalid_id_token",
                message="The id_token's key is not Microsoft's.",
            )
        person = identity(id_token=id_token, key=key, client_id=self._client_id, issuer=issuer, nonce=nonce, now=now)
        mine = self._authority.tenant
        if (mine == "organizations" and person.personal) or (mine == "consumers" and not person.personal):
            raise SignInRefused(
                cause=Cause.WRONG_TENANT,
                code="wrong_account_type",
                message="This kind of account is not accepted.",
            )
        return person


def returned(*, query: Mapping[str, str]) -> str:
    """The code that a redirect back to us carries; its state must have been checked before.

    Raises `SignInRefused` for an error, and for a redirect with neither (`error` wins over anything else).
    """
    if query.get("error") or not query.get("code"):
        raise refused(answer=dict(query))
    return query["code"]


def admin_consent_url(*, authority: str, client_id: str, redirect_uri: str, state: str, scopes: Sequence[str]) -> str:
    """Where an administrator approves `scopes` for the whole organisation: that of `authority`, or else their own.

    Microsoft identity platform: "Admin consent on the Microsoft identity platform".
    """
    parts = urlsplit(authority)
    mine = parts.path.strip("/").partition("/")[0]
    tenant = mine if mine and mine not in SHARED else "organizations"
    query = urlencode(
        {"client_id": client_id, "scope": " ".join(scopes), "redirect_uri": redirect_uri, "state": state}
    )
    return urlunsplit((parts.scheme, parts.netloc, f"/{tenant}/v2.0/adminconsent", query, ""))


def admin_consented(*, query: Mapping[str, str]) -> None:
    """Returns where the redirect says that an administrator approved; its state must have been checked before.

    Raises `SignInRefused` for anything else (`admin_consent` is True on a failure too). The `tenant` that comes
    along is anybody's to write: only a real sign-in proves what was approved.
    """
    if query.get("error") or query.get("admin_consent", "").lower() != "true":
        raise refused(answer=dict(query))


def _claims(challenge: str | None) -> str:
    """The claims to ask for: our capability, and what a challenge demands."""
    demanded = json.loads(challenge) if challenge else {}
    token = {**demanded.get("access_token", {}), **CLAIMS_CAPABLE["access_token"]}
    return json.dumps({**demanded, "access_token": token})


def _grant(
    answer: Mapping[str, Any],
    *,
    asked: Sequence[str],
    kept: str | None = None,
    person: Identity | None = None,
) -> Grant:
    refresh_token, scope = answer.get("refresh_token"), answer.get("scope")
    try:
        expires_in = int(answer.get("expires_in") or 0)
    except (TypeError, ValueError):
        expires_in = 0
    return Grant(
        access_token=answer["access_token"],
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else kept,
        expires_in=max(0, expires_in),
        scopes=frozenset(scope.split() if isinstance(scope, str) else asked),
        identity=person,
    )
