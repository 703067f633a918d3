"""Open cases and the grid set that they are to follow: what binds them to their officers, and how many still wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.regrid import Hold
from gridsvc.store.cases import TO_FOLLOW, CaseRow


@dataclass(frozen=True)
class _HoldRow:
    walks_there: bool
    sent_by_hand: bool
    of_a_team: bool


# Routing assigns as a worker; whoever assigned as anybody else did it by hand, or answered a call himself.
_HOLDS = Statement(
    _HoldRow,
    """
    SELECT EXISTS (SELECT
                     FROM officer_beats b
                    WHERE b.officer_id = w.officer_id
                      AND b.duty_line = w.duty_line
                      AND b.beat_code = w.beat_code) AS walks_there,
           coalesce(a.assigned_by NOT LIKE 'worker:%', false) AS sent_by_hand,
           coalesce(a.reasons ? 'team', false) AS of_a_team
      FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
           WITH ORDINALITY AS w (assignment_id, officer_id, duty_line, beat_code, ordinal)
           LEFT JOIN assignments a ON a.id = w.assignment_id
     ORDER BY w.ordinal
    """,
)


async def holds(conn: Conn, rows: Sequence[tuple[CaseRow, str | None]]) -> list[Hold]:
    """What binds the officer of each case to it, in their order, where it comes into that beat."""
    found = await _HOLDS.all(
        conn,
        [row.assignment_id for row, _ in rows],
        [row.officer_id for row, _ in rows],
        [row.duty_line for row, _ in rows],
        [beat for _, beat in rows],
    )
    return [Hold(**vars(each)) for each in found]


_MARK_LOST = Statement(
    Nothing,
    """
    UPDATE cases
       SET lost_in = $2::integer
     WHERE id = ANY ($1::uuid[])
    """,
)


async def mark_lost(conn: Conn, case_ids: Sequence[UUID], grid_set_id: int) -> None:
    """Note that the set has no cell for these cases, which the caller holds locked: no move, no new version."""
    if case_ids:
        await _MARK_LOST.run(conn, list(case_ids), grid_set_id)


@dataclass(frozen=True)
class Waiting:
    """How many open cases still have to follow a set, and how many keep an older one: it has no cell for them."""

    to_follow: int
    lost: int


_WAITING = Statement(
    Waiting,
    f"""
    SELECT (SELECT count(*)::integer FROM cases c WHERE {TO_FOLLOW}) AS to_follow,
           (SELECT count(*)::integer
              FROM cases c
             WHERE c.lost_in = $1::integer
               AND c.grid_set_id <> $1::integer
               AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')) AS lost
    """,  # noqa: S608 - a constant of ours
)


async def waiting(conn: Conn, grid_set_id: int) -> Waiting:
    """How far the open cases have followed the set. Sees all of them only as SERVICE."""
    row = await _WAITING.one(conn, grid_set_id)
    assert row is not None  # noqa: S101 - one row by construction
    return row


@dataclass(frozen=True)
class Done:
    """How many cases followed a set, and how many of them lost their officer by that."""

    cases: int
    rerouted: int


_DONE = Statement(
    Done,
    """
    SELECT count(DISTINCT case_id)::integer AS cases,
           (count(DISTINCT case_id) FILTER (WHERE facts ? 'taken_from'))::integer AS rerouted
      FROM history
     WHERE move = 'regrid'
       AND at >= (SELECT valid_from FROM grid_sets WHERE id = $1::integer)
       AND facts ->> 'grid_set' = $1::integer::text
    """,
)


async def followed(conn: Conn, grid_set_id: int) -> Done:
    """How many cases followed a set that came into force, as the history tells it."""
    row = await _DONE.one(conn, grid_set_id)
    assert row is not None  # noqa: S101 - one row by construction
    return row


@dataclass(frozen=True)
class _SetName:
    name: str | None


_SETS_AT = Statement(
    _SetName,
    """
    SELECT (SELECT s.name
              FROM history h
              JOIN grid_sets s ON s.id = (h.facts ->> 'grid_set')::integer
             WHERE h.case_id = $1::uuid
               AND h.facts ? 'grid_set'
               AND h.at <= w.moment
             ORDER BY h.version DESC
             LIMIT 1) AS name
      FROM unnest($2::timestamptz[]) WITH ORDINALITY AS w (moment, ordinal)
     ORDER BY w.ordinal
    """,
)


async def sets_at(conn: Conn, case_id: UUID, moments: Sequence[datetime]) -> list[str | None]:
    """The names of the sets by which a case lay where it did at these moments, in their order."""
    return [row.name for row in await _SETS_AT.all(conn, case_id, list(moments))]


@dataclass(frozen=True)
class CellChange:
    """A cell that another set adds, removes, redraws, or gives to another division, level or beat (`moved`)."""

    code: str
    kind: str
    area_m2: float


CELL_CHANGES = Statement(
    CellChange,
    """
    WITH known AS (
      SELECT c.grid_set_id, c.code, c.area_m2, c.division_code, c.management_level, ST_AsBinary(c.outline) AS outline,
             (SELECT jsonb_object_agg(b.duty_line, b.beat_code)
                FROM beat_cells b
               WHERE b.grid_set_id = c.grid_set_id AND b.cell_code = c.code) AS beats
        FROM cells c
       WHERE c.grid_set_id IN ($1::integer, $2::integer)
    )
    SELECT coalesce(n.code, o.code) AS code,
           CASE WHEN o.code IS NULL THEN 'added' WHEN n.code IS NULL THEN 'removed'
                WHEN o.outline <> n.outline THEN 'redrawn' ELSE 'moved' END AS kind,
           coalesce(n.area_m2, o.area_m2) AS area_m2
      FROM (SELECT * FROM known WHERE grid_set_id = $1::integer) o
      FULL JOIN (SELECT * FROM known WHERE grid_set_id = $2::integer) n USING (code)
     WHERE o.code IS NULL
        OR n.code IS NULL
        OR o.outline <> n.outline
        OR (o.division_code, o.management_level) <> (n.division_code, n.management_level)
        OR o.beats IS DISTINCT FROM n.beats
     ORDER BY 1
    """,
)


@dataclass(frozen=True)
class CellOutline:
    """A cell as a set has it; `outline` is GeoJSON. `beats` by duty line."""

    code: str
    division: str
    beats: dict[str, str]
    outline: dict[str, Any]


OUTLINES = Statement(
    CellOutline,
    """
    SELECT c.code, c.division_code AS division,
           coalesce((SELECT jsonb_object_agg(b.duty_line, b.beat_code)
                       FROM beat_cells b
                      WHERE b.grid_set_id = c.grid_set_id AND b.cell_code = c.code), '{}') AS beats,
           ST_AsGeoJSON(c.outline, 6)::jsonb AS outline
      FROM cells c
     WHERE c.grid_set_id = $1::integer AND c.code = ANY ($2::text[])
     ORDER BY c.code
    """,
)


@dataclass(frozen=True)
class BeatUnmanned:
    """A beat that no active officer walks."""

    duty_line: str
    code: str


@dataclass(frozen=True)
class GrantAdrift:
    """A role that somebody holds in a division which the set does not know: it would open nothing."""

    username: str
    role: str
    division: str


GRANTS_ADRIFT = Statement(
    GrantAdrift,
    """
    SELECT u.username, g.role, g.division_code AS division
      FROM grants g
      JOIN users u ON u.id = g.user_id AND u.active
     WHERE NOT EXISTS (SELECT
                         FROM divisions d
                        WHERE d.grid_set_id = $1::integer
                          AND d.code = g.division_code)
     ORDER BY u.username, g.role, g.division_code
    """,
)

BEATS_UNMANNED = Statement(
    BeatUnmanned,
    """
    SELECT b.duty_line, b.code
      FROM beats b
     WHERE b.grid_set_id = $1::integer
       AND NOT EXISTS (SELECT
                         FROM officer_beats o
                         JOIN users u ON u.id = o.officer_id AND u.active
                        WHERE o.duty_line = b.duty_line
                          AND o.beat_code = b.code)
     ORDER BY b.duty_line, b.code
    """,
)


@dataclass(frozen=True)
class OfficerLoad:
    """An officer by the name he signs in with, and how many cases he has in hand."""

    officer_id: UUID
    username: str
    open_cases: int


LOADS = Statement(
    OfficerLoad,
    """
    SELECT u.id AS officer_id, u.username, count(c.id)::integer AS open_cases
      FROM users u
           LEFT JOIN cases c ON c.officer_id = u.id AND c.state IN ('assigned', 'accepted', 'in_progress')
     WHERE u.id = ANY ($1::uuid[])
     GROUP BY u.id
     ORDER BY u.username
    """,
)
