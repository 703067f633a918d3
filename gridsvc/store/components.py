"""The register of components: what stands where, who answers for it, what each import changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from geo.place import Place
from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.component import Answering, Component, ComponentState, KnownDepartments
from gridsvc.store.rows import rows_text


@dataclass(frozen=True)
class _Department:
    code: str
    name: str


_DEPARTMENTS = Statement(_Department, "SELECT code, name FROM departments ORDER BY code")


async def known_departments(conn: Conn) -> KnownDepartments:
    """Every department, by code and by name; a name that two departments share stands for neither."""
    rows = await _DEPARTMENTS.all(conn)
    names = [row.name for row in rows]
    return KnownDepartments(
        codes=frozenset(row.code for row in rows),
        by_name={row.name: row.code for row in rows if names.count(row.name) == 1},
    )


@dataclass(frozen=True)
class _Held:
    held: bool


_HOLD = Statement(_Held, "SELECT pg_try_advisory_xact_lock(hashtext('gridsvc.components')) AS held")


async def hold_register(conn: Conn) -> bool:
    """Let no other import write the register until this transaction ends; False where one is at it already."""
    answer = await _HOLD.one(conn)
    return answer is not None and answer.held


@dataclass(frozen=True, kw_only=True)
class ComponentRow:
    """A component as it is kept; coordinates are WGS-84 degrees."""

    code: str
    class_code: str
    name: str
    state: str
    supervising: str | None
    owning: str | None
    owner_unknown: bool
    maintaining: str | None
    note: str
    lon: float
    lat: float
    surveyed_x: float
    surveyed_y: float
    surveyed_frame: str
    version: int
    changed_at: datetime

    def component(self) -> Component:
        """The same as the register said it."""
        return Component(
            code=self.code,
            name=self.name,
            state=ComponentState(self.state),
            supervising=self.supervising,
            owning=self.owning,
            owner_unknown=self.owner_unknown,
            maintaining=self.maintaining,
            note=self.note,
            place=Place(self.lon, self.lat),
            surveyed=(self.surveyed_x, self.surveyed_y),
            frame=self.surveyed_frame,
        )


_COLUMNS = """
    SELECT c.code, c.class AS class_code, c.name, c.state, c.supervising, c.owning, c.owner_unknown, c.maintaining,
           c.note, ST_X(c.place) AS lon, ST_Y(c.place) AS lat, c.surveyed_x, c.surveyed_y, c.surveyed_frame,
           c.version, c.changed_at
      FROM components c
