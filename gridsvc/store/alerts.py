"""What an alert says of a case, read in the caller's sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True, kw_only=True)
class AlertRow:
    """A case as an alert needs it, with the names of its divisions from the top down and its cell's GeoJSON outline."""

    instance_id: UUID
    zone: str
    case_id: UUID
    number: str | None
    edition: str
    category: str
    name: str
    name_en: str
    kind: str
    handled_by: str
    severity: str
    source: str
    state: str
    due_at: datetime | None
    divisions: list[str]
    names: list[str]
    cell_code: str | None
    lon: float | None
    lat: float | None
    outline: dict[str, Any] | None
    exercise: bool


OF_CASE = Statement(
    AlertRow,
    """
    SELECT i.instance_id, i.zone, c.id AS case_id, c.number, c.edition, c.category, g.name, g.name_en, g.kind,
           g.handled_by, c.severity, c.source, c.state, c.due_at, p.path AS divisions,
           ARRAY(SELECT coalesce(d.name, '')
                   FROM unnest(p.path) WITH ORDINALITY AS of (code, place)
                   LEFT JOIN divisions d ON d.code = of.code
                                        AND d.grid_set_id = coalesce(c.grid_set_id, grid_set_at($2::timestamptz))
                  ORDER BY of.place) AS names,
           c.cell_code, ST_X(c.place) AS lon, ST_Y(c.place) AS lat, ST_AsGeoJSON(l.outline, 6)::jsonb AS outline,
           c.exercise
      FROM instance i, cases c
      JOIN categories g ON g.edition = c.edition AND g.code = c.category
      LEFT JOIN cells l ON l.grid_set_id = c.grid_set_id AND l.code = c.cell_code
           CROSS JOIN LATERAL (
             SELECT CASE WHEN c.divisions = '{}' THEN c.desk_path ELSE c.divisions END AS path) p
     WHERE c.id = $1::uuid
       AND c.seen_by && $3::text[]
    """,
)


@dataclass(frozen=True)
class VersionRow:
    """One version of a case, as its history has it."""

    version: int
    move: str
    state: str
    at: datetime


VERSIONS = Statement(
    VersionRow,
    """
    SELECT version, move, to_state AS state, at
      FROM history
     WHERE case_id = $1::uuid
     ORDER BY version
    """,
)


async def of_case(conn: Conn, keys: Sequence[str], case_id: UUID, now: datetime) -> AlertRow | None:
    """What an alert says of the case; None where it does not exist for these keys."""
    return await OF_CASE.one(conn, case_id, now, list(keys))


async def versions(conn: Conn, case_id: UUID) -> list[VersionRow]:
    """Every version of the case, oldest first."""
    return await VERSIONS.all(conn, case_id)
