"""The table `checks`: who was sent to look at a case before it is filed or closed, or again, and what he found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.checking import Checker
from gridsvc.store import duty


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """One check. Ended without a result: it was called off, because the case went on without it."""

    id: UUID
    case_id: UUID
    cycle: int
    kind: str
    officer_id: UUID
    rule: str
    reasons: Mapping[str, object]
    note: str
    sent_by: str
    sent_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    result: str | None = None


_ADD = Statement(
    Nothing,
    """
    INSERT INTO checks (id, case_id, cycle, kind, officer_id, rule, reasons, note, sent_by, sent_at, due_at)
    VALUES ($1::uuid, $2::uuid, $3::integer, $4::text, $5::uuid, $6::text, $7::jsonb, $8::text, $9::text,
            $10::timestamptz, $11::timestamptz)
    """,
)

_END = Statement(
    Nothing,
    """
    UPDATE checks c
       SET ended_at = $2::timestamptz, result = e.result
      FROM unnest($1::uuid[], $3::text[]) AS e (case_id, result)
     WHERE c.case_id = e.case_id
       AND c.ended_at IS NULL
    """,
)

OF_CASE = Statement(
    CheckRow,
    """
    SELECT id, case_id, cycle, kind, officer_id, rule, reasons, note, sent_by, sent_at, due_at, ended_at, result
      FROM checks
     WHERE case_id = $1::uuid
     ORDER BY sent_at, id
    """,
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A check that an officer has before him, with what he must know of the case. WGS-84 degrees."""

    id: UUID
    kind: str
    case_id: UUID
    number: str | None
    version: int
    state: str
    edition: str
    category: str
    category_name: str
    category_name_en: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    note: str
    sent_at: datetime
    due_at: datetime


TASKS = Statement(
    Task,
    """
    SELECT k.id, k.kind, k.case_id, c.number, c.version, c.state, c.edition, c.category,
           g.name AS category_name, g.name_en AS category_name_en, c.description, c.address,
           ST_X(c.place) AS lon, ST_Y(c.place) AS lat, k.note, k.sent_at,
           coalesce(w.due_at, k.due_at) AS due_at   -- a calendar's new edition moves the clock
      FROM checks k
      LEFT JOIN clocks w ON w.case_id = k.case_id AND w.kind = 'on_site' AND w.state <> 'stopped'
      JOIN cases c ON c.id = k.case_id
      JOIN categories g ON g.edition = c.edition AND g.code = c.category
     WHERE k.officer_id = $1::uuid
       AND k.ended_at IS NULL
     ORDER BY coalesce(w.due_at, k.due_at), k.id
    """,
)


@dataclass(frozen=True)
class _Candidate:
    officer_id: UUID
    of_the_beat: bool
    open_checks: int
    distance_m: float | None
    position_age: timedelta | None
    handled_it: bool


CANDIDATES = Statement(
    _Candidate,
    """
    SELECT o.user_id AS officer_id,
           EXISTS (SELECT FROM officer_beats b
                    WHERE b.officer_id = o.user_id AND b.duty_line = c.duty_line
                      AND b.beat_code = c.beat_code) AS of_the_beat,
           (SELECT count(*)::integer FROM checks k
             WHERE k.officer_id = o.user_id AND k.ended_at IS NULL) AS open_checks,
           ST_Distance(p.place::geography, c.place::geography) AS distance_m,
           $2::timestamptz - p.taken_at AS position_age,
           (o.user_id IN (c.officer_id, c.handler_id)) IS TRUE
             OR EXISTS (SELECT FROM grants g
                         WHERE g.user_id = o.user_id
                           AND (g.department = c.department OR g.department = ANY (c.co_departments))) AS handled_it
      FROM cases c
      JOIN officers o ON o.duty_line = c.duty_line AND o.on_duty
      JOIN users u ON u.id = o.user_id AND u.active
      LEFT JOIN officer_positions p ON p.officer_id = o.user_id
     WHERE c.id = $1::uuid
       AND EXISTS (SELECT FROM grants g
                    WHERE g.user_id = o.user_id AND g.role = 'officer' AND g.division_code = ANY (c.divisions))
     ORDER BY o.user_id
    """,
)


async def add(conn: Conn, row: CheckRow) -> None:
    """Keep a check that somebody is sent to make; the one before it must have ended."""
    await _ADD.run(
        conn, row.id, row.case_id, row.cycle, row.kind, row.officer_id, row.rule, row.reasons, row.note,
        row.sent_by, row.sent_at, row.due_at,
    )  # fmt: skip


async def end(conn: Conn, ended: Mapping[UUID, str | None], now: datetime) -> None:
    """End the open check of each of these cases, where there is one (case -> result; None: called off)."""
    if ended:
        await _END.run(conn, list(ended), now, list(ended.values()))


async def of_case(conn: Conn, case_id: UUID) -> Sequence[CheckRow]:
    """Every check of a case, oldest first."""
    return await OF_CASE.all(conn, case_id)


async def candidates(conn: Conn, case_id: UUID, now: datetime) -> list[Checker]:
    """Every officer of the case's duty line who is there and whose grant reaches its place, by id. Sees all as SERVICE.

    Neither the absent nor those whose shift is over (gridsvc/domain/duty.py).
    """
    rows = await CANDIDATES.all(conn, case_id, now)
    standing = await duty.standings(conn, [row.officer_id for row in rows], now)
    return [Checker(**vars(row)) for row in rows if standing[row.officer_id].duty.there]
