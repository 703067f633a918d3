"""A grid of a few divisions, beats and officers, laid straight into a database."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.ids import new_id

GRID = """
INSERT INTO duty_lines VALUES ('city', '城市管理', 'City management', 'city_management'),
                              ('social', '综合治理', 'Social governance', 'social_governance');
INSERT INTO departments VALUES ('water', '供水', 'Water', 'city');
INSERT INTO grid_sets (name, state, cell_scheme, valid_from, published_at)
VALUES ('test', 'published', '6+3+3+3', '2020-01-01', '2020-01-01');
INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2)
SELECT id, v.code, v.code, v.level, v.parent, v.path, 1e6
  FROM grid_sets, (VALUES
    ('6201', 'city', NULL, '{6201}'::text[]),
    ('620102', 'district', '6201', '{6201,620102}'),
    ('620102001', 'street', '620102', '{6201,620102,620102001}')
  ) AS v (code, level, parent, path);
INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)
SELECT id, '620102001001001', '620102001', 10000, ST_Multi(ST_MakeEnvelope(103.80, 36.05, 103.81, 36.06, 4326))
  FROM grid_sets;
INSERT INTO beats (grid_set_id, duty_line, code, division_code)
SELECT id, 'city', code, '620102001' FROM grid_sets, (VALUES ('B001'), ('B002')) AS v (code);
INSERT INTO calendars (code, name, slots) VALUES ('city', 'city', '{}');
INSERT INTO category_editions VALUES ('2013', 'GB/T 30428.2-2013', true);
INSERT INTO categories (edition, code, kind, name, duty_line, limit_amount, limit_unit, calendar)
VALUES ('2013', '0101', 'event', '井盖', 'city', 4, 'urgent_hour', 'city');
"""


async def lay_out(conn: Conn) -> int:
    """Make the grid; return the id of its set."""
    await conn.execute(GRID)
    return int(await conn.fetchval("SELECT id FROM grid_sets"))


async def officer(conn: Conn, name: str, *, on_duty: bool = True, most_open: int = 5, beat: str = "B001") -> UUID:
    """An officer of a beat."""
    user_id = new_id()
    await conn.execute("INSERT INTO users (id, username, display_name) VALUES ($1, $2, $2)", user_id, name)
    await conn.execute(
        "INSERT INTO officers (user_id, duty_line, on_duty, most_open) VALUES ($1, 'city', $2, $3)",
        user_id, on_duty, most_open,
    )  # fmt: skip
    await conn.execute("INSERT INTO officer_beats VALUES ($1, 'city', $2)", user_id, beat)
    return user_id


async def case(conn: Conn, now: datetime, *, officer_id: UUID | None = None, seen_by: str = "6201") -> UUID:
    """A filed case in the grid; with an officer, one that he has accepted."""
    case_id = new_id()
    assignment = None if officer_id is None else new_id()
    await conn.execute(
        """
        INSERT INTO cases (id, number, version, state, source, edition, category, duty_line, severity, description,
                           place, grid_set_id, division_code, divisions, cell_code, cell_method, beat_code, pool,
                           assignment_id, officer_id, reported_by, occurred_at, reported_at, updated_at, seen_by, head)
        SELECT $1::uuid, $1::uuid::text, 1, $2, 'test', '2013', '0101', 'city', 'normal', 'test',
               ST_SetSRID(ST_MakePoint(103.805, 36.055), 4326), id, '620102001', '{6201,620102,620102001}',
               '620102001001001', 'covers', 'B001', $3, $4::uuid, $5::uuid, 'user:nobody', $6, $6, $6, ARRAY[$7], $8
          FROM grid_sets
        """,
        case_id, "filed" if officer_id is None else "accepted", "dispatch" if officer_id is None else None,
        assignment, officer_id, now, seen_by, bytes(32),
    )  # fmt: skip
    return case_id
