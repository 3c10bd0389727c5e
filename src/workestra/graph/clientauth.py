"""How the application proves itself at the token endpoint: by its secret, or by a signed assertion.

RFC 6749 section 2.3.1; RFC 7523; Microsoft identity platform: "Application authentication certificate
credentials".
"""

from __future__ import annotations

import base64
import hashlib
import ssl
from dataclasses import dataclass, field
from datetime import datetime

from authlib.common.urls import add_params_to_qs
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE
from joserfc.jwk import RSAKey

ASSERTION_LIFE = 300
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The application's certificate and its private key, both as PEM text."""

    certificate: str
    private_key: str = field(repr=False)

    @property
    def thumbprint(self) -> str:
        """SHA-256 of the certificate, as the header `x5t#S256` has it."""
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate)).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authenticated(*, body: str, client_id: str, proof: str | Certificate, endpoint: str, now: datetime) -> str:
    """The form `body` with the application's proof added: its id and secret, or an assertion."""
    if isinstance(proof, Certificate):
        assertion = private_key_jwt_sign(
            RSAKey.import_key(proof.private_key),
            client_id=client_id,
            token_endpoint=endpoint,
            alg="PS256",
            header={"x5t#S256": proof.thumbprint},
            issued_at=int(now.timestamp()),
            expires_in=ASSERTION_LIFE,
            claims={"nbf": int(now.timestamp())},
        )
        added = [
            ("client_id", client_id),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ]
        with_assertion: str = add_params_to_qs(body, added)
        return with_assertion
    _, _, signed = ClientAuth(client_id, proof, "client_secret_post").prepare("POST", endpoint, {}, body)
    return str(signed)
