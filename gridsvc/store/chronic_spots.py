"""The cases among which chronic spots are sought, as far as the caller's scope keys open them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Statement

AT_MOST: Final = 100_000
"""So many cases are compared at once."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A filed case with a place. WGS-84 degrees."""

    id: UUID
    number: str | None
    edition: str
    category: str
    category_name: str
    category_name_en: str
    state: str
    lon: float
    lat: float
    cell_code: str | None
    divisions: list[str]
    radius_m: float
    reported_at: datetime
    closed_at: datetime | None


FILED = Statement(
    Candidate,
    """
    SELECT c.id, c.number, c.edition, c.category, g.name AS category_name, g.name_en AS category_name_en, c.state,
           ST_X(c.place) AS lon, ST_Y(c.place) AS lat, c.cell_code, c.divisions, g.duplicate_radius_m AS radius_m,
           c.reported_at, c.closed_at
      FROM cases c
      JOIN categories g ON g.edition = c.edition AND g.code = c.category
     WHERE c.seen_by && $1::text[]
       AND c.reported_at >= $2::timestamptz
       AND c.reported_at < $3::timestamptz
       AND ($4::text IS NULL OR $4::text = ANY (c.divisions))
       AND c.place IS NOT NULL
       AND c.filed_at IS NOT NULL
       AND NOT c.exercise
       AND c.state NOT IN ('rejected', 'cancelled', 'merged')
     ORDER BY c.reported_at, c.id
     LIMIT $5::integer
    """,
)


async def filed(
    conn: Conn, keys: Sequence[str], since: datetime, until: datetime, division: str | None
) -> list[Candidate]:
    """Cases that were reported in [since, until) and filed; one more than AT_MOST where there are more."""
    return await FILED.all(conn, list(keys), since, until, division, AT_MOST + 1)
