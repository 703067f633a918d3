"""The registry of cameras: where they stand and look, which cells they see, whether they are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely

from geo.place import Place
from geo.view import Look
from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.camera import Camera, CameraState, Known, SeenCell
from gridsvc.store.rows import rows_text


@dataclass(frozen=True)
class _Code:
    code: str


_DEPARTMENTS = Statement(_Code, "SELECT code FROM departments ORDER BY code")
_PROTOCOLS = Statement(_Code, "SELECT code FROM camera_protocols ORDER BY code")


async def known(conn: Conn) -> Known:
    """What a camera may name."""
    return Known(
        departments=frozenset(row.code for row in await _DEPARTMENTS.all(conn)),
        protocols=frozenset(row.code for row in await _PROTOCOLS.all(conn)),
    )


@dataclass(frozen=True)
class _Held:
    held: bool


_HOLD = Statement(_Held, "SELECT pg_try_advisory_xact_lock(hashtext('gridsvc.cameras')) AS held")


async def hold_registry(conn: Conn) -> bool:
    """Let no other import write the registry until this transaction ends; False where one is at it already."""
    answer = await _HOLD.one(conn)
    return answer is not None and answer.held


_WAIT = Statement(Nothing, "SELECT pg_advisory_xact_lock(hashtext('gridsvc.camera ' || $1::text))")


async def wait_for_code(conn: Conn, code: str) -> None:
    """Let nobody else enter a camera of this code until this transaction ends."""
    await _WAIT.run(conn, code)


# -- one camera --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CameraRow:
    """A camera as it is kept, without names, presets and zones; coordinates are WGS-84 degrees."""

    code: str
    name: str
    lon: float
    lat: float
    given_x: float
    given_y: float
    given_frame: str
    height_m: float
    bearing_deg: float
    field_deg: float
    near_m: float
    far_m: float
    protocol: str
    state: str
    vendor: str
    model: str
    owning: str | None
    maintaining: str | None
    ptz: bool
    streams: list[str]
    silent_after_s: int | None
    divisions: list[str]
    grid_set_id: int | None
    version: int
    changed_at: datetime
    heard_at: datetime | None
    offline_since: datetime | None
    health: str


_COLUMNS = """
    SELECT c.code, c.name, ST_X(c.place) AS lon, ST_Y(c.place) AS lat, c.given_x, c.given_y, c.given_frame,
           c.height_m, c.bearing_deg, c.field_deg, c.near_m, c.far_m, c.protocol, c.state, c.vendor, c.model,
           c.owning, c.maintaining, c.ptz, c.streams, c.silent_after_s, c.divisions, c.grid_set_id, c.version,
           c.changed_at, h.heard_at, h.offline_since, camera_stands(h.heard_at, h.offline_since) AS health
      FROM cameras c
           LEFT JOIN camera_health h ON h.camera = c.code
