"""JSON objects encoded and compressed once; any run of them becomes a page at the cost of a memory copy.

Each object is its own deflate run that ends on a byte boundary (Z_SYNC_FLUSH), with no reference to its
neighbours, so runs can be put side by side inside one gzip member. Only the page's head and tail are
compressed per request.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.feed import crc

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LEVEL = 5


def _deflated(data: bytes, *, last: bool = False) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)


_COMMA = _deflated(b",")


class Ribbon:
    """An immutable row of encoded objects. `plain` and `packed` are index-aligned."""

    def __init__(self, *, objects: Sequence[bytes]) -> None:
        self.plain = list(objects)
        with ThreadPoolExecutor(max_workers=2) as pool:
            self.packed = list(pool.map(_deflated, self.plain))
        self._starts: list[tuple[int, int]] = []  # (offset, crc of all before) where object i begins
        self._ends: list[tuple[int, int]] = []  # the same where it ends, before the comma
        offset = checksum = 0
        for one in self.plain:
            self._starts.append((offset, checksum))
            offset += len(one)
            checksum = zlib.crc32(one, checksum)
            self._ends.append((offset, checksum))
            offset += 1
            checksum = zlib.crc32(b",", checksum)

    def __len__(self) -> int:
        return len(self.plain)

    def page(self, *, head: bytes, start: int, stop: int, tail: bytes) -> bytes:
        """head + objects[start:stop] joined by commas + tail."""
        return b"".join((head, b",".join(self.plain[start:stop]), tail))

    def packed_page(self, *, head: bytes, start: int, stop: int, tail: bytes) -> bytes:
        """The same bytes as one gzip member (RFC 1952)."""
        checksum, length = zlib.crc32(head), len(head)
        if stop > start:
            begin, before = self._starts[start]
            end, upto = self._ends[stop - 1]
            run = upto ^ crc.shift(crc=before, length=end - begin)
            checksum = crc.joined(first=checksum, second=run, second_length=end - begin)
            length += end - begin
        checksum = zlib.crc32(tail, checksum)
        length += len(tail)
        return b"".join(
            (
                _GZIP_HEADER,
                _deflated(head),
                _COMMA.join(self.packed[start:stop]),
                _deflated(tail, last=True),
                struct.pack("<II", checksum, length & 0xFFFFFFFF),
            )
        )
