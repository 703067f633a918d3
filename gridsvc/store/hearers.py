"""Who is to be told about a case: its owner, or whoever holds a role nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class Standing:
    """What a notice says of a case, and what decides who hears it. No word of a resident."""

    case_id: UUID
    number: str | None
    state: str
    version: int
    category: str
    duty_line: str
    severity: str
    due_at: datetime | None
    divisions: list[str]
    cell_code: str | None
    assignment_id: UUID | None
    officer_id: UUID | None
    department: str | None
    handler_id: UUID | None
    checker_id: UUID | None
    co_open: list[str]
    co_due: list[datetime]  # when the part of each of `co_open` is due
    call_id: UUID | None


STANDING = Statement(
    Standing,
    """
    SELECT c.id AS case_id, c.number, c.state, c.version, c.category, c.duty_line, c.severity, c.due_at,
           CASE WHEN c.held_by IS NOT NULL THEN c.divisions[:array_position(c.divisions, c.held_by)]
                WHEN c.divisions <> '{}' THEN c.divisions
                ELSE c.desk_path END AS divisions,
           c.cell_code, c.assignment_id, c.officer_id, c.department, c.handler_id,
           c.checker_id, c.co_open,
           CASE WHEN c.co_open = '{}' THEN '{}'
                ELSE ARRAY(SELECT k.due_at
                             FROM unnest(c.co_open) WITH ORDINALITY AS o (department, place)
                             JOIN co_handlings p ON p.case_id = c.id AND p.department = o.department
                                                AND p.ended_at IS NULL
                             JOIN clocks k ON k.co_handling_id = p.id
                            ORDER BY o.place) END AS co_due,
           c.call_id
      FROM cases c
     WHERE c.id = ANY ($1::uuid[])
    """,
)


async def standings(conn: Conn, case_ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """These cases as they stand now; those that do not exist are left out.

    `divisions` are those of the place, down to the level that holds the case where one does; while the place
    is unknown, those of the desk that holds it.
    """
    return {row.case_id: row for row in await STANDING.all(conn, list(case_ids))}


@dataclass(frozen=True)
class Hearer:
    """One person who is to hear."""

    user_id: UUID


HANDLERS = Statement(
    Hearer,
    """
    SELECT DISTINCT g.user_id
      FROM grants g
           JOIN users u ON u.id = g.user_id AND u.active
     WHERE g.role = 'handler'
       AND g.department = $1::text
       AND g.division_code = ANY ($2::text[])
     ORDER BY g.user_id
    """,
)

# Depth is the place in the path: the deepest division in which anybody holds the role hears alone.
NEAREST = Statement(
    Hearer,
    """
    WITH holders AS (
      SELECT g.user_id, array_position($2::text[], g.division_code) AS depth
        FROM grants g
             JOIN users u ON u.id = g.user_id AND u.active
       WHERE g.role = $1::text
         AND g.division_code = ANY ($2::text[])
         AND (g.duty_line IS NULL OR g.duty_line = $3::text)
         AND (g.department IS NULL OR g.department = $4::text)
    )
    SELECT DISTINCT user_id
      FROM holders
     WHERE depth = (SELECT max(depth) FROM holders)
     ORDER BY user_id
    """,
)

# The line (条): the department's own people where the case has one, else those of the duty line alone.
NEAREST_OF_LINE = Statement(
    Hearer,
    """
    WITH holders AS (
      SELECT g.user_id, array_position($2::text[], g.division_code) AS depth
        FROM grants g
             JOIN users u ON u.id = g.user_id AND u.active
       WHERE g.role = $1::text
         AND g.division_code = ANY ($2::text[])
         AND CASE WHEN $4::text IS NULL THEN g.duty_line = $3::text
                  ELSE g.department = $4::text END
    )
    SELECT DISTINCT user_id
      FROM holders
     WHERE depth = (SELECT max(depth) FROM holders)
     ORDER BY user_id
    """,
)

# A division that is not in the set in force (a grant from an older one) counts as the lowest.
HIGHEST = Statement(
    Hearer,
    """
    WITH holders AS (
      SELECT g.user_id, coalesce(array_length(d.path, 1), 99) AS depth
        FROM grants g
             JOIN users u ON u.id = g.user_id AND u.active
             LEFT JOIN divisions d ON d.grid_set_id = grid_set_at($2::timestamptz) AND d.code = g.division_code
       WHERE g.role = $1::text
         AND (g.duty_line IS NULL OR g.duty_line = $3::text)
         AND (g.department IS NULL OR g.department = $4::text)
    )
    SELECT DISTINCT user_id
      FROM holders
     WHERE depth = (SELECT min(depth) FROM holders)
     ORDER BY user_id
    """,
)


ADMINS = Statement(
    Hearer,
    """
    SELECT DISTINCT g.user_id
      FROM grants g
           JOIN users u ON u.id = g.user_id AND u.active
     WHERE g.role = 'admin'
     ORDER BY g.user_id
    """,
)

@dataclass(frozen=True)
class _Area:
    path: list[str]
    duty_line: str


# Where an officer works, from the top down; several grants: one after the other.
AREAS_OF_OFFICER = Statement(
    _Area,
    """
    SELECT coalesce(d.path, ARRAY[g.division_code]) AS path, o.duty_line
      FROM officers o
      JOIN grants g ON g.user_id = o.user_id AND g.role = 'officer'
      LEFT JOIN divisions d ON d.grid_set_id = grid_set_at($2::timestamptz) AND d.code = g.division_code
     WHERE o.user_id = $1::uuid
     ORDER BY g.division_code
    """,
)

# The duty desk (值班室) of an emergency: who dispatches or supervises for the district, and for the city.
DUTY_DESK = Statement(
    Hearer,
    """
    SELECT DISTINCT g.user_id
      FROM grants g
           JOIN users u ON u.id = g.user_id AND u.active
           JOIN divisions d ON d.grid_set_id = grid_set_at($2::timestamptz) AND d.code = g.division_code
                           AND d.level IN ('district', 'city')
     WHERE g.role IN ('dispatcher', 'supervisor')
       AND g.division_code = ANY ($1::text[])
       AND (g.duty_line IS NULL OR g.duty_line = $3::text)
       AND (g.department IS NULL OR g.department = $4::text)
     ORDER BY g.user_id
    """,
)


async def duty_desk(
    conn: Conn, path: Sequence[str], duty_line: str, department: str | None, now: datetime
) -> list[UUID]:
    """Every dispatcher and supervisor of the district and of the city in `path`, on the case's axes."""
    return [row.user_id for row in await DUTY_DESK.all(conn, path, now, duty_line, department)]