"""

CURRENT = Statement(
    CameraRow,
    f"""
{_COLUMNS}     WHERE c.code = ANY ($1::text[])
     ORDER BY c.code
    """,
)

# Whoever writes a camera decides on what he has read: nobody else may write it meanwhile.
_HELD = Statement(
    CameraRow,
    f"""
{_COLUMNS}     WHERE c.code = ANY ($1::text[])
     ORDER BY c.code
       FOR UPDATE OF c
    """,
)

# $3: codes whose view cuts a cell, NULL for all. A box is west, south, east, north.
LISTED = Statement(
    CameraRow,
    f"""
{_COLUMNS}     WHERE c.code > $1::text
       AND ($2::text IS NULL OR c.divisions @> ARRAY[$2::text])
       AND ($3::text IS NULL OR EXISTS (SELECT FROM camera_cells s WHERE s.cell_code = $3::text AND s.camera = c.code))
       AND ($4::text IS NULL OR c.protocol = $4::text)
       AND ($5::text IS NULL OR c.state = $5::text)
       AND ($6::text IS NULL OR camera_stands(h.heard_at, h.offline_since) = $6::text)
       AND ($7::float8[] IS NULL
            OR c.place && ST_MakeEnvelope(($7::float8[])[1], ($7::float8[])[2], ($7::float8[])[3],
                                          ($7::float8[])[4], 4326))
       AND ($8::text IS NULL OR c.name ILIKE '%' || $8::text || '%' OR c.code LIKE $8::text || '%')
     ORDER BY c.code
     LIMIT $9::integer
    """,
)


@dataclass(frozen=True)
class _Name:
    camera: str
    scheme: str
    value: str


_NAMES = Statement(
    _Name,
    """
    SELECT camera, scheme, value
      FROM camera_names
     WHERE camera = ANY ($1::text[])
     ORDER BY camera, scheme, value
    """,
)


@dataclass(frozen=True)
class _Preset:
    camera: str
    name: str
    bearing_deg: float
    field_deg: float
    near_m: float
    far_m: float


_PRESETS = Statement(
    _Preset,
    """
    SELECT camera, name, bearing_deg, field_deg, near_m, far_m
      FROM camera_presets
     WHERE camera = ANY ($1::text[])
     ORDER BY camera, name
    """,
)


@dataclass(frozen=True)
class _Zone:
    camera: str
    name: str
    ground: shapely.Geometry


_ZONES = Statement(
    _Zone,
    """
    SELECT camera, name, ground
      FROM camera_zones
     WHERE camera = ANY ($1::text[])
     ORDER BY camera, name
    """,
)


@dataclass(frozen=True)
class Kept:
    """A camera as it is kept, in both forms."""

    row: CameraRow
    camera: Camera


async def current(conn: Conn, codes: Sequence[str], *, held: bool = False) -> dict[str, Kept]:
    """These cameras as they are kept; those that are not, or are out of sight, are left out.

    `held`: nobody else writes them until the transaction ends.
    """
    rows = await (_HELD if held else CURRENT).all(conn, list(codes))
    return await whole(conn, rows)


async def whole(conn: Conn, rows: Sequence[CameraRow]) -> dict[str, Kept]:
    """The same cameras with their names, presets and zones, by code, in the order of `rows`."""
    found = [row.code for row in rows]
    names = await _NAMES.all(conn, found)
    presets = await _PRESETS.all(conn, found)
    zones = await _ZONES.all(conn, found)
    return {
        row.code: Kept(
            row,
            Camera(
                code=row.code, name=row.name, place=Place(row.lon, row.lat), given=(row.given_x, row.given_y),
                frame=row.given_frame, height_m=row.height_m,
                look=Look(row.bearing_deg, row.field_deg, row.near_m, row.far_m), protocol=row.protocol,
                state=CameraState(row.state), vendor=row.vendor, model=row.model,
                names=tuple((each.scheme, each.value) for each in names if each.camera == row.code),
                owning=row.owning, maintaining=row.maintaining, ptz=row.ptz, streams=tuple(row.streams),
                silent_after_s=row.silent_after_s,
                presets={
                    each.name: Look(each.bearing_deg, each.field_deg, each.near_m, each.far_m)
                    for each in presets if each.camera == row.code
                },
                zones={each.name: each.ground for each in zones if each.camera == row.code},
            ),
        )
        for row in rows
    }  # fmt: skip


# -- writing -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Writing:
    """A camera as it will be from `version` on, and what is new about it."""

    camera: Camera
    version: int
    facts: Mapping[str, Any]
    divisions: Sequence[str]


_KEEP = Statement(
    Nothing,
    """
    INSERT INTO cameras AS c (
           code, name, place, height_m, bearing_deg, field_deg, near_m, far_m, protocol, state, vendor, model, owning,
           maintaining, ptz, streams, silent_after_s, given_x, given_y, given_frame, divisions, version, changed_at)
    SELECT code, name, ST_SetSRID(ST_MakePoint(lon, lat), 4326), height_m, bearing_deg, field_deg, near_m, far_m,
           protocol, state, vendor, model, owning, maintaining, ptz, streams, silent_after_s, given_x, given_y,
           given_frame, divisions, version, $2::timestamptz
      FROM json_to_recordset($1::text::json) AS r (
           code text, name text, lon float8, lat float8, height_m float8, bearing_deg float8, field_deg float8,
           near_m float8, far_m float8, protocol text, state text, vendor text, model text, owning text,
           maintaining text, ptz boolean, streams text[], silent_after_s integer, given_x float8, given_y float8,
           given_frame text, divisions text[], version integer)
     ORDER BY code
        ON CONFLICT (code) DO UPDATE
       SET name = excluded.name, place = excluded.place, height_m = excluded.height_m,
           bearing_deg = excluded.bearing_deg, field_deg = excluded.field_deg, near_m = excluded.near_m,
           far_m = excluded.far_m, protocol = excluded.protocol, state = excluded.state, vendor = excluded.vendor,
           model = excluded.model, owning = excluded.owning, maintaining = excluded.maintaining, ptz = excluded.ptz,
           streams = excluded.streams, silent_after_s = excluded.silent_after_s, given_x = excluded.given_x,
           given_y = excluded.given_y, given_frame = excluded.given_frame, divisions = excluded.divisions,
           grid_set_id = NULL, version = excluded.version, changed_at = excluded.changed_at
    """,
)

_FORGET = tuple(
    Statement(Nothing, f"DELETE FROM {table} WHERE camera = ANY ($1::text[])")  # noqa: S608 - the three names here
    for table in ("camera_names", "camera_presets", "camera_zones")
)

_KEEP_NAMES = Statement(
    Nothing,
    """
    INSERT INTO camera_names (camera, scheme, value)
    SELECT camera, scheme, value
      FROM json_to_recordset($1::text::json) AS r (camera text, scheme text, value text)
    """,
)

_KEEP_PRESETS = Statement(
    Nothing,
    """
    INSERT INTO camera_presets (camera, name, bearing_deg, field_deg, near_m, far_m)
    SELECT camera, name, bearing_deg, field_deg, near_m, far_m
      FROM json_to_recordset($1::text::json) AS r (
           camera text, name text, bearing_deg float8, field_deg float8, near_m float8, far_m float8)
    """,
)

_KEEP_ZONES = Statement(
    Nothing,
    """
    INSERT INTO camera_zones (camera, name, ground)
    SELECT camera, name, ground
      FROM unnest($1::text[], $2::text[], $3::geometry[]) AS z (camera, name, ground)
    """,
)

_KEEP_CHANGES = Statement(
    Nothing,
    """
    INSERT INTO camera_changes (camera, version, at, actor, source, facts)
    SELECT camera, version, $2::timestamptz, $3::text, $4::text, facts
      FROM json_to_recordset($1::text::json) AS r (camera text, version integer, facts jsonb)
    """,
)


async def keep(conn: Conn, writing: Sequence[Writing], actor: str, source: str, now: datetime) -> None:
    """Write these cameras with all that hangs on them, and a row of history for each. As the service.

    Which cells they see is found afterwards: gridsvc/actions/see_cells.py.
    """
    if not writing:
        return
    await _KEEP.run(conn, rows_text([_fields(each) for each in writing]), now)
    for forget in _FORGET:
        await forget.run(conn, [each.camera.code for each in writing])
    names = [
        {"camera": each.camera.code, "scheme": scheme, "value": value}
        for each in writing
        for scheme, value in each.camera.names
    ]
    presets = [
        {
            "camera": each.camera.code, "name": name, "bearing_deg": look.bearing_deg, "field_deg": look.field_deg,
            "near_m": look.near_m, "far_m": look.far_m,
        }
        for each in writing
        for name, look in each.camera.presets.items()
    ]  # fmt: skip
    zones = [(each.camera.code, name, ground) for each in writing for name, ground in each.camera.zones.items()]
    await _KEEP_NAMES.run(conn, rows_text(names))
    await _KEEP_PRESETS.run(conn, rows_text(presets))
    await _KEEP_ZONES.run(conn, *([row[at] for row in zones] for at in range(3)))
    changes = [{"camera": each.camera.code, "version": each.version, "facts": each.facts} for each in writing]
    await _KEEP_CHANGES.run(conn, rows_text(changes), now, actor, source)


def _fields(each: Writing) -> dict[str, object]:
    camera, look = each.camera, each.camera.look
    return {
        "code": camera.code, "name": camera.name, "lon": camera.place.lon, "lat": camera.place.lat,
        "height_m": camera.height_m, "bearing_deg": look.bearing_deg, "field_deg": look.field_deg,
        "near_m": look.near_m, "far_m": look.far_m, "protocol": camera.protocol, "state": camera.state,
        "vendor": camera.vendor, "model": camera.model, "owning": camera.owning, "maintaining": camera.maintaining,
        "ptz": camera.ptz, "streams": camera.streams, "silent_after_s": camera.silent_after_s,
        "given_x": camera.given[0], "given_y": camera.given[1], "given_frame": camera.frame,
        "divisions": each.divisions, "version": each.version,
    }  # fmt: skip


@dataclass(frozen=True)
class Change:
    """What one writing changed about a camera."""

    version: int
    at: datetime
    actor: str
    source: str
    facts: dict[str, Any]


CHANGES = Statement(
    Change,
    """
    SELECT version, at, actor, source, facts
      FROM camera_changes
     WHERE camera = $1::text
     ORDER BY version
    """,
)


# -- which cells they see ------------------------------------------------------------------------


# Those that were written, or that were placed by another grid set than the one in force.
TO_SEE = Statement(
    CameraRow,
    f"""
{_COLUMNS}     WHERE c.grid_set_id IS DISTINCT FROM $1::integer
     ORDER BY c.code
     LIMIT $2::integer
       FOR UPDATE OF c SKIP LOCKED
    """,
)


@dataclass(frozen=True)
class CellNear:
    """A cell of a grid set and its outline."""

    code: str
    outline: shapely.Geometry


CELLS_NEAR = Statement(
    CellNear,
    """
    SELECT c.code, c.outline
      FROM cells c
     WHERE c.grid_set_id = $1::integer
       AND EXISTS (SELECT FROM unnest($2::geometry[]) AS box WHERE c.outline && box)
     ORDER BY c.code
    """,
)

_FORGET_CELLS = Statement(Nothing, "DELETE FROM camera_cells WHERE camera = ANY ($1::text[])")

_KEEP_CELLS = Statement(
    Nothing,
    """
    INSERT INTO camera_cells (camera, kind, name, cell_code, grid_set_id, share, spot)
    SELECT camera, kind, name, cell, $2::integer, share, ST_SetSRID(ST_MakePoint(lon, lat), 4326)
      FROM json_to_recordset($1::text::json) AS r (
           camera text, kind text, name text, cell text, share float8, lon float8, lat float8)
    """,
)

_PLACED = Statement(
    Nothing,
    """
    UPDATE cameras c
       SET grid_set_id = $2::integer, divisions = coalesce(r.divisions, c.divisions)
      FROM json_to_recordset($1::text::json) AS r (camera text, divisions text[])
     WHERE c.code = r.camera
    """,
)


async def keep_cells(
    conn: Conn,
    grid_set_id: int,
    seen: Mapping[str, Sequence[SeenCell]],
    divisions: Mapping[str, Sequence[str] | None],
) -> None:
    """Replace what these cameras see, by a grid set.

    `divisions` None: nothing of the set answers for the place any more, and the divisions that it had stay.
    """
    await _FORGET_CELLS.run(conn, list(seen))
    rows = [
        {
            "camera": code, "kind": each.kind, "name": each.name, "cell": each.cell, "share": each.share,
            "lon": each.spot.lon, "lat": each.spot.lat,
        }
        for code, cells in seen.items()
        for each in cells
    ]  # fmt: skip
    await _KEEP_CELLS.run(conn, rows_text(rows), grid_set_id)
    placed = [{"camera": code, "divisions": path} for code, path in divisions.items()]
    await _PLACED.run(conn, rows_text(placed), grid_set_id)


@dataclass(frozen=True)
class Seen:
    """One cell that a camera sees; `name` is that of the preset or zone."""

    camera: str
    kind: str
    name: str
    cell: str
    share: float
    lon: float
    lat: float

    def cell_seen(self) -> SeenCell:
        """The same for gridsvc.domain.camera.cell_of_event."""
        return SeenCell(
            kind=self.kind, name=self.name, cell=self.cell, share=self.share, spot=Place(self.lon, self.lat)
        )


SEEN = Statement(
    Seen,
    """
    SELECT s.camera, s.kind, s.name, s.cell_code AS cell, s.share, ST_X(s.spot) AS lon, ST_Y(s.spot) AS lat
      FROM camera_cells s
     WHERE s.camera = ANY ($1::text[])
     ORDER BY s.camera, s.kind, s.name, s.share DESC, s.cell_code
    """,
)


@dataclass(frozen=True)
class Watching:
    """A camera that sees a cell, how, and how much of what it sees lies there."""

    camera: str
    camera_name: str
    state: str
    health: str
    kind: str
    name: str
    share: float


WATCHING = Statement(
    Watching,
    """
    SELECT s.camera, c.name AS camera_name, c.state, camera_stands(h.heard_at, h.offline_since) AS health, s.kind,
           s.name, s.share
      FROM camera_cells s
           JOIN cameras c ON c.code = s.camera
           LEFT JOIN camera_health h ON h.camera = c.code
     WHERE s.cell_code = $1::text
     ORDER BY s.share DESC, s.camera, s.kind, s.name
    """,
)


# -- whether they are there ----------------------------------------------------------------------

# $1 codes, $2 when each said something: the newest counts, in any order. Codes of no camera are passed over.
HEARD = Statement(
    Nothing,
    """
    INSERT INTO camera_health AS h (camera, heard_at)
    SELECT r.code, max(r.at)
      FROM unnest($1::text[], $2::timestamptz[]) AS r (code, at)
           JOIN cameras c ON c.code = r.code
     GROUP BY r.code
     ORDER BY r.code
        ON CONFLICT (camera) DO UPDATE
       SET heard_at = excluded.heard_at
     WHERE excluded.heard_at > h.heard_at
    """,
)


@dataclass(frozen=True)
class Turned:
    """A camera that has just been found silent for too long, or to be there again."""

    camera: str
    divisions: list[str]
    protocol: str
    maintaining: str | None
    heard_at: datetime
    offline_since: datetime


# Only active cameras are missed; how long one may be silent it says itself, or its protocol does.
FALL_SILENT = Statement(
    Turned,
    """
    UPDATE camera_health h
       SET offline_since = $1::timestamptz
      FROM (SELECT w.camera, c.divisions, c.protocol, c.maintaining
              FROM camera_health w
                   JOIN cameras c ON c.code = w.camera AND c.state = 'active'
                   JOIN camera_protocols p ON p.code = c.protocol
             WHERE w.offline_since IS NULL
               AND w.heard_at < $1::timestamptz - make_interval(secs => coalesce(c.silent_after_s, p.silent_after_s))
             ORDER BY w.camera
             LIMIT $2::integer
               FOR UPDATE OF w SKIP LOCKED) f
     WHERE h.camera = f.camera
    RETURNING h.camera, f.divisions, f.protocol, f.maintaining, h.heard_at, h.offline_since
    """,
)

SPEAK_AGAIN = Statement(
    Turned,
    """
    UPDATE camera_health h
       SET offline_since = NULL
      FROM (SELECT w.camera, w.offline_since AS since, c.divisions, c.protocol, c.maintaining
              FROM camera_health w
                   JOIN cameras c ON c.code = w.camera
             WHERE w.offline_since IS NOT NULL
               AND w.heard_at >= w.offline_since
             ORDER BY w.camera
             LIMIT $1::integer
               FOR UPDATE OF w SKIP LOCKED) f
     WHERE h.camera = f.camera
    RETURNING h.camera, f.divisions, f.protocol, f.maintaining, h.heard_at, f.since AS offline_since
    """,
)


@dataclass(frozen=True)
class Standing:
    """How many active cameras are how."""

    health: str
    cameras: int


STANDING = Statement(
    Standing,
    """
    SELECT camera_stands(h.heard_at, h.offline_since) AS health, count(*)::integer AS cameras
      FROM cameras c
           LEFT JOIN camera_health h ON h.camera = c.code
     WHERE c.state = 'active'
     GROUP BY 1
     ORDER BY 1
    """,
)
