"""POST /{tenant}/oauth2/v2.0/token: redeem a code, renew with a refresh token. (RFC 6749, RFC 7636)"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from ..people import PERSONAL_TENANT, App, Person
from . import claims_request, id_token, scopes
from .answers import client_info
from .claims_request import ClaimsRequest
from .problems import Problem
from .state import CODE_LIFE, Code, Identity
from .tenants import resolve

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}\Z")


def answer(
    values: Mapping[str, str], *, segment: str, authorization: str, identity: Identity, base_url: str
) -> dict[str, Any]:
    """The token answer. Raises Problem."""
    if identity.next_token_problems:
        raise identity.next_token_problems.pop(0)
    audience = resolve(segment, directory=identity.directory)
    grant = _need(values, "grant_type")
    if grant not in ("authorization_code", "refresh_token"):
        raise Problem(70003, {"grant_type": grant})
    app = _client(values, authorization=authorization, identity=identity)
    claims = claims_request.parse(values.get("claims", ""))
    if grant == "authorization_code":
        return _redeem(values, app=app, key=audience.key, claims=claims, identity=identity, base_url=base_url)
    return _renew(values, app=app, key=audience.key, claims=claims, identity=identity, base_url=base_url)


def _client(values: Mapping[str, str], *, authorization: str, identity: Identity) -> App:
    client_id, secret = values.get("client_id", ""), values.get("client_secret")
    if authorization.lower().startswith("basic "):
        try:
            plain = base64.b64decode(authorization[6:].strip(), validate=True).decode()
        except ValueError as error:
            raise Problem(9002313) from error
        name, _, given = plain.partition(":")
        client_id, secret = unquote_plus(name), unquote_plus(given)
    if not client_id:
        raise Problem(900144, {"field": "client_id"})
    app = identity.app(client_id)
    details = {"client_id": app.client_id}
    if "client_assertion" in values:
        raise Problem(700027, error="invalid_client")
    if not app.client_secret:
        if secret:
            raise Problem(700025, error="invalid_client")
        return app
    if not secret:
        raise Problem(7000218, details)
    if not hmac.compare_digest(secret.encode(), app.client_secret.encode()):
        raise Problem(7000215, details)
    if app.secret_expired:
        raise Problem(7000222, details)
    return app


def _redeem(
    values: Mapping[str, str],
    *,
    app: App,
    key: str,
    claims: ClaimsRequest,
    identity: Identity,
    base_url: str,
) -> dict[str, Any]:
    code = _usable_code(values, app=app, key=key, identity=identity)
    code.redeemed = True
    person, request = code.person, code.request
    if "scope" in values:
        scopes.parse(values["scope"], app_name=app.name, base_url=base_url)
    challenge = identity.tokens.unmet(person=person, issued_at=code.issued_at)
    if request.claims.answers(challenge) or claims.answers(challenge):
        identity.tokens.meet_challenge(person=person)
    return _tokens(
        person=person,
        app=app,
        asked=request.scopes,
        nonce=request.nonce,
        session_id=code.session_id,
        capable=request.claims.capable or claims.capable,
        with_client_info=request.wants_client_info or values.get("client_info") == "1",
        identity=identity,
        base_url=base_url,
    )


def _usable_code(values: Mapping[str, str], *, app: App, key: str, identity: Identity) -> Code:
    text, redirect_uri = _need(values, "code"), _need(values, "redirect_uri")
    code = identity.code(text)
    if code is None:
        raise Problem(9002313, error="invalid_grant")
    if code.redeemed:
        raise Problem(54005)
    if code.request.app.client_id != app.client_id:
        raise Problem(700003, {"client_id": app.client_id})
    if code.request.audience.key != key:
        raise Problem(700005)
    if redirect_uri != code.request.redirect_uri:
        raise Problem(500112, {"redirect_uri": redirect_uri})
    _check_verifier(code, values.get("code_verifier", ""))
    if identity.now() - code.issued_at >= CODE_LIFE:
        raise Problem(70008)
    return code


def _check_verifier(code: Code, verifier: str) -> None:
    challenge = code.request.challenge
    if not challenge:
        if verifier:
            raise Problem(501481)
        return
    if not _VERIFIER.match(verifier):
        raise Problem(501481)
    made = verifier
    if code.request.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not hmac.compare_digest(made, challenge):
        raise Problem(501481)


def _renew(
    values: Mapping[str, str],
    *,
    app: App,
    key: str,
    claims: ClaimsRequest,
    identity: Identity,
    base_url: str,
) -> dict[str, Any]:
    found = identity.tokens.look_up_refresh(_need(values, "refresh_token"))
    if found is None:
        raise Problem(9002313, error="invalid_grant")
    person = found.person
    if found.app_id != app.client_id:
        raise Problem(700003, {"client_id": app.client_id}, suberror="client_mismatch")
    if found.ended:
        raise Problem(70000 if person.personal else found.ended)
    _check_path(person=person, key=key, identity=identity)
    if person.blocked:
        raise Problem(int(person.blocked), {"address": person.address})
    challenge = identity.tokens.unmet(person=person, issued_at=found.issued_at)
    if identity.tokens.unmet(person=person, issued_at=found.issued_at, interactive=True):
        raise Problem(50076, claims=challenge)
    if claims.answers(challenge):
        identity.tokens.meet_challenge(person=person)
    granted = identity.consents.granted(person=person, app_id=app.client_id)
    asked = scopes.parse(values.get("scope", ""), app_name=app.name, base_url=base_url) or granted
    if not granted or identity.consents.missing(person=person, app_id=app.client_id, asked=asked):
        raise Problem(65001, {"client_id": app.client_id, "app": app.name})
    identity.tokens.refreshes[person.id] += 1
    return _tokens(
        person=person,
        app=app,
        asked=asked | {"offline_access"},
        nonce=None,
        session_id=app.client_id,
        capable=claims.capable,
        with_client_info=values.get("client_info") == "1",
        identity=identity,
        base_url=base_url,
    )


def _check_path(*, person: Person, key: str, identity: Identity) -> None:
    if key == "common":
        if person.personal and identity.refuse_personal_refresh_on_common:
            raise Problem(70000)
        return
    if person.personal != (key == PERSONAL_TENANT):
        raise Problem(70000)
    if key not in ("organizations", person.tenant.id):
        name = identity.directory.tenants[key].name
        raise Problem(50020, {"address": person.address, "tenant": name})


def _tokens(
    *,
    person: Person,
    app: App,
    asked: frozenset[str],
    nonce: str | None,
    session_id: str,
    capable: bool,
    with_client_info: bool,
    identity: Identity,
    base_url: str,
) -> dict[str, Any]:
    granted = identity.consents.granted(person=person, app_id=app.client_id)
    identity_scopes = frozenset(name for name in scopes.OPENID if name in granted and name in asked)
    held = scopes.on_graph(granted) | identity_scopes
    access, life = identity.tokens.issue_access(
        person=person, app_id=app.client_id, scopes=held, challengeable=capable
    )
    document: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": scopes.spoken(held),
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": access,
    }
    if "offline_access" in held:
        document["refresh_token"] = identity.tokens.issue_refresh(person=person, app_id=app.client_id)
    if "openid" in held:
        document["id_token"] = id_token.issue(
            person=person,
            client_id=app.client_id,
            scopes=held,
            nonce=nonce,
            session_id=session_id,
            identity=identity,
            base_url=base_url,
        )
    if with_client_info:
        document["client_info"] = client_info(person)
    return document


def _need(values: Mapping[str, str], name: str) -> str:
    if not values.get(name):
        raise Problem(900144, {"field": name})
    return values[name]
