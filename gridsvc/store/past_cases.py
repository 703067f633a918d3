"""Cases as they were at a moment: states from the history, owners from the assignments, places without what came after.

The caller's scope keys are those of today; row-level security stands behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True, kw_only=True)
class PastCase:
    """An open case as it was. Coordinates are WGS-84 degrees; null where nobody knew the place yet."""

    id: UUID
    number: str | None
    version: int
    state: str
    severity: str
    edition: str
    category: str
    source: str
    duty_line: str
    lon: float | None
    lat: float | None
    cell: str | None
    division: str | None
    officer_id: UUID | None
    officer_name: str | None
    department: str | None
    paused: bool
    late_since: datetime | None
    exercise: bool
    occurred_at: datetime
    moved_at: datetime


# What a correction, a new grid set or a new cycle changed after the moment names what was before; the first of them
# says how it was. A place is found once, by `locate`: before that there was none.
AT = Statement(
    PastCase,
    """
    SELECT c.id, CASE WHEN filed.at IS NOT NULL THEN c.number END AS number, h.version, h.to_state AS state,
           coalesce(was.columns->'severity'->>0, c.severity) AS severity,
           coalesce(was.columns->'edition'->>0, c.edition) AS edition,
           coalesce(was.columns->'category'->>0, c.category) AS category,
           c.source, coalesce(was.columns->'duty_line'->>0, c.duty_line) AS duty_line,
           CASE WHEN NOT later.located THEN coalesce((was.columns->'lon'->>0)::float8, ST_X(c.place)) END AS lon,
           CASE WHEN NOT later.located THEN coalesce((was.columns->'lat'->>0)::float8, ST_Y(c.place)) END AS lat,
           cell.code AS cell,
           CASE WHEN cell.code IS NOT NULL THEN coalesce(was.columns->'division_code'->>0, c.division_code) END
             AS division,
           a.officer_id, u.display_name AS officer_name, a.department, coalesce(pause.paused, false) AS paused,
           late.since AS late_since, c.exercise, c.occurred_at, h.at AS moved_at
      FROM cases c
           CROSS JOIN LATERAL (
             SELECT version, to_state, at
               FROM history
              WHERE case_id = c.id AND at <= $2::timestamptz
              ORDER BY version DESC
              LIMIT 1) AS h
           LEFT JOIN LATERAL (
             SELECT at
               FROM history
              WHERE case_id = c.id AND version <= h.version AND facts->>'number' IS NOT NULL
              ORDER BY version
              LIMIT 1) AS filed ON true
           LEFT JOIN LATERAL (
             SELECT facts->>'cell' AS code
               FROM history
              WHERE case_id = c.id AND version <= h.version AND facts ? 'cell'
              ORDER BY version DESC
              LIMIT 1) AS cell ON true
           CROSS JOIN LATERAL (
             SELECT coalesce(bool_or(move = 'locate'), false) AS located
               FROM history
              WHERE case_id = c.id AND version > h.version) AS later
           CROSS JOIN LATERAL (
             SELECT jsonb_object_agg(first.key, first.value) AS columns
               FROM (SELECT DISTINCT ON (changed.key) changed.key, changed.value
                       FROM history f
                            CROSS JOIN LATERAL jsonb_each(
                              coalesce(f.facts->'corrected', f.facts->'regridded', '{}'::jsonb)) AS changed
                      WHERE f.case_id = c.id AND f.version > h.version
                      ORDER BY changed.key, f.version) AS first) AS was
           LEFT JOIN LATERAL (
             SELECT move = 'suspend' OR facts->>'undone' = 'resume' AS paused
               FROM history
              WHERE case_id = c.id AND version <= h.version
                AND (move IN ('suspend', 'resume') OR facts->>'undone' IN ('suspend', 'resume'))
              ORDER BY version DESC
              LIMIT 1) AS pause ON true
           LEFT JOIN LATERAL (
             SELECT officer_id, department
               FROM assignments
              WHERE case_id = c.id AND assigned_at <= $2::timestamptz
                AND (ended_at IS NULL OR ended_at > $2::timestamptz)
              ORDER BY assigned_at DESC
              LIMIT 1) AS a ON true
           LEFT JOIN users u ON u.id = a.officer_id
           LEFT JOIN LATERAL (
             SELECT max(e.scheduled_at) AS since
               FROM clocks k
                    JOIN escalations e ON e.case_id = c.id AND e.clock_id = k.id AND e.effect = 'overdue'
                                      AND e.fired_at <= $2::timestamptz
              WHERE k.case_id = c.id AND k.kind = 'handling' AND k.started_at <= $2::timestamptz
                AND (k.stopped_at IS NULL OR k.stopped_at > $2::timestamptz)) AS late ON true
     WHERE c.seen_by && $1::text[]
       AND c.reported_at <= $2::timestamptz
       AND (c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged') OR c.updated_at > $2::timestamptz)
       AND h.to_state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
       AND ($3::uuid IS NULL OR c.id > $3::uuid)
     ORDER BY c.id
     LIMIT $4::integer
    """,
)


async def at(conn: Conn, keys: Sequence[str], moment: datetime, after: UUID | None, limit: int) -> list[PastCase]:
    """Cases that were open at `moment`, by id, after `after`. Of what happened at the very moment, all counts."""
    return await AT.all(conn, list(keys), moment, after, limit)
