"""Over HTTP, under /_sandbox/identity: what admins and Microsoft do to sign-ins. JSON in, JSON out; loopback only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..people import Person
from .problems import Problem
from .state import Identity

Act = Callable[[dict[str, Any]], dict[str, Any]]
_PERSON_FIELDS = {"mfa": bool, "blocked": str, "password": str, "mailbox": str, "admin": bool}


class Control:
    """The endpoints."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    def revoke(self, body: dict[str, Any]) -> dict[str, Any]:
        """End the refresh tokens of `address` with AADSTS `number` (default 50173)."""
        person = self._person(body)
        return {"revoked": self.identity.tokens.revoke(person.address, number=int(body.get("number", 50173)))}

    def expire_access(self, body: dict[str, Any]) -> dict[str, Any]:
        """Let the access tokens of `address` expire now."""
        return {"expired": self.identity.tokens.expire_access(self._person(body).address)}

    def challenge(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask `address` for `claims` (JSON text); with `interactive`, refreshing is refused until they come."""
        claims = body.get("claims") or _default_claims(int(self.identity.now().timestamp()))
        if not isinstance(msgspec.json.decode(claims), dict):
            raise ValueError("claims is the text of a JSON object")
        person = self._person(body)
        self.identity.tokens.challenge(person=person, claims=claims, interactive=bool(body.get("interactive")))
        return {"claims": claims}

    def person(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change `address`: mfa, blocked (an AADSTS number as text), password, mailbox, admin."""
        person = self._person(body)
        changes = {name: value for name, value in body.items() if name != "address"}
        for name, value in changes.items():
            if name not in _PERSON_FIELDS or not isinstance(value, _PERSON_FIELDS[name]):
                raise ValueError(f"cannot set {name} to {value!r}")
        if changes.get("blocked") and not str(changes["blocked"]).isdigit():
            raise ValueError("blocked is an AADSTS number, or empty")
        for name, value in changes.items():
            setattr(person, name, value)
        return {name: getattr(person, name) for name in _PERSON_FIELDS}

    def tenant(self, body: dict[str, Any]) -> dict[str, Any]:
        """Set `consent` of the tenant with this `domain` to "user" or "admin"."""
        tenant = next((one for one in self.identity.directory.tenants.values() if one.domain == body["domain"]), None)
        if tenant is None or body["consent"] not in ("user", "admin"):
            raise ValueError("domain of a tenant, and consent: user or admin")
        tenant.consent = body["consent"]
        return {"domain": tenant.domain, "consent": tenant.consent}

    def withdraw(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take back what `address` consented to: the `scopes`, or everything."""
        names = frozenset(body["scopes"]) if "scopes" in body else None
        self.identity.consents.withdraw(person=self._person(body), names=names)
        return {}

    def token_problem(self, body: dict[str, Any]) -> dict[str, Any]:
        """Let the next `times` token requests fail with AADSTS `number`."""
        problem = Problem(int(body["number"]), claims=str(body.get("claims", "")))
        self.identity.next_token_problems.extend([problem] * int(body.get("times", 1)))
        return {"waiting": len(self.identity.next_token_problems)}

    def rotate_keys(self, body: dict[str, Any]) -> dict[str, Any]:
        """Sign with a new key from now on."""
        return {"kid": self.identity.keys.rotate()}

    def refreshes(self, body: dict[str, Any]) -> dict[str, Any]:
        """How often each person's access token was renewed, by address."""
        people = self.identity.directory.people
        return {people[key].address: count for key, count in self.identity.tokens.refreshes.items() if key in people}

    def _person(self, body: dict[str, Any]) -> Person:
        person = self.identity.directory.person(address=str(body["address"]))
        if person is None:
            raise ValueError(f"nobody has the address {body['address']}")
        return person


def routes(identity: Identity) -> list[Route]:
    """The routes of this part of the control API."""
    control = Control(identity)
    table: tuple[tuple[str, str, Act], ...] = (
        ("POST", "revoke", control.revoke),
        ("POST", "expire-access", control.expire_access),
        ("POST", "challenge", control.challenge),
        ("PATCH", "person", control.person),
        ("PATCH", "tenant", control.tenant),
        ("POST", "withdraw-consent", control.withdraw),
        ("POST", "token-problem", control.token_problem),
        ("POST", "rotate-keys", control.rotate_keys),
        ("GET", "refreshes", control.refreshes),
    )
    return [Route(f"/_sandbox/identity/{path}", _endpoint(act), methods=[method]) for method, path, act in table]


def _endpoint(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            raw = await request.body()
            body = msgspec.json.decode(raw) if raw else {}
            if not isinstance(body, dict):
                raise ValueError("the body is a JSON object")
            return Response(msgspec.json.encode(act(body)), media_type="application/json")
        except KeyError as problem:
            told = f"missing: {problem}"
        except (TypeError, ValueError) as problem:
            told = str(problem)
        return Response(msgspec.json.encode({"error": told}), 400, media_type="application/json")

    return answer


def _default_claims(now: int) -> str:
    return msgspec.json.encode({"access_token": {"nbf": {"essential": True, "value": str(now)}}}).decode()
