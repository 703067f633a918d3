"""New ids: UUIDv7 (RFC 9562), so that newer ids sort after older ones and indexes grow at one end."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """A fresh id. The process's clock only orders ids here; no decision reads it."""
    milliseconds = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10))
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    return UUID(int=high | 0x7 << 76 | (noise >> 68) << 64 | 0b10 << 62 | noise & 0x3FFF_FFFF_FFFF_FFFF)
