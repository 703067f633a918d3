"""Until when attachments and their originals are kept; docs/rules/keeping-files.md says it in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LOOKED_AT_EVERY: Final = timedelta(days=1)
"""What need not go yet is looked at again after so long: its case may be reopened, its rule changed."""


class Why(StrEnum):
    """Why something may go."""

    LOOSE = "loose"  # no report and no move took it up
    CASE_OVER = "case_over"


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Days by kind: a row of the city's data."""

    loose_days: int
    picture_days: int
    sound_days: int
    original_days: int

    def days_of(self, kind: str) -> int:
        """How long what belongs to a case that is over is kept; `kind` is picture, sound or original."""
        return {"picture": self.picture_days, "sound": self.sound_days, "original": self.original_days}[kind]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an attachment hangs on at this moment, and since when."""

    uploaded_at: datetime
    of_case: bool
    over_at: datetime | None = None  # since when its case is over; None: it is open, or there is none


def kept_until(standing: Standing, kind: str, keeping: Keeping) -> tuple[Why, datetime] | None:
    """Until when what is of this kind is kept, and by which rule; None: as long as its case is open.

    An original goes with its attachment, at the latest.
    """
    if not standing.of_case:
        return Why.LOOSE, standing.uploaded_at + timedelta(days=keeping.loose_days)
    if standing.over_at is None:
        return None
    return Why.CASE_OVER, standing.over_at + timedelta(days=keeping.days_of(kind))


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What goes now, each with why and until when it was kept; when to look again (None: nothing is left)."""

    attachment: tuple[Why, datetime] | None
    original: tuple[Why, datetime] | None
    look_again_at: datetime | None


def fate_of(standing: Standing, kind: str, original_kept: bool, keeping: Keeping, now: datetime) -> Fate:
    """What becomes of an attachment and of its original, if it is kept."""
    whole = kept_until(standing, kind, keeping)
    if whole is not None and whole[1] <= now:
        return Fate(attachment=whole, original=whole if original_kept else None, look_again_at=None)
    original = kept_until(standing, "original", keeping) if original_kept else None
    goes = original if original is not None and original[1] <= now else None
    ahead = [until for until in (whole, original if goes is None else None) if until is not None]
    return Fate(
        attachment=None, original=goes, look_again_at=min([now + LOOKED_AT_EVERY, *(until for _, until in ahead)])
    )  # fmt: skip
