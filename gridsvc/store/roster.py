"""Officers as the control centre sees them: on duty or not, where, with how much in hand, what they can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class Officer:
    """One officer; lon and lat are WGS-84, None without a position."""

    id: UUID
    display_name: str
    duty_line: str
    on_duty: bool
    duty_changed_at: datetime | None
    beats: list[str]
    skills: list[str]
    teams: list[str]
    open_cases: int
    most_open: int
    lon: float | None
    lat: float | None
    accuracy_m: float | None
    position_taken_at: datetime | None


# An officer is in reach when one of his own grants lies at or below one of the asker's, $1 divisions and $2 duty
# lines side by side (a line NULL: all lines).
IN_REACH = """
    EXISTS (
             SELECT FROM grants g
                         JOIN unnest($1::text[], $2::text[]) AS mine (division, duty_line)
                           ON (mine.duty_line IS NULL OR mine.duty_line = o.duty_line)
                         LEFT JOIN divisions d ON d.grid_set_id = grid_set_at($3::timestamptz)
                                              AND d.code = g.division_code
              WHERE g.user_id = o.user_id
                AND g.role = 'officer'
                AND (mine.division = g.division_code OR mine.division = ANY (d.path)))"""

# Open cases are those that the asker's scope shows: row-level security counts with him.
OFFICERS = Statement(
    Officer,
    f"""
    SELECT o.user_id AS id, u.display_name, o.duty_line, o.on_duty, o.duty_changed_at,
           ARRAY(SELECT b.beat_code FROM officer_beats b WHERE b.officer_id = o.user_id ORDER BY 1) AS beats,
           ARRAY(SELECT k.skill FROM officer_skills k WHERE k.officer_id = o.user_id ORDER BY 1) AS skills,
           ARRAY(SELECT t.team FROM team_officers t WHERE t.officer_id = o.user_id ORDER BY 1) AS teams,
           (SELECT count(*)::integer FROM cases c
             WHERE c.officer_id = o.user_id AND c.state IN ('assigned', 'accepted', 'in_progress')) AS open_cases,
           o.most_open,
           ST_X(p.place) AS lon, ST_Y(p.place) AS lat, p.accuracy_m, p.taken_at AS position_taken_at
      FROM officers o
           JOIN users u ON u.id = o.user_id AND u.active
           LEFT JOIN officer_positions p ON p.officer_id = o.user_id AND o.on_duty   -- off duty it is nobody's business
     WHERE {IN_REACH}
       AND ($4::boolean IS NULL OR o.on_duty = $4::boolean)
       AND ($5::uuid IS NULL OR o.user_id > $5::uuid)
       AND ($7::text IS NULL OR EXISTS (SELECT FROM officer_skills k WHERE k.officer_id = o.user_id AND k.skill = $7))
       AND ($8::text IS NULL OR EXISTS (SELECT FROM team_officers t WHERE t.officer_id = o.user_id AND t.team = $8))
       AND ($9::text IS NULL
            OR EXISTS (SELECT FROM officer_beats b WHERE b.officer_id = o.user_id AND b.beat_code = $9))
     ORDER BY o.user_id
     LIMIT $6::integer
    """,  # noqa: S608 - a constant of ours
)


@dataclass(frozen=True)
class _Reached:
    officer_id: UUID


REACHED = Statement(
    _Reached,
    f"""
    SELECT o.user_id AS officer_id
      FROM officers o
     WHERE o.user_id = $4::uuid
       AND {IN_REACH}
    """,  # noqa: S608 - a constant of ours
)


@dataclass(frozen=True)
class Colleague:
    """An officer who walks one of the beats of another."""

    id: UUID
    display_name: str
    beats: list[str]  # those that they share


COLLEAGUES = Statement(
    Colleague,
    """
    SELECT o.user_id AS id, u.display_name, array_agg(b.beat_code ORDER BY b.beat_code) AS beats
      FROM officer_beats mine
      JOIN officer_beats b ON b.duty_line = mine.duty_line AND b.beat_code = mine.beat_code
      JOIN officers o ON o.user_id = b.officer_id AND o.on_duty
      JOIN users u ON u.id = o.user_id AND u.active
     WHERE mine.officer_id = $1::uuid
       AND o.user_id <> $1::uuid
     GROUP BY o.user_id, u.display_name
     ORDER BY o.user_id
    """,
)


async def in_reach(
    conn: Conn, areas: Sequence[tuple[str, str | None]], officer_id: UUID, now: datetime
) -> bool:
    """Whether the officer works at or below one of `areas`: each a division and a duty line (None: all lines)."""
    divisions, lines = [division for division, _ in areas], [line for _, line in areas]
    return await REACHED.one(conn, divisions, lines, now, officer_id) is not None
