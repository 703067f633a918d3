"""A city of nine cells, three officers and a desk: enough for every story, made in milliseconds.

Cells are 0.001° squares, three by three, from (103.800, 36.060) east and north; 620102001001001 is the
south-western one. The starter rules are in force; officers walk the one beat of each duty line.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from geo.place import Place
from gridsvc.db import Conn
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.report import Claim, Report
from gridsvc.ids import new_id
from gridsvc.local.starter import load_starter
from gridsvc.store import attachment_files

WEST, SOUTH, STEP = 103.8, 36.06, 0.001
CITY, DISTRICT, STREET, COMMUNITY = "620100", "620102", "620102001", "620102001001"
BEAT = "B1"
INSIDE = Place(WEST + STEP / 2, SOUTH + STEP / 2)
"""The middle of the south-western cell."""

_GRID = """
WITH a_set AS (
  INSERT INTO grid_sets (name, state, cell_scheme, valid_from, published_at)
  VALUES ('small', 'published', '6+3+3+3', '2020-01-01', '2020-01-01') RETURNING id
), tree AS (
  INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2, outline)
  SELECT id, v.code, v.name, v.level, v.parent, v.path, 1e5,
         ST_Multi(ST_MakeEnvelope(103.8, 36.06, 103.803, 36.063, 4326))
    FROM a_set, (VALUES
      ('620100', '兰州市', 'city', NULL, '{620100}'::text[]),
      ('620102', '城关区', 'district', '620100', '{620100,620102}'),
      ('620102001', '张掖路街道', 'street', '620102', '{620100,620102,620102001}'),
      ('620102001001', '大众巷社区', 'community', '620102001', '{620100,620102,620102001,620102001001}')
    ) AS v (code, name, level, parent, path)
), ground AS (
  INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)
  SELECT id, '620102001001' || lpad((row * 3 + col + 1)::text, 3, '0'), '620102001001', 10000,
         ST_Multi(ST_MakeEnvelope(103.8 + col * 0.001, 36.06 + row * 0.001,
                                  103.8 + (col + 1) * 0.001, 36.06 + (row + 1) * 0.001, 4326))
    FROM a_set, generate_series(0, 2) AS row, generate_series(0, 2) AS col
  RETURNING grid_set_id, code
), walked AS (
  INSERT INTO beats (grid_set_id, duty_line, code, division_code)
  SELECT id, line.code, 'B1', '620102001' FROM a_set, duty_lines AS line
)
SELECT id FROM a_set
"""

_BEAT_CELLS = """
INSERT INTO beat_cells (grid_set_id, duty_line, cell_code, beat_code)
SELECT c.grid_set_id, b.duty_line, c.code, b.code FROM cells c JOIN beats b USING (grid_set_id)
"""


@dataclass(frozen=True)
class SmallCity:
    """Who is there. Officers belong to the duty line `social`, where officers handle; all are on duty."""

    officers: tuple[Caller, Caller, Caller]
    dispatcher: Caller
    acceptor: Caller
    supervisor: Caller
    handler: Caller  # of the department `water`, duty line `city`


async def found_small_city(conn: Conn) -> SmallCity:
    """Lay out the grid, load the starter rules and let people come on duty."""
    await load_starter(conn)
    await conn.fetchval(_GRID)
    await conn.execute(_BEAT_CELLS)
    one, two, three = [await officer(conn, f"officer{n}") for n in range(3)]
    return SmallCity(
        officers=(one, two, three),
        dispatcher=await person(conn, "dispatcher", Grant(role=Role.DISPATCHER, division=DISTRICT)),
        acceptor=await person(conn, "acceptor", Grant(role=Role.ACCEPTOR, division=DISTRICT)),
        supervisor=await person(conn, "supervisor", Grant(role=Role.SUPERVISOR, division=DISTRICT)),
        handler=await person(conn, "handler", Grant(role=Role.HANDLER, division=CITY, department="water")),
    )


async def person(conn: Conn, name: str, *grants: Grant) -> Caller:
    """A new user with these grants."""
    user_id = new_id()
    await conn.execute("INSERT INTO users (id, username, display_name) VALUES ($1, $2, $2)", user_id, name)
    for grant in grants:
        await conn.execute(
            "INSERT INTO grants VALUES ($1, $2, $3, $4, $5)",
            user_id, grant.role, grant.division, grant.department, grant.duty_line,
        )  # fmt: skip
    return Caller(id=f"user:{user_id}", user_id=user_id, grants=grants)


async def officer(conn: Conn, name: str, *, line: str = "social", on_duty: bool = True) -> Caller:
    """A new officer of the one beat of `line`."""
    caller = await person(conn, name, Grant(role=Role.OFFICER, division=STREET, duty_line=line))
    await conn.execute(
        "INSERT INTO officers (user_id, duty_line, on_duty) VALUES ($1, $2, $3)", caller.user_id, line, on_duty
    )
    await conn.execute("INSERT INTO officer_beats VALUES ($1, $2, $3)", caller.user_id, line, BEAT)
    return caller


async def category(conn: Conn, *, handled_by: str, files_itself: bool = True, one_limit: bool = False) -> str:
    """The lowest code of the starter rules that fits: officers of `social`, or a department, `water` if it can be.

    `one_limit`: one whose own limit is the only one, so that a test may set it.
    """
    code = await conn.fetchval(
        "SELECT code FROM categories WHERE handled_by = $1 AND files_itself = $2"
        " AND ($1 = 'department' OR duty_line = 'social')"
        " AND NOT ($3 AND EXISTS (SELECT FROM category_limits l"
        "                          WHERE l.edition = categories.edition AND l.category = categories.code))"
        " ORDER BY department IS DISTINCT FROM 'water', code LIMIT 1",
        handled_by, files_itself, one_limit,
    )  # fmt: skip
    assert code is not None, f"the starter rules have no category handled by {handled_by}, files_itself {files_itself}"
    return str(code)


def report(by: Caller, code: str, place: Place | None = INSIDE, *, evidence: tuple[UUID, ...] = ()) -> Report:
    """What somebody says about a place."""
    return Report(
        id=new_id(),
        case_id=new_id(),
        source="officer",
        reported_by=by.id,
        category=code,
        description="井盖缺失",
        address="" if place else "张掖路 12 号门前",
        place=place,
        claim=Claim(place.lon, place.lat, "wgs84") if place else None,
        occurred_at=None,
        evidence=evidence,
        desk=None if place else DISTRICT,
    )


async def photographed(conn: Conn, by: str) -> UUID:
    """A photograph that `by` has uploaded and that is no case's yet."""
    attachment = new_id()
    digest = hashlib.sha256(attachment.bytes).digest()
    await conn.execute(
        "INSERT INTO attachments (id, sha256, original, media_type, size_bytes, uploaded_by, uploaded_at)"
        " VALUES ($1, $2, $2, 'image/jpeg', 1, $3, city_now())",
        attachment, digest, by,
    )  # fmt: skip
    await attachment_files.add(conn, [(digest, "picture", 1)], await conn.fetchval("SELECT city_now()"))
    return attachment
