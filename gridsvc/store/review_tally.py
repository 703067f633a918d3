"""How much of what cameras saw waits for a person, and how much was judged of late."""

from __future__ import annotations

from dataclasses import dataclass

from gridsvc.db import Statement


@dataclass(frozen=True)
class Tally:
    """What waits, and verdicts since a moment: all, and one person's."""

    waiting: int
    judged: int
    mine: int


TALLY = Statement(
    Tally,
    """
    SELECT (SELECT count(*)::integer FROM camera_reviews WHERE verdict IS NULL AND seen_by && $1::text[]) AS waiting,
           count(*)::integer AS judged,
           count(*) FILTER (WHERE verdict_by = $2::text)::integer AS mine
      FROM camera_reviews
     WHERE verdict IS NOT NULL
       AND verdict_at > $3::timestamptz
       AND seen_by && $1::text[]
    """,
)
