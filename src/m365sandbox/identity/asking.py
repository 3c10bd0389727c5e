"""Checks an authorize or admin consent request before anybody sees a page.

What is wrong with the client or its redirect address is shown as a page, everything else is sent back to the
app. (Microsoft identity platform: OAuth 2.0 authorization code flow; RFC 7636.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from ..people import PERSONAL_TENANT, App
from . import claims_request, scopes
from .problems import Problem
from .state import Identity, Request, redirect_is_registered
from .tenants import Audience, resolve


class Check(Protocol):
    """Either of the two checks below."""

    def __call__(self, values: Mapping[str, str], *, segment: str, identity: Identity, base_url: str) -> Request: ...


PROMPTS = ("", "login", "none", "consent", "select_account")
_CHALLENGE = re.compile(r"[A-Za-z0-9\-._~]{43,128}\Z")


@dataclass(slots=True)
class ReturnToApp(Exception):
    """A problem that the app is told by redirect."""

    problem: Problem
    redirect_uri: str
    response_mode: str
    state: str | None
    admin_consent: bool = False


def authorize(values: Mapping[str, str], *, segment: str, identity: Identity, base_url: str) -> Request:
    """The checked request. Raises Problem (show a page) or ReturnToApp (redirect)."""
    audience, app, redirect_uri = _who_asks(values, segment=segment, identity=identity)
    state = values.get("state")
    mode = values.get("response_mode", "query")
    try:
        return _authorize(values, audience=audience, app=app, redirect_uri=redirect_uri, base_url=base_url)
    except Problem as problem:
        safe_mode = mode if mode in ("query", "fragment", "form_post") else "query"
        raise ReturnToApp(problem, redirect_uri, safe_mode, state) from problem


def admin_consent(values: Mapping[str, str], *, segment: str, identity: Identity, base_url: str) -> Request:
    """The checked admin consent request. Raises like `authorize`."""
    audience, app, redirect_uri = _who_asks(values, segment=segment, identity=identity)
    if audience.key in ("common", PERSONAL_TENANT):
        raise Problem(90130, {"client_id": app.client_id})
    state = values.get("state")
    try:
        if not values.get("scope"):
            raise Problem(900144, {"field": "scope"})
        asked = scopes.parse(values["scope"], app_name=app.name, base_url=base_url)
    except Problem as problem:
        raise ReturnToApp(problem, redirect_uri, "query", state, admin_consent=True) from problem
    return Request(
        audience=audience,
        app=app,
        redirect_uri=redirect_uri,
        scopes=asked,
        response_mode="query",
        state=state,
        nonce=None,
        prompt="",
        login_hint="",
        challenge="",
        challenge_method="",
        claims=claims_request.parse(""),
        wants_client_info=False,
        admin_consent=True,
    )


def _who_asks(values: Mapping[str, str], *, segment: str, identity: Identity) -> tuple[Audience, App, str]:
    audience = resolve(segment, directory=identity.directory)
    if not values.get("client_id"):
        raise Problem(900144, {"field": "client_id"})
    app = identity.app(values["client_id"])
    redirect_uri = values.get("redirect_uri", "")
    if not redirect_uri:
        raise Problem(900971)
    if not redirect_is_registered(app=app, uri=redirect_uri) or urlsplit(redirect_uri).fragment:
        raise Problem(50011, {"redirect_uri": redirect_uri, "client_id": app.client_id})
    return audience, app, redirect_uri


def _authorize(
    values: Mapping[str, str], *, audience: Audience, app: App, redirect_uri: str, base_url: str
) -> Request:
    _check_response(values)
    if not values.get("scope"):
        raise Problem(900144, {"field": "scope"})
    prompt = values.get("prompt", "")
    if prompt not in PROMPTS:
        raise Problem(90023, {"reason": "Unsupported 'prompt' value."})
    login_hint = values.get("login_hint", "")
    if prompt == "select_account" and login_hint:
        raise Problem(90023, {"reason": "'login_hint' and prompt 'select_account' can't be used together."})
    challenge, method = values.get("code_challenge", ""), values.get("code_challenge_method", "")
    _check_challenge(challenge, method)
    return Request(
        audience=audience,
        app=app,
        redirect_uri=redirect_uri,
        scopes=scopes.parse(values["scope"], app_name=app.name, base_url=base_url),
        response_mode=values.get("response_mode", "query"),
        state=values.get("state"),
        nonce=values.get("nonce"),
        prompt=prompt,
        login_hint=login_hint,
        challenge=challenge,
        challenge_method=method or "plain",
        claims=claims_request.parse(values.get("claims", "")),
        wants_client_info=values.get("client_info") == "1",
    )


def _check_response(values: Mapping[str, str]) -> None:
    kind = values.get("response_type", "")
    if not kind:
        raise Problem(900144, {"field": "response_type"})
    if kind != "code":
        parts = set(kind.split())
        if parts <= {"code", "id_token", "token"}:
            raise Problem(700054)
        raise Problem(70005, {"response_type": kind})
    if values.get("response_mode", "query") not in ("query", "fragment", "form_post"):
        raise Problem(90023, {"reason": "Unsupported 'response_mode' value."})


def _check_challenge(challenge: str, method: str) -> None:
    if not challenge:
        if method:
            raise Problem(900144, {"field": "code_challenge"})
        return
    if method not in ("", "plain", "S256"):
        raise Problem(90023, {"reason": "Unsupported 'code_challenge_method' value."})
    if not _CHALLENGE.match(challenge) or (method == "S256" and len(challenge) != 43):
        raise Problem(501491)
