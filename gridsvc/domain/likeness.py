"""Whether two photographs look the same: a difference hash of 64 bits, and how far two of them are apart.

The hash says of 8 x 8 pairs of neighbouring fields which is the brighter one. It holds through scaling, another
quality and a change of light, and not through cutting or turning. It is a reason to look, and proves nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

WIDE: Final = 9
HIGH: Final = 8

ALIKE: Final = 3
"""Bits of 64 by which two pictures that look the same may differ: one less than there are parts."""

PARTS: Final = 4
PLAIN: Final = 12
"""Steps of 255 between the darkest and the brightest field: below it a picture says too little (a lens cap, fog)."""

_WIDTH: Final = 64 // PARTS


def look_of(grey: bytes) -> int | None:
    """The hash of WIDE x HIGH grey fields, row by row, as a signed 64-bit number; None: too plain to be told apart.

    Raises ValueError for another number of fields.
    """
    if len(grey) != WIDE * HIGH:
        raise ValueError(f"{len(grey)} fields; want {WIDE * HIGH}")
    if max(grey) - min(grey) < PLAIN:
        return None
    rows = [grey[at : at + WIDE] for at in range(0, len(grey), WIDE)]
    bits = 0
    for row in rows:
        for left, right in pairwise(row):
            bits = bits << 1 | (left > right)
    return None if bits in (0, 2**64 - 1) else bits - (bits >> 63 << 64)


def distance(one: int, other: int) -> int:
    """In how many of the 64 bits two hashes differ."""
    return ((one ^ other) & (2**64 - 1)).bit_count()


def parts_of(look: int | None) -> list[int]:
    """The hash in PARTS numbers that also say which part they are: hashes within ALIKE share at least one of them."""
    if look is None:
        return []
    bits = look & (2**64 - 1)
    return [which << _WIDTH | (bits >> which * _WIDTH) & (2**_WIDTH - 1) for which in range(PARTS)]


def twin_of(one: int | None, other: int | None) -> int | None:
    """How far apart two hashes are that stand for the same photograph; None: they do not, or one says too little."""
    if one is None or other is None:
        return None
    apart = distance(one, other)
    return apart if apart <= ALIKE else None