"""

_CURRENT = Statement(
    ComponentRow,
    f"""
{_COLUMNS}     WHERE c.code = ANY ($1::text[])
     ORDER BY c.code
    """,
)

ONE = Statement(
    ComponentRow,
    f"""
{_COLUMNS}     WHERE c.code = $1::text
    """,
)


async def current(conn: Conn, codes: Sequence[str]) -> dict[str, ComponentRow]:
    """These components as they are kept; those that are not are left out."""
    return {row.code: row for row in await _CURRENT.all(conn, list(codes))}


@dataclass(frozen=True, kw_only=True)
class Writing:
    """A component as it will be from `version` on, and what is new about it."""

    component: Component
    version: int
    facts: Mapping[str, object]


_KEEP = Statement(
    Nothing,
    """
    INSERT INTO components AS c (
           code, name, state, supervising, owning, owner_unknown, maintaining, note, place, surveyed_x, surveyed_y,
           surveyed_frame, version, changed_at)
    SELECT code, name, state, supervising, owning, owner_unknown, maintaining, note,
           ST_SetSRID(ST_MakePoint(lon, lat), 4326), surveyed_x, surveyed_y, surveyed_frame, version, $2::timestamptz
      FROM json_to_recordset($1::text::json) AS r (
           code text, name text, state text, supervising text, owning text, owner_unknown boolean, maintaining text,
           note text, lon float8, lat float8, surveyed_x float8, surveyed_y float8, surveyed_frame text,
           version integer)
     ORDER BY code
        ON CONFLICT (code) DO UPDATE
       SET name = excluded.name, state = excluded.state, supervising = excluded.supervising,
           owning = excluded.owning, owner_unknown = excluded.owner_unknown, maintaining = excluded.maintaining,
           note = excluded.note, place = excluded.place, surveyed_x = excluded.surveyed_x,
           surveyed_y = excluded.surveyed_y, surveyed_frame = excluded.surveyed_frame, version = excluded.version,
           changed_at = excluded.changed_at
    """,
)

_KEEP_CHANGES = Statement(
    Nothing,
    """
    INSERT INTO component_changes (component, version, at, actor, source, facts)
    SELECT component, version, $2::timestamptz, $3::text, $4::text, facts
      FROM json_to_recordset($1::text::json) AS r (component text, version integer, facts jsonb)
    """,
)


async def keep(conn: Conn, writing: Sequence[Writing], actor: str, source: str, now: datetime) -> None:
    """Write these components and a row of history for each."""
    if not writing:
        return
    await _KEEP.run(conn, rows_text([_fields(each) for each in writing]), now)
    changes = [{"component": each.component.code, "version": each.version, "facts": each.facts} for each in writing]
    await _KEEP_CHANGES.run(conn, rows_text(changes), now, actor, source)


def _fields(each: Writing) -> dict[str, object]:
    component = each.component
    return {
        "code": component.code,
        "name": component.name,
        "state": component.state,
        "supervising": component.supervising,
        "owning": component.owning,
        "owner_unknown": component.owner_unknown,
        "maintaining": component.maintaining,
        "note": component.note,
        "lon": component.place.lon,
        "lat": component.place.lat,
        "surveyed_x": component.surveyed[0],
        "surveyed_y": component.surveyed[1],
        "surveyed_frame": component.frame,
        "version": each.version,
    }


# -- reports and routing ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    lon: float | None
    lat: float | None
    distance_m: float | None


# One row per report that names one: the same component may be named twice in a batch.
_SURVEYED = Statement(
    _Place,
    """
    SELECT ST_X(c.place) AS lon, ST_Y(c.place) AS lat,
           ST_Distance(c.place::geography, ST_SetSRID(ST_MakePoint(w.lon, w.lat), 4326)::geography) AS distance_m
      FROM unnest($1::text[], $2::float8[], $3::float8[]) WITH ORDINALITY AS w (code, lon, lat, ordinal)
           LEFT JOIN components c ON c.code = w.code
     ORDER BY w.ordinal
    """,
)


@dataclass(frozen=True)
class Surveyed:
    """Where a component stands, and how far from there the report lies (metres; None where it gave no place)."""

    place: Place
    distance_m: float | None


async def surveyed(conn: Conn, named: Sequence[tuple[str, Place | None]]) -> list[Surveyed | None]:
    """For each component that a report names, with the place it gives: where it stands. None for an unknown one."""
    rows = await _SURVEYED.all(
        conn,
        [code for code, _ in named],
        [place.lon if place else None for _, place in named],
        [place.lat if place else None for _, place in named],
    )
    return [
        None if row.lon is None or row.lat is None else Surveyed(Place(row.lon, row.lat), row.distance_m)
        for row in rows
    ]


_ANSWERING = Statement(
    Answering,
    """
    SELECT code, owning, owner_unknown, maintaining
      FROM components
     WHERE code = ANY ($1::text[])
    """,
)


async def answering(conn: Conn, codes: Sequence[str]) -> dict[str, Answering]:
    """Which departments the register names for these components."""
    return {row.code: row for row in await _ANSWERING.all(conn, list(codes))}


# -- reading ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Near:
    """A component and how far it stands from the place asked about, metres; None where none was asked about."""

    code: str
    class_code: str
    name: str
    state: str
    supervising: str | None
    owning: str | None
    owner_unknown: bool
    maintaining: str | None
    lon: float
    lat: float
    distance_m: float | None


# Distances are rounded to a millimetre, so that a cursor finds exactly the row it was written from.
NEAREST = Statement(
    Near,
    """
    SELECT f.code, f.class_code, f.name, f.state, f.supervising, f.owning, f.owner_unknown, f.maintaining, f.lon,
           f.lat, f.distance_m
      FROM (SELECT c.code, c.class AS class_code, c.name, c.state, c.supervising, c.owning, c.owner_unknown,
                   c.maintaining, ST_X(c.place) AS lon, ST_Y(c.place) AS lat,
                   round(1000 * ST_Distance(c.place::geography, p.place)) / 1000 AS distance_m
              FROM (SELECT ST_SetSRID(ST_MakePoint($1::float8, $2::float8), 4326)::geography AS place) p
                   JOIN components c ON ST_DWithin(c.place::geography, p.place, $3::float8)
             WHERE ($4::text IS NULL OR c.class = $4::text)
               AND ($5::text IS NULL OR c.name ILIKE '%' || $5::text || '%' OR c.code LIKE $5::text || '%')) f
     WHERE (f.distance_m, f.code) > ($6::float8, $7::text)
     ORDER BY f.distance_m, f.code
     LIMIT $8::integer
    """,
)

BY_CODE = Statement(
    Near,
    """
    SELECT c.code, c.class AS class_code, c.name, c.state, c.supervising, c.owning, c.owner_unknown,
           c.maintaining, ST_X(c.place) AS lon, ST_Y(c.place) AS lat, NULL::float8 AS distance_m
      FROM components c
     WHERE ($1::text IS NULL OR c.class = $1::text)
       AND ($2::text IS NULL OR c.name ILIKE '%' || $2::text || '%' OR c.code LIKE $2::text || '%')
       AND c.code > $3::text
     ORDER BY c.code
     LIMIT $4::integer
    """,
)


@dataclass(frozen=True)
class Change:
    """What one import changed about a component."""

    version: int
    at: datetime
    actor: str
    source: str
    facts: dict[str, Any]


CHANGES = Statement(
    Change,
    """
    SELECT version, at, actor, source, facts
      FROM component_changes
     WHERE component = $1::text
     ORDER BY version
    """,
)


@dataclass(frozen=True)
class CaseOf:
    """A case about a component."""

    id: UUID
    number: str | None
    state: str
    edition: str
    category: str
    category_name: str
    reported_at: datetime
    closed_at: datetime | None


CASES = Statement(
    CaseOf,
    """
    SELECT c.id, c.number, c.state, c.edition, c.category, g.name AS category_name, c.reported_at, c.closed_at
      FROM cases c
           JOIN categories g ON g.edition = c.edition AND g.code = c.category
     WHERE c.component = $1::text
       AND c.seen_by && $2::text[]
     ORDER BY c.id DESC
     LIMIT $3::integer
    """,
)
