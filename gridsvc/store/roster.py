"""Officers as the control centre sees them: on duty or not, where, and with how much in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Statement


@dataclass(frozen=True)
class Officer:
    """One officer; lon and lat are WGS-84, None without a position."""

    id: UUID
    display_name: str
    duty_line: str
    on_duty: bool
    duty_changed_at: datetime | None
    beats: list[str]
    open_cases: int
    most_open: int
    lon: float | None
    lat: float | None
    accuracy_m: float | None
    position_taken_at: datetime | None


# $1 divisions and $2 duty lines are the asker's grants, side by side (a line NULL: all lines).
# An officer is shown when one of his own grants lies at or below one of those. Open cases are
# those that the asker's scope shows: row-level security counts with him.
OFFICERS = Statement(
    Officer,
    """
    SELECT o.user_id AS id, u.display_name, o.duty_line, o.on_duty, o.duty_changed_at,
           ARRAY(SELECT b.beat_code FROM officer_beats b WHERE b.officer_id = o.user_id ORDER BY 1) AS beats,
           (SELECT count(*)::integer FROM cases c
             WHERE c.officer_id = o.user_id AND c.state IN ('assigned', 'accepted', 'in_progress')) AS open_cases,
           o.most_open,
           ST_X(p.place) AS lon, ST_Y(p.place) AS lat, p.accuracy_m, p.taken_at AS position_taken_at
      FROM officers o
           JOIN users u ON u.id = o.user_id AND u.active
           LEFT JOIN officer_positions p ON p.officer_id = o.user_id
     WHERE EXISTS (
             SELECT FROM grants g
                         JOIN unnest($1::text[], $2::text[]) AS mine (division, duty_line)
                           ON (mine.duty_line IS NULL OR mine.duty_line = o.duty_line)
                         LEFT JOIN divisions d ON d.grid_set_id = grid_set_at($3::timestamptz)
                                              AND d.code = g.division_code
              WHERE g.user_id = o.user_id
                AND g.role = 'officer'
                AND (mine.division = g.division_code OR mine.division = ANY (d.path)))
       AND ($4::boolean IS NULL OR o.on_duty = $4::boolean)
       AND ($5::uuid IS NULL OR o.user_id > $5::uuid)
     ORDER BY o.user_id
     LIMIT $6::integer
    """,
)
