"""The tables `visits` and `visit_openings`: each visit with its case and result; its form is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class NewVisit:
    """A visit that is due, with the case that chases it."""

    id: UUID
    plan_id: UUID
    case_id: UUID
    subject: str
    due_on: date


_ADD = Statement(
    Nothing,
    """
    INSERT INTO visits (id, plan_id, case_id, subject, due_on, opened_at)
    SELECT id, plan_id, case_id, subject, due_on, $2::timestamptz
      FROM json_to_recordset($1::text::json) AS r (id uuid, plan_id uuid, case_id uuid, subject text, due_on date)
    """,
)


async def add(conn: Conn, opened: Sequence[NewVisit], now: datetime) -> None:
    """Keep visits whose cases have just been opened."""
    if opened:
        await _ADD.run(conn, rows_text([vars(each) for each in opened]), now)


@dataclass(frozen=True, kw_only=True)
class VisitRow:
    """One visit as its story needs it."""

    id: UUID
    plan_id: UUID
    case_id: UUID
    due_on: date
    opened_at: datetime


ONE = Statement(
    VisitRow,
    """
    SELECT id, plan_id, case_id, due_on, opened_at
      FROM visits
     WHERE id = $1::uuid
    """,
)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a visit ended. `form_sealed`: what its form says, which opens with a logged reason alone."""

    id: UUID
    ended_at: datetime
    visited_at: datetime
    result: str
    officer_id: UUID
    distance_m: float | None
    form_sealed: bytes


_END = Statement(
    Nothing,
    """
    UPDATE visits
       SET ended_at = $2::timestamptz, visited_at = $3::timestamptz, result = $4::text, officer_id = $5::uuid,
           distance_m = $6::float8, form_sealed = $7::bytea
     WHERE id = $1::uuid
    """,
)


async def end(conn: Conn, how: Ended) -> None:
    """Keep how a visit ended; one that ended before, and whose case was reopened, ends anew."""
    await _END.run(
        conn, how.id, how.ended_at, how.visited_at, how.result, how.officer_id, how.distance_m, how.form_sealed
    )


@dataclass(frozen=True, kw_only=True)
class VisitView:
    """A visit as people see it, with its case. `late`: it was due before it was made, or is overdue now."""

    id: UUID
    case_id: UUID
    number: str | None
    version: int
    state: str
    edition: str
    category: str
    category_name: str
    category_name_en: str
    subject: str
    due_on: date
    due_at: datetime | None
    late: bool
    lon: float
    lat: float
    cell: str
    beat: str | None
    officer_id: UUID | None
    officer_name: str | None
    opened_at: datetime
    ended_at: datetime | None
    visited_at: datetime | None
    result: str | None
    distance_m: float | None


_VIEW = """v.id, v.case_id, c.number, c.version, c.state, c.edition, c.category, g.name AS category_name,
           g.name_en AS category_name_en, v.subject, v.due_on, c.due_at,
           c.due_at IS NOT NULL AND coalesce(v.visited_at, $1::timestamptz) > c.due_at AS late,
           ST_X(c.place) AS lon, ST_Y(c.place) AS lat, c.cell_code AS cell, c.beat_code AS beat,
           coalesce(v.officer_id, c.officer_id) AS officer_id, u.display_name AS officer_name, v.opened_at, v.ended_at,
           v.visited_at, v.result, v.distance_m
      FROM visits v
      JOIN cases c ON c.id = v.case_id
      JOIN categories g ON g.edition = c.edition AND g.code = c.category
      LEFT JOIN users u ON u.id = coalesce(v.officer_id, c.officer_id)"""

MINE = Statement(
    VisitView,
    f"""
    SELECT {_VIEW}
     WHERE c.officer_id = $2::uuid
       AND c.state IN ('assigned', 'accepted', 'in_progress')
     ORDER BY c.due_at, v.id
    """,
)

# $2 open or not, $3 late or not, $4 a beat, $5 a division.
_WANTED = """($2::boolean IS NULL
            OR (c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')) = $2::boolean)
       AND ($3::boolean IS NULL
            OR (c.due_at IS NOT NULL AND coalesce(v.visited_at, $1::timestamptz) > c.due_at) = $3::boolean)
       AND ($4::text IS NULL OR c.beat_code = $4::text)
       AND ($5::text IS NULL OR $5::text = ANY (c.divisions))"""

LISTED = Statement(
    VisitView,
    f"""
    SELECT {_VIEW}
     WHERE {_WANTED}
       AND ($6::uuid IS NULL OR v.id > $6::uuid)
     ORDER BY v.id
     LIMIT $7::integer
    """,
)

# After a visit ($6) that is due then ($7; NULL: no limit runs). What has no limit comes last.
LISTED_BY_DUE = Statement(
    VisitView,
    f"""
    SELECT {_VIEW}
     WHERE {_WANTED}
       AND ($6::uuid IS NULL
            OR (coalesce(c.due_at, 'infinity'), v.id) > (coalesce($7::timestamptz, 'infinity'), $6::uuid))
     ORDER BY coalesce(c.due_at, 'infinity'), v.id
     LIMIT $8::integer
    """,
)

SHOWN = Statement(
    VisitView,
    f"""
    SELECT {_VIEW}
     WHERE v.id = $2::uuid
    """,
)


OPEN = Statement(
    Nothing,
    """
    INSERT INTO visit_openings (id, visit_id, opened_by, reason, opened_at)
    SELECT $1::uuid, v.id, $3::uuid, $4::text, $5::timestamptz
      FROM visits v
      JOIN cases c ON c.id = v.case_id
     WHERE v.id = $2::uuid
       AND v.form_sealed IS NOT NULL
       AND c.seen_by && $6::text[]
    """,
)


@dataclass(frozen=True)
class Opened:
    """The form of one opening, sealed still."""

    visit_id: UUID
    form_sealed: bytes
    opened_at: datetime


OPENED = Statement(
    Opened,
    """
    SELECT o.visit_id, v.form_sealed, o.opened_at
      FROM visit_openings o
      JOIN visits v ON v.id = o.visit_id
     WHERE o.id = $1::uuid
       AND o.opened_by = $2::uuid
       AND o.opened_at > $3::timestamptz
    """,
)
