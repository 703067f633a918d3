"""What a phone says of the place that it sends with a move, besides where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Fix:
    """When the place was taken, by the phone's clock, and whether an app made it up (mock location)."""

    taken_at: datetime | None = None
    mocked: bool = False
