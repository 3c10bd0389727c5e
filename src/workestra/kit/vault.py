"""Secrets at rest: AES-256-GCM, bound to the row that holds them (SEC 1; NIST SP 800-38D).

A sealed value is `version(1) | key id length(1) | key id | nonce(12) | ciphertext and tag`. The associated
data names table, workspace, row and field: a ciphertext moved to another row does not open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
NONCE_BYTES = 12


class Sealed(Exception):
    """The value cannot be opened: wrong row, damaged, or its key is no longer configured."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret lives: it opens nowhere else."""

    table: str
    workspace: int
    row: str
    field: str

    def associated(self) -> bytes:
        """The associated data of the cipher."""
        return "\x1f".join((self.table, str(self.workspace), self.row, self.field)).encode()


class Vault:
    """Seals with the first key, opens with any."""

    def __init__(self, *, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ValueError("a vault needs a key")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._first = next(iter(keys))

    def seal(self, *, text: str, place: Place) -> bytes:
        """Encrypt `text` for its place."""
        nonce = os.urandom(NONCE_BYTES)
        name = self._first.encode()
        body = self._ciphers[self._first].encrypt(nonce, text.encode(), place.associated())
        return bytes((VERSION, len(name))) + name + nonce + body

    def open(self, *, sealed: bytes, place: Place) -> str:
        """Decrypt what `seal` made for this place.

        Raises:
            Sealed: in every case in which the text cannot be trusted.
        """
        raw = bytes(sealed)
        if len(raw) < 2 or raw[0] != VERSION:
            raise Sealed("unknown form of secret")
        end = 2 + raw[1]
        cipher = self._ciphers.get(raw[2:end].decode("ascii", "replace"))
        if cipher is None:
            raise Sealed("the key of this secret is not configured")
        try:
            return cipher.decrypt(raw[end : end + NONCE_BYTES], raw[end + NONCE_BYTES :], place.associated()).decode()
        except (InvalidTag, ValueError):
            raise Sealed("this secret does not belong here, or was damaged") from None

    def key_of(self, *, sealed: bytes) -> str:
        """The id of the key that a sealed value needs."""
        raw = bytes(sealed)
        return raw[2 : 2 + raw[1]].decode("ascii", "replace") if len(raw) > 2 else ""
