"""Cases as they leave in a file: one page of the filtered list, with names beside codes.

The caller's scope keys stand in the query; row-level security stands behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from geo.sketch import Around
from gridsvc.db import Conn, Statement

PAGE: Final = 1_000
"""So many rows are read in one transaction; a slow line holds no connection between two pages."""


@dataclass(frozen=True, kw_only=True)
class ExportedCase:
    """One case of a file. Coordinates are WGS-84 degrees; null while the place is unknown. Never who reported it."""

    id: UUID
    number: str | None
    acceptance_number: str | None
    state: str
    severity: str
    pool: str | None
    edition: str
    category: str
    category_name: str
    category_name_en: str
    duty_line: str
    source: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    division: str | None
    division_name: str
    division_name_en: str
    cell: str | None
    officer_name: str | None
    department: str | None
    department_name: str
    department_name_en: str
    occurred_at: datetime
    reported_at: datetime
    filed_at: datetime | None
    due_at: datetime | None
    overdue: bool
    suspended: bool
    closed_at: datetime | None
    exercise: bool


@dataclass(frozen=True, kw_only=True)
class ExportFilters:
    """What a file is narrowed to, as the list of the control centre is; None, or nothing in it: not by this.

    `late`: past the limit that runs, whichever stage it is of, and not suspended. `words`: each of them stands in the
    number, the acceptance number, the cell, or a name of category, division, officer or department. `cell`: how the
    code of its cell begins. `outline` (WKT, degrees) and `around`: where it lies; what has no place yet lies nowhere.
    """

    states: Sequence[str] | None
    severities: Sequence[str] | None
    pools: Sequence[str] | None
    sources: Sequence[str] | None
    division: str | None
    duty_line: str | None
    officer: UUID | None
    late: bool
    pooled: bool
    words: Sequence[str]
    cell: str | None
    outline: str | None
    around: Around | None


EXPORTED = Statement(
    ExportedCase,
    """
    SELECT c.id, c.number, r.acceptance_number, c.state, c.severity, c.pool, c.edition, c.category,
           g.name AS category_name, g.name_en AS category_name_en, c.duty_line, c.source, c.description, c.address,
           ST_X(c.place) AS lon, ST_Y(c.place) AS lat, c.division_code AS division,
           coalesce(d.name, '') AS division_name, coalesce(d.name_en, '') AS division_name_en, c.cell_code AS cell,
           u.display_name AS officer_name, c.department, coalesce(p.name, '') AS department_name,
           coalesce(p.name_en, '') AS department_name_en, c.occurred_at, c.reported_at, c.filed_at, c.due_at,
           (c.due_at < $2::timestamptz AND c.state IN ('assigned', 'accepted', 'in_progress')) IS TRUE AS overdue,
           c.suspended, c.closed_at, c.exercise
      FROM cases c
      JOIN categories g ON g.edition = c.edition AND g.code = c.category
      LEFT JOIN divisions d ON d.grid_set_id = c.grid_set_id AND d.code = c.division_code
      LEFT JOIN users u ON u.id = c.officer_id
      LEFT JOIN departments p ON p.code = c.department
      LEFT JOIN LATERAL (SELECT acceptance_number FROM reports WHERE case_id = c.id
                          ORDER BY received_at, id LIMIT 1) r ON true
     WHERE c.seen_by && $1::text[]
       AND ($3::text[] IS NULL OR c.state = ANY ($3::text[]))
       AND ($4::text[] IS NULL OR c.severity = ANY ($4::text[]))
       AND ($5::text[] IS NULL OR c.pool = ANY ($5::text[]))
       AND ($6::text[] IS NULL OR c.source = ANY ($6::text[]))
       AND ($7::text IS NULL OR $7::text = ANY (c.divisions))
       AND ($8::text IS NULL OR c.duty_line = $8::text)
       AND ($9::uuid IS NULL OR c.officer_id = $9::uuid)
       AND (NOT $10::boolean
            OR (c.due_at < $2::timestamptz
                AND (c.state IN ('assigned', 'accepted', 'in_progress')
                     OR NOT c.suspended AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged'))) IS TRUE)
       AND (NOT $11::boolean OR c.pool IS NOT NULL)
       AND concat_ws(' ', c.number, r.acceptance_number, c.cell_code, g.name, g.name_en, d.name, d.name_en,
                     u.display_name, p.name, p.name_en) ILIKE ALL ($12::text[])
       AND ($15::text IS NULL OR starts_with(c.cell_code, $15::text))
       AND ($16::text IS NULL OR ST_Covers(ST_GeomFromText($16::text, 4326), c.place))
       AND ($17::float8 IS NULL
            OR ST_DWithin(c.place::geography, ST_SetSRID(ST_MakePoint($17::float8, $18::float8), 4326)::geography,
                          $19::float8))
       AND ($13::uuid IS NULL OR c.id < $13::uuid)   -- ids are UUIDv7: newest first is greatest first
     ORDER BY c.id DESC
     LIMIT $14::integer
    """,
)


async def page(
    conn: Conn, keys: Sequence[str], now: datetime, filters: ExportFilters, before: UUID | None
) -> list[ExportedCase]:
    """The next rows, newest first, older than the case `before`; fewer than PAGE: there are no more."""
    near = filters.around
    return await EXPORTED.all(
        conn, list(keys), now, filters.states, filters.severities, filters.pools, filters.sources, filters.division,
        filters.duty_line, filters.officer, filters.late, filters.pooled, [_pattern(each) for each in filters.words],
        before, PAGE, filters.cell, filters.outline, near.lon if near else None, near.lat if near else None,
        near.metres if near else None,
    )  # fmt: skip


def _pattern(word: str) -> str:
    """What people type is text, not a pattern."""
    return "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
