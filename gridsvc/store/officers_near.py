"""Officers by how far they are from a case, and those who walk the beats of another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Statement
from gridsvc.store.roster import IN_REACH


@dataclass(frozen=True)
class CasePlace:
    """Whether a case that is in sight has a place."""

    placed: bool


CASE_PLACE = Statement(
    CasePlace, "SELECT place IS NOT NULL AS placed FROM cases WHERE id = $1::uuid AND seen_by && $2::text[]"
)


@dataclass(frozen=True)
class Near:
    """An officer on duty, and how far his latest place is from the case."""

    id: UUID
    display_name: str
    duty_line: str
    beats: list[str]
    open_cases: int
    most_open: int
    distance_m: float
    accuracy_m: float | None
    taken_at: datetime


_OPEN_CASES = """
    (SELECT count(*)::integer FROM cases c
      WHERE c.officer_id = o.user_id AND c.state IN ('assigned', 'accepted', 'in_progress')) AS open_cases"""

# Open cases are those that the asker's scope shows, as in the list of officers.
NEAR = Statement(
    Near,
    f"""
    SELECT o.user_id AS id, u.display_name, o.duty_line,
           ARRAY(SELECT b.beat_code FROM officer_beats b WHERE b.officer_id = o.user_id ORDER BY 1) AS beats,
           {_OPEN_CASES},
           o.most_open, ST_Distance(p.place::geography, w.place::geography) AS distance_m, p.accuracy_m, p.taken_at
      FROM cases w
           JOIN officers o ON o.on_duty
           JOIN users u ON u.id = o.user_id AND u.active
           JOIN officer_positions p ON p.officer_id = o.user_id
     WHERE w.id = $4::uuid
       AND {IN_REACH}
     ORDER BY distance_m, o.user_id
     LIMIT $5::integer
    """,  # noqa: S608 - constants of ours
)


@dataclass(frozen=True)
class TakesOver:
    """An officer who walks one of the beats of another, `beats`."""

    id: UUID
    display_name: str
    beats: list[str]
    open_cases: int
    most_open: int


TAKE_OVER = Statement(
    TakesOver,
    f"""
    SELECT o.user_id AS id, u.display_name, s.beats, {_OPEN_CASES}, o.most_open
      FROM (SELECT b.officer_id, array_agg(b.beat_code ORDER BY b.beat_code) AS beats
              FROM officer_beats mine
                   JOIN officer_beats b ON b.duty_line = mine.duty_line AND b.beat_code = mine.beat_code
             WHERE mine.officer_id = $1::uuid
               AND b.officer_id <> $1::uuid
             GROUP BY b.officer_id) s
           JOIN officers o ON o.user_id = s.officer_id
           JOIN users u ON u.id = o.user_id AND u.active
     ORDER BY o.user_id
    """,  # noqa: S608 - constants of ours
)
