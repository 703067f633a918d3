"""Whose work must go on without them (交接班): what is open with officers who left, and what was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Statement
from gridsvc.store.rows import rows_text


@dataclass(frozen=True)
class _Officer:
    officer_id: UUID


# Whoever is on duty has not left, unless he is absent; who has no shifts leaves by an absence alone, and everybody
# with his account.
PERHAPS_LEFT = Statement(
    _Officer,
    """
    SELECT o.user_id AS officer_id
      FROM officers o
      JOIN users u ON u.id = o.user_id
     WHERE EXISTS (SELECT FROM cases c
                    WHERE c.officer_id = o.user_id AND c.state IN ('assigned', 'accepted', 'in_progress')
                      AND NOT c.suspended)
       AND (NOT u.active
            OR NOT o.on_duty AND EXISTS (SELECT FROM shifts s WHERE s.officer_id = o.user_id)
            OR EXISTS (SELECT FROM absences a
                        WHERE a.officer_id = o.user_id AND a.cancelled_at IS NULL
                          AND a.from_at <= $1::timestamptz AND a.until_at > $1::timestamptz))
     ORDER BY o.user_id
    """,
)


@dataclass(frozen=True)
class Held:
    """A case that stands open with an officer, since when, and who else walks its beat."""

    case_id: UUID
    officer_id: UUID
    assignment_id: UUID
    state: str
    suspended: bool
    since: datetime
    number: str | None
    version: int
    edition: str
    category: str
    due_at: datetime | None
    others: list[UUID]


HELD = Statement(
    Held,
    """
    SELECT c.id AS case_id, c.officer_id, c.assignment_id, c.state, c.suspended, a.assigned_at AS since, c.number,
           c.version, c.edition, c.category, c.due_at,
           ARRAY(SELECT b.officer_id FROM officer_beats b
                  WHERE b.duty_line = c.duty_line AND b.beat_code = c.beat_code AND b.officer_id <> c.officer_id
                  ORDER BY 1) AS others
      FROM cases c
      JOIN assignments a ON a.id = c.assignment_id
     WHERE c.officer_id = ANY ($1::uuid[])
       AND c.state IN ('assigned', 'accepted', 'in_progress')
     ORDER BY c.id
    """,
)


@dataclass(frozen=True, kw_only=True)
class HandOverRow:
    """What was made of an officer's work when he left, once for each time. `stay`: what the dispatcher heard of."""

    id: UUID
    officer_id: UUID
    why: str
    left_at: datetime
    at: datetime
    handed_over: int
    stay: Sequence[UUID]


_ADD = Statement(
    _Officer,
    """
    INSERT INTO hand_overs (id, officer_id, why, left_at, at, handed_over, stay)
    SELECT id, officer_id, why, left_at, at, handed_over, stay
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, officer_id uuid, why text, left_at timestamptz, at timestamptz, handed_over integer, stay uuid[])
        ON CONFLICT (officer_id, left_at) DO NOTHING
    RETURNING officer_id
    """,
)


async def perhaps_left(conn: Conn, now: datetime) -> list[UUID]:
    """Officers with open cases who are off duty and have shifts, are absent, or whose account has ended, by id.

    As SERVICE."""
    return [row.officer_id for row in await PERHAPS_LEFT.all(conn, now)]


async def held(conn: Conn, officers: Sequence[UUID]) -> Sequence[Held]:
    """What is open with these officers, by case; under a scope what that sees of it."""
    return await HELD.all(conn, list(officers))


async def add(conn: Conn, rows: Sequence[HandOverRow]) -> set[UUID]:
    """Keep what was made of it; of which officers it had not been kept before."""
    if not rows:
        return set()
    return {row.officer_id for row in await _ADD.all(conn, rows_text([vars(row) for row in rows]))}
