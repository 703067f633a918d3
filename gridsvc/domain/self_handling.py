"""Self-handled cases (自行处置): which of them are looked at again."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

ONE_IN: Final = 10
"""So many self-handled cases are there for each one that is sampled for a re-check."""


def is_sampled(case_id: UUID) -> bool:
    """Whether the case is one of the sample: by its id, which the officer does not choose and anybody can check."""
    return int.from_bytes(hashlib.sha256(case_id.bytes).digest()[:8], "big") % ONE_IN == 0
