"""The tokens of delta queries: opaque, bound to what they were made for, and mortal.

A token names its mailbox, its folder and the options of the first request. Each answer of a chain (one first round
and all that follows from it) carries a generation one higher than the token it was asked with; the server remembers a
few generations only, so that an old nextLink ends in 410 (Graph: delta query overview, token duration).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

import msgspec


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """Where a client stands. `received` and `number` are the last item of a first round, `since` a change number."""

    kind: str  # messages | folders | contacts
    owner: str
    folder: int
    chain: int
    generation: int
    epoch: int
    first: bool
    since: int
    received: float
    number: int
    served: int
    closing: bool
    options: list[tuple[str, str]]


class SyncStateLost(Exception):
    """410: the token is too old, was cut off, or is none of ours."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Cursors:
    """Issues and reads tokens. `keep` is how many generations of a chain stay known; 0 means all."""

    secret: bytes
    keep: int = 3
    _chains: dict[int, int] = field(default_factory=dict)
    _epochs: dict[tuple[str, int], int] = field(default_factory=dict)

    def start(self, *, kind: str, owner: str, folder: int, since: int, options: list[tuple[str, str]]) -> Cursor:
        """The cursor of a first request."""
        chain = len(self._chains) + 1
        self._chains[chain] = 100
        return Cursor(
            kind,
            owner,
            folder,
            chain,
            100,
            self._epoch(owner, folder),
            True,
            since,
            0.0,
            0,
            0,
            False,
            options,
        )

    def issue(self, cursor: Cursor) -> str:
        """The cursor as a token of the next generation."""
        made = msgspec.structs.replace(cursor, generation=cursor.generation + 1)
        self._chains[made.chain] = max(self._chains.get(made.chain, 0), made.generation)
        raw = msgspec.msgpack.encode(made)
        return base64.urlsafe_b64encode(self._seal(raw) + raw).decode().rstrip("=")

    def read(self, token: str, *, kind: str, owner: str, folder: int) -> Cursor:
        """The cursor of a token. Raises SyncStateLost."""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            if not hmac.compare_digest(sealed[:12], self._seal(sealed[12:])):
                raise ValueError(token)
            cursor = msgspec.msgpack.decode(sealed[12:], type=Cursor)
        except (binascii.Error, ValueError, msgspec.DecodeError) as problem:
            raise SyncStateLost("SyncStateInvalid", "The sync state data is invalid.") from problem
        if (cursor.kind, cursor.owner, cursor.folder) != (kind, owner, folder):
            raise SyncStateLost("SyncStateInvalid", "The sync state data belongs to another collection.")
        highest = self._chains.get(cursor.chain, cursor.generation)
        cut = cursor.epoch != self._epoch(owner, folder)
        if cut or (self.keep and cursor.generation <= highest - self.keep):
            highest += 8 if cut else 0
            known = "".join(f"[{n}]" for n in (highest, highest - 2, highest - 1))
            raise SyncStateLost(
                "SyncStateNotFound",
                f"The sync state generation is not found; generation={cursor.generation};[highest={highest}]{known}.",
            )
        return cursor

    def expire(self, *, owner: str, folder: int | None = None) -> None:
        """Cut off every token of a mailbox, or of one of its folders."""
        key = (owner, -1 if folder is None else folder)
        self._epochs[key] = self._epochs.get(key, 0) + 1

    def _epoch(self, owner: str, folder: int) -> int:
        return self._epochs.get((owner, -1), 0) * 1_000_000 + self._epochs.get((owner, folder), 0)

    def _seal(self, raw: bytes) -> bytes:
        return hmac.new(self.secret, raw, hashlib.sha256).digest()[:12]
