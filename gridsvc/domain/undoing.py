"""Undoing a bulk move: what each case was like before it, and until when it may be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

UNDO_WITHIN: Final = timedelta(minutes=30)
"""A slip is seen at once. Later the owner has planned with what was decided, and a new move is the honest way."""


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """What is undone of one case. `state` and what follows is how the case stood before the bulk move."""

    bulk_id: UUID
    move: str
    made_by: str | None  # None: whoever made it may not make that move any more
    made_at: datetime
    state: str
    pool: str | None
    officer_id: UUID | None
    department: str | None
    handler_id: UUID | None
    budget_seconds: int | None  # of the handling clock
    due_without: datetime | None = None  # when the case is due once the extension is gone; None: nothing was extended


def in_time(made_at: datetime, now: datetime) -> bool:
    """Whether a bulk move that was made at `made_at` may still be undone."""
    return now <= made_at + UNDO_WITHIN
