"""How things are named on the wire: Exchange's ids, change keys and conversation ids.

The shapes are those of Exchange: a default ("rest") id holds the mailbox, the folder and a counter that is new
after each move; an immutable id holds only the item's own counter. Both are base64 with "/" as "-" and "+" as "_",
case-sensitive, padding kept. See "Obtain immutable identifiers for Outlook resources" in Graph's documentation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Literal

_PROVIDER = bytes.fromhex("00000000") + bytes.fromhex("3f4c8b1ad27e4e0f9a31c4570be2d968")
_IMMUTABLE = bytes.fromhex("0009002e00000000001d840311aa6611cd9bc800aa002fc45a0d00")
_ATTACHMENT = bytes.fromhex("0112001000")

Format = Literal["default", "immutable"]


class MalformedId(Exception):
    """The text has not the shape of any Exchange id."""


@dataclass(frozen=True, slots=True)
class ItemRef:
    """An item id taken apart. `number` is the immutable counter, or the place counter of a default id."""

    format: Format
    number: int
    folder: int = 0
    attachment: bytes = b""


def encode(raw: bytes) -> str:
    """Bytes as Exchange's form of base64."""
    return base64.b64encode(raw, altchars=b"_-").decode()


def decode(text: str) -> bytes:
    """The bytes of an id. Raises MalformedId."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"_-", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError) as problem:
        raise MalformedId(text) from problem
    if encode(raw) != text:  # the unused bits of the last letter: an id is one text, not several
        raise MalformedId(text)
    return raw


class Namer:
    """Makes and reads the ids of one mailbox."""

    def __init__(self, *, owner: str, seed: int) -> None:
        digest = hashlib.sha256(f"{seed}:{owner}".encode()).digest()
        guid = digest[:16].hex()
        text = f"{guid[:8]}-{guid[8:12]}-{guid[12:16]}-{guid[16:20]}-{guid[20:]}"
        self._store = digest[16:32]
        self._mailbox = b"\x00\x03\x24\x00" + text.encode()
        self._item_head = self._mailbox + b"\x46\x00" + _PROVIDER + b"\x07\x00" + self._store
        self._item_middle = b"\x00\x00" + self._store
        self._folder_head = self._mailbox + b"\x2e\x00" + _PROVIDER + b"\x01\x00" + self._store
        self._immutable_head = _IMMUTABLE + self._store

    def item(self, *, place: int, folder: int) -> str:
        """The default id of the item that lies at `place` in `folder`."""
        return encode(self._item_raw(place, folder) + b"\x00")

    def _item_raw(self, place: int, folder: int) -> bytes:
        head = self._item_head + folder.to_bytes(6, "big") + self._item_middle
        return head + place.to_bytes(6, "big") + b"\x00\x00"

    def immutable(self, number: int) -> str:
        """The id that survives moves inside the mailbox."""
        return encode(self._immutable_head + number.to_bytes(6, "big") + b"\x00\x00")

    def folder(self, number: int) -> str:
        """A folder's id, which never changes."""
        return encode(self._folder_head + number.to_bytes(6, "big") + b"\x00\x00\x00")

    def attachment(self, *, item_id: str, number: int, index: int) -> str:
        """An attachment's id extends its item's, in the same format."""
        raw = decode(item_id)
        if not raw.startswith(_IMMUTABLE):
            raw = raw[:-1]
        return encode(raw + _ATTACHMENT + self.attachment_key(number=number, index=index))

    def attachment_key(self, *, number: int, index: int) -> bytes:
        """What marks one attachment among its item's: 16 bytes."""
        return hashlib.md5(self._store + b"%d:%d" % (number, index), usedforsecurity=False).digest()

    def change_key(self, change: int) -> str:
        """A new one at each write."""
        raw = b"\x09\x00\x00\x00\x16\x00\x00\x00" + self._store + change.to_bytes(6, "big")
        return base64.b64encode(raw).decode()

    def conversation(self, topic: str) -> tuple[str, bytes]:
        """(conversationId, the 22-byte head of conversationIndex) of a topic in this mailbox."""
        digest = hashlib.sha256(self._store + topic.encode("utf-8", "surrogatepass")).digest()
        index = b"\x01\xd9" + digest[16:20] + digest[:16]
        return encode(self._mailbox + b"\x10\x00" + digest[:16]), index

    def item_ref(self, text: str) -> ItemRef | None:
        """Which item or attachment is meant; None when it belongs to another mailbox. Raises MalformedId."""
        raw = decode(text)
        if raw.startswith(_IMMUTABLE):
            if len(raw) not in (51, 51 + 21):
                raise MalformedId(text)
            if not raw.startswith(self._immutable_head):
                return None
            return ItemRef("immutable", int.from_bytes(raw[43:49], "big"), attachment=self._tail(raw[51:], text))
        if not raw.startswith(b"\x00\x03\x24\x00") or len(raw) not in (113, 112 + 21):
            raise MalformedId(text)
        if not raw.startswith(self._item_head):
            return None
        folder = int.from_bytes(raw[80:86], "big")
        place = int.from_bytes(raw[104:110], "big")
        tail = b"" if len(raw) == 113 else self._tail(raw[112:], text)
        return ItemRef("default", place, folder, tail)

    @staticmethod
    def _tail(raw: bytes, text: str) -> bytes:
        if raw and not raw.startswith(_ATTACHMENT):
            raise MalformedId(text)
        return raw[len(_ATTACHMENT) :]

    def folder_number(self, text: str) -> int | None:
        """Which folder is meant; None when it belongs to another mailbox. Raises MalformedId."""
        raw = decode(text)
        if len(raw) != 89 or not raw.startswith(b"\x00\x03\x24\x00"):
            raise MalformedId(text)
        if not raw.startswith(self._folder_head):
            return None
        return int.from_bytes(raw[80:86], "big")
