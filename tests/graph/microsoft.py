"""The sign-in service as a wire: discovery, keys, a token endpoint whose answers the test decides."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.graph.wiring import NOW

from workestra.graph.clientauth import Certificate
from workestra.graph.entra import Entra

HOST = "https://login.example"
CLIENT = "11111111-2222-3333-4444-555555555555"
TENANT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
OTHER_TENANT = "ffffffff-bbbb-cccc-dddd-eeeeeeeeeeee"
PERSON = "99999999-8888-7777-6666-555555555555"
NONCE = "nonce-1"
KEYS = [RSAKey.generate_key(2048, {"kid": f"key-{n}"}) for n in (1, 2)]


def claims(**changes: Any) -> dict[str, Any]:
    """What a good id_token says; None leaves a claim out."""
    now = int(NOW.timestamp())
    good = {
        "aud": CLIENT,
        "iss": f"{HOST}/{TENANT}/v2.0",
        "tid": TENANT,
        "oid": PERSON,
        "sub": "pairwise",
        "name": "Ana",
        "preferred_username": "ana@example.com",
        "nonce": NONCE,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "ver": "2.0",
        **changes,
    }
    return {name: value for name, value in good.items() if value is not None}


def id_token(*, key: RSAKey = KEYS[0], kid: str | None = None, **changes: Any) -> str:
    """A signed id_token."""
    return jwt.encode({"alg": "RS256", "kid": kid or str(key.kid)}, claims(**changes), key)


def published(*keys: RSAKey, **more: Any) -> list[dict[str, Any]]:
    """A JWKS' keys as Microsoft lists them: without `alg`."""
    return [{**key.as_dict(private=False), "kid": key.kid, "use": "sig", **more} for key in keys]


class Microsoft:
    """Scripted; `clock` is the monotonic one, in seconds."""

    def __init__(self, *, tenant: str = "common", issuer_tenant: str = "{tenantid}", host: str = HOST) -> None:
        self.tenant = tenant
        self.host = host
        self.issuer = f"{host}/{issuer_tenant}/v2.0"
        self.keys: list[dict[str, Any]] = published(KEYS[0])
        self.token_answer: httpx2.Response = httpx2.Response(500)
        self.away = False
        self.endpoints: dict[str, Any] = {}
        self.asked: list[str] = []
        self.forms: list[dict[str, list[str]]] = []
        self.clock = 0.0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if self.away:
            raise httpx2.ConnectError("away")
        path = request.url.path
        if path.endswith("/.well-known/openid-configuration"):
            return httpx2.Response(200, json=self.document())
        if path.endswith("/discovery/v2.0/keys"):
            return httpx2.Response(200, json={"keys": self.keys})
        self.forms.append(parse_qs(request.content.decode(), strict_parsing=True))
        return self.token_answer

    def document(self) -> dict[str, Any]:
        base = f"{self.host}/{self.tenant}"
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "tenant_region_scope": None,
            **self.endpoints,
        }

    def grants(self, **changes: Any) -> None:
        """The token endpoint says yes."""
        answer = {
            "token_type": "Bearer",
            "scope": "Mail.Read User.Read",
            "expires_in": 4712,
            "access_token": "at-1",
            "refresh_token": "rt-2",
            "id_token": id_token(),
            **changes,
        }
        self.token_answer = httpx2.Response(200, json={k: v for k, v in answer.items() if v is not None})

    def refuses(self, error: str, number: int, *, status: int = 400, **more: Any) -> None:
        """The token endpoint says no, in Microsoft's words."""
        text = f"AADSTS{number}: No.\r\nTrace ID: t\r\nTimestamp: 2026-11-22 06:00:00Z"
        body = {"error": error, "error_description": text, "error_codes": [number], "trace_id": "t", **more}
        self.token_answer = httpx2.Response(status, json=body)

    def entra(self, *, certificate: Certificate | None = None, wire: Any = None) -> Entra:
        """The client under test; `wire` stands between the two."""
        return Entra(
            authority=f"{self.host}/{self.tenant}",
            client_id=CLIENT,
            client_secret=None if certificate else "s3cret&=",
            certificate=certificate,
            http=httpx2.AsyncClient(transport=httpx2.MockTransport(wire or self), trust_env=False),
            monotonic=lambda: self.clock,
        )
