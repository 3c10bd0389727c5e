"""The keys that sign id_tokens: made at start, published as Microsoft publishes its own, replaced on demand."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey


class SigningKey:
    """One RSA 2048 key with its self-signed certificate; `kid` and `x5t` are the certificate's thumbprint."""

    def __init__(self) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "accounts.accesscontrol.example")])
        start = datetime(2026, 1, 1, tzinfo=UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=5 * 365))
            .sign(private, SHA256())
            .public_bytes(Encoding.DER)
        )
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.key = RSAKey.import_key(pem)
        self.kid = base64.urlsafe_b64encode(hashlib.sha1(certificate).digest()).rstrip(b"=").decode()
        self._x5c = base64.b64encode(certificate).decode()

    def published(self, *, issuer: str) -> dict[str, Any]:
        """The public half, with the members of Microsoft's key documents and no others."""
        public = self.key.as_dict(private=False)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": public["n"],
            "e": public["e"],
            "x5c": [self._x5c],
            "issuer": issuer,
        }


class KeyRing:
    """The published keys. The newest one signs; `rotate` adds one and retires the oldest beyond three.

    The first key is made when somebody asks for it: making one takes a tenth of a second.
    """

    def __init__(self) -> None:
        self._keys: list[SigningKey] = []

    @property
    def keys(self) -> list[SigningKey]:
        """Those published, oldest first."""
        if not self._keys:
            self._keys = [SigningKey()]
        return self._keys

    def rotate(self) -> str:
        """Sign with a new key from now on; its kid."""
        self._keys = [*self.keys, SigningKey()][-3:]
        return self._keys[-1].kid

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact JWS, RS256."""
        newest = self.keys[-1]
        return jwt.encode({"typ": "JWT", "alg": "RS256", "kid": newest.kid}, claims, newest.key)