async def handlers(conn: Conn, department: str, divisions: Sequence[str]) -> list[UUID]:
    """Everybody who handles for `department` in one of `divisions`."""
    return [row.user_id for row in await HANDLERS.all(conn, department, divisions)]


async def nearest(conn: Conn, role: str, path: Sequence[str], duty_line: str, department: str | None) -> list[UUID]:
    """Who holds `role` in the lowest division of `path` (from the top down) where anybody does, on the case's axes.

    Nobody in the whole path: an empty list.
    """
    return [row.user_id for row in await NEAREST.all(conn, role, path, duty_line, department)]


async def nearest_of_line(
    conn: Conn, role: str, path: Sequence[str], duty_line: str, department: str | None
) -> list[UUID]:
    """Who holds `role` for the department itself, or for the duty line of a case without one; as `nearest`."""
    return [row.user_id for row in await NEAREST_OF_LINE.all(conn, role, path, duty_line, department)]


async def of_officer(conn: Conn, officer_id: UUID, roles: Sequence[str], now: datetime) -> list[UUID]:
    """Who holds the first of `roles` that anybody holds nearest to where the officer works; nobody: an empty list."""
    for role in roles:
        people: set[UUID] = set()
        for area in await AREAS_OF_OFFICER.all(conn, officer_id, now):
            people |= set(await nearest(conn, role, area.path, area.duty_line, None))
        if people:
            return sorted(people)
    return []


async def admins(conn: Conn) -> list[UUID]:
    """Every administrator, wherever his grant holds: the rules are the whole city's."""
    return [row.user_id for row in await ADMINS.all(conn)]


async def highest(conn: Conn, role: str, duty_line: str, department: str | None, now: datetime) -> list[UUID]:
    """Who holds `role` for the greatest part of the city: the desk for a case whose place nobody knows."""
    return [row.user_id for row in await HIGHEST.all(conn, role, now, duty_line, department)]
