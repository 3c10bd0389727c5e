"""CRC-32 of joined byte strings from the CRCs of their parts, so that no byte is read twice.

A CRC is linear over GF(2): crc(A + B) = shift(crc(A), len(B)) xor crc(B), where shift appends zero bytes.
Shifts by 2**k bytes are 32 x 32 bit matrices, made once (zlib.h: crc32_combine promises the same).
"""

from __future__ import annotations

_POLYNOMIAL = 0xEDB88320


def _times(matrix: tuple[int, ...], vector: int) -> int:
    total = 0
    index = 0
    while vector:
        if vector & 1:
            total ^= matrix[index]
        vector >>= 1
        index += 1
    return total


def _operators() -> list[tuple[int, ...]]:
    one_bit = (_POLYNOMIAL, *(1 << bit for bit in range(31)))
    made = one_bit
    for _ in range(3):  # one bit, squared three times: eight bits
        made = tuple(_times(made, column) for column in made)
    operators = [made]
    for _ in range(39):
        made = tuple(_times(made, column) for column in made)
        operators.append(made)
    return operators


_BY_POWER = _operators()


def shift(*, crc: int, length: int) -> int:
    """The part that `crc` of a prefix plays in the CRC of prefix + `length` further bytes."""
    power = 0
    while length:
        if length & 1:
            crc = _times(_BY_POWER[power], crc)
        length >>= 1
        power += 1
    return crc


def joined(*, first: int, second: int, second_length: int) -> int:
    """CRC-32 of A + B from crc(A), crc(B) and len(B)."""
    return shift(crc=first, length=second_length) ^ second
