"""The second wall: whatever a query forgets to ask, the database shows a caller no more than his scope."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from gridsvc.db import SERVICE, Conn, ConnPool, act_for, open_pool, transaction
from gridsvc.domain.access import Caller, Role, Whereabouts, case_keys, scope_keys
from gridsvc.ids import new_id
from gridsvc.store import case_counts
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, a

PLACES = {NORTH: 103.805, SOUTH: 103.815}

WITH_CASE = {
    "assignments": """
        INSERT INTO assignments (id, case_id, cycle, department, rule, edition, reasons, assigned_by, assigned_at,
                                 ended_at, ended_why)
        VALUES ($2, $1, 1, 'water', 'by_hand', 1, '{}', 'test', now(), now(), 'test')""",
    "case_marks": """
        INSERT INTO case_marks (case_id, version, cycle, mark, at)
        SELECT $1, 1, 1, 'extended', now() WHERE $2::uuid IS NOT NULL""",
    "clock_pauses": """
        INSERT INTO clock_pauses (clock_id, from_at, reason)
        SELECT id, now(), $2::uuid::text FROM clocks WHERE case_id = $1""",
    "clock_changes": """
        INSERT INTO clock_changes (clock_id, edition, before_edition, changed_at, due_at, before_due_at, provisional,
                                   before_provisional)
        SELECT id, 2, 1, now(), now(), now(), $2::uuid IS NULL, false FROM clocks WHERE case_id = $1""",
    "clock_outages": """
        WITH outage AS (
          INSERT INTO outages (id, version, state, reason, words, kinds, also_emergencies, from_at, declared_by,
                               declared_at)
          VALUES ($2, 1, 'declared', 'flood', '', '{}', false, now(), 'test', now()) RETURNING id
        )
        INSERT INTO clock_outages (clock_id, outage_id, from_at, to_at)
        SELECT k.id, o.id, now(), now() FROM clocks k, outage o WHERE case_id = $1""",
    "outage_changes": """
        WITH outage AS (
          INSERT INTO outages (id, version, state, reason, words, kinds, also_emergencies, from_at, declared_by,
                               declared_at)
          VALUES ($2, 1, 'declared', 'flood', '', '{}', false, now(), 'test', now()) RETURNING id
        )
        INSERT INTO outage_changes (clock_id, outage_id, changed_at, what, due_at, before_due_at)
        SELECT k.id, o.id, now(), 'moved', now(), now() FROM clocks k, outage o WHERE case_id = $1""",
    "escalations": """
        INSERT INTO escalations (case_id, clock_id, cycle, level, effect, scheduled_at, fired_at)
        SELECT $1, id, 1, 1, $2::uuid::text, now(), now() FROM clocks WHERE case_id = $1""",
    "checks": """
        WITH person AS (
          INSERT INTO users (id, username, display_name) VALUES ($2, ($2::uuid)::text, 'x') RETURNING id
        ), officer AS (
          INSERT INTO officers (user_id, duty_line) SELECT id, 'sanitation' FROM person RETURNING user_id
        )
        INSERT INTO checks (id, case_id, cycle, kind, officer_id, rule, reasons, note, sent_by, sent_at, due_at)
        SELECT user_id, $1, 1, 'pre_filing_check', user_id, 'by_hand', '{}', '', 'test', now(), now() FROM officer""",
    "supervision_orders": """
        INSERT INTO supervision_orders (id, case_id, cycle, kind, level, reason, wanted, ordered_by, ordered_at, due_at)
        VALUES ($2, $1, 1, 'leader', 'urgent', 'x', '', 'test', now(), now())""",
    "co_handlings": """
        INSERT INTO co_handlings (id, case_id, cycle, department, wanted, asked_by, asked_at)
        VALUES ($2, $1, 1, 'lamps', 'x', 'test', now())""",
    "calls": """
        INSERT INTO calls (id, case_id, cycle, wanted, round, started_at, next_round_at, ended_at, ended_why)
        VALUES ($2, $1, 1, 'owner', 1, now(), now(), now(), 'cancel')""",
    "call_widenings": """
        INSERT INTO call_widenings (call_id, case_id, round, scheduled_at, fired_at, officers)
        SELECT id, case_id, 1, now(), now(), 0 FROM calls WHERE case_id = $1 AND $2::uuid IS NOT NULL""",
    "called": """
        WITH person AS (
          INSERT INTO users (id, username, display_name) VALUES ($2, ($2::uuid)::text, 'x') RETURNING id
        ), officer AS (
          INSERT INTO officers (user_id, duty_line) SELECT id, 'sanitation' FROM person RETURNING user_id
        )
        INSERT INTO called (call_id, case_id, officer_id, round, because, called_at, rung_at)
        SELECT k.id, k.case_id, o.user_id, 1, 'near', now(), now() FROM calls k, officer o WHERE k.case_id = $1""",
    "call_backs": """
        INSERT INTO call_backs (id, case_id, cycle, report_id, clock_id, level, division_code, asked_by, opened_at)
        SELECT $2, $1, 1, (SELECT id FROM reports WHERE case_id = $1), id, 'district', '620102', '{}', now()
          FROM clocks WHERE case_id = $1""",
    "bulk_items": """
        WITH bulk AS (
          INSERT INTO bulk_moves (id, move, made_by, made_at) VALUES ($2, 'remind', 'test', now()) RETURNING id
        )
        INSERT INTO bulk_items (bulk_id, case_id, version, state) SELECT id, $1, 2, 'assigned' FROM bulk""",
    "camera_events": """
        INSERT INTO camera_events (id, camera, protocol, key, kind, phase, at, received_at, count, taken_back, digest,
                                   raw, sent_by, outcome, case_id)
        VALUES ($2, 'c', 'x', 'k', 'x', 'pulse', now(), now(), 1, false, $2, '', 'test', 'opened', $1)""",
    "camera_incidents": """
        INSERT INTO camera_incidents (id, group_key, camera, edition, category, cell_code, lon, lat, first_at, last_at,
                                      heard_at, case_id)
        VALUES ($2, ($2::uuid)::text, 'c', '2013', '0101', '1', 0, 0, now(), now(), now(), $1)""",
    "alarms": """
        INSERT INTO alarms (id, kind, case_id, severity, says, says_en, raised_at)
        VALUES ($2, 'escalation', $1, 'normal', 'x', 'x', now())""",
    "camera_pictures": """
        INSERT INTO camera_pictures (id, camera, event_id, event_at, number, came_as, bytes, received_at, state, reason,
                                     sweep_at, settled_at, case_id)
        VALUES ($2, 'c', $2, now(), 0, 'sent', 0, now(), 'refused', 'x', now(), now(), $1)""",
    "visits": """
        WITH planned AS (
          INSERT INTO visit_plans (id, edition, category, subject, place, divisions, seen_by, every_count, every_unit,
                                   first_on, working_days, entered_by, entered_at)
          SELECT $2, edition, category, 'X-' || left(division_code, 6), place, divisions, seen_by, 1, 'month',
                 '2026-01-01', true, 'test', now() FROM cases WHERE id = $1 RETURNING id
        )
        INSERT INTO visits (id, plan_id, case_id, subject, due_on, opened_at)
        SELECT id, id, $1, 'X', '2026-01-01', now() FROM planned""",
    "visit_openings": """
        INSERT INTO visit_openings (id, visit_id, opened_by, reason, opened_at)
        SELECT $2, v.id, u.id, 'test', now() FROM visits v, users u WHERE v.case_id = $1 LIMIT 1""",
    "attachments": """
        INSERT INTO attachments (id, sha256, original, media_type, size_bytes, uploaded_by, uploaded_at, case_id,
                                 purpose)
        VALUES ($2, sha256('a'), sha256('a'), 'image/jpeg', 1, 'test', now(), $1, 'note')""",
    "attachment_removals": """
        INSERT INTO attachment_removals
        VALUES ($2, $2, $1, 'picture', 'case_over', sha256('a'), now(), now())""",
    "attachment_twins": """
        WITH earlier AS (
          INSERT INTO attachments (id, sha256, original, media_type, size_bytes, uploaded_by, uploaded_at, case_id,
                                   purpose)
          VALUES ($2, sha256('a'), sha256('a'), 'image/jpeg', 1, 'test', now(), $1, 'note') RETURNING id
        )
        INSERT INTO attachment_twins
        SELECT a.id, e.id, 0, true, now() FROM attachments a, earlier e WHERE a.case_id = $1""",
    "original_openings": """
        WITH person AS (
          INSERT INTO users (id, username, display_name) VALUES ($2, ($2::uuid)::text, 'x') RETURNING id
        )
        INSERT INTO original_openings
        SELECT gen_random_uuid(), a.id, p.id, 'x', now() FROM attachments a, person p WHERE a.case_id = $1""",
}
"""Rows that hang on a case and that reporting does not write by itself."""

CASE_OF = {
    "cases": "id",
    "reports": "case_id",
    "reporters": "(SELECT case_id FROM reports r WHERE r.id = report_id)",
    "history": "case_id",
    "assignments": "case_id",
    "case_marks": "case_id",
    "checks": "case_id",
    "supervision_orders": "case_id",
    "co_handlings": "case_id",
    "calls": "case_id",
    "call_widenings": "case_id",
    "called": "case_id",
    "call_backs": "case_id",
    "bulk_items": "case_id",
    "bulk_moves": "(SELECT case_id FROM bulk_items i WHERE i.bulk_id = bulk_moves.id)",
    "clocks": "case_id",
    "clock_pauses": "(SELECT case_id FROM clocks c WHERE c.id = clock_id)",
    "clock_changes": "(SELECT case_id FROM clocks c WHERE c.id = clock_id)",
    "clock_outages": "(SELECT case_id FROM clocks c WHERE c.id = clock_id)",
    "outage_changes": "(SELECT case_id FROM clocks c WHERE c.id = clock_id)",
    "escalations": "case_id",
    "attachments": "case_id",
    "attachment_removals": "case_id",
    "attachment_twins": "(SELECT case_id FROM attachments a WHERE a.id = attachment_id)",
    "original_openings": "(SELECT case_id FROM attachments a WHERE a.id = attachment_id)",
    "camera_events": "case_id",
    "camera_incidents": "case_id",
    "alarms": "case_id",
    "camera_pictures": "case_id",
    "visits": "case_id",
    "visit_plans": "(SELECT case_id FROM visits v WHERE v.plan_id = visit_plans.id)",
    "visit_openings": "(SELECT case_id FROM visits v WHERE v.id = visit_id)",
}
"""How each table says which case its row belongs to. A table of this list must be seen with its case."""


CAMERA_OF = {
    "cameras": "code", "camera_changes": "camera", "camera_names": "camera", "camera_presets": "camera",
    "camera_zones": "camera", "camera_cells": "camera", "camera_health": "camera", "unmapped_labels": "camera",
    "viid_account_cameras": "camera", "viid_accounts": "left(device, 6)", "viid_apes": "code",
    "camera_labels": "camera", "camera_mutes": "camera",
    "camera_looks": "camera",
}  # fmt: skip
"""How each table says which camera its row belongs to."""

DEVICES = """
    INSERT INTO mqtt_sites (name, password_hash, created_at, created_by) VALUES ('market', 'x', now(), 'test');
    INSERT INTO sip_devices (code, secret, created_at, created_by) VALUES (repeat('1', 20), 'x', now(), 'test');
"""

CAMERAS = """
    INSERT INTO cameras (code, name, place, height_m, bearing_deg, field_deg, far_m, protocol, given_x, given_y,
                         given_frame, divisions, changed_at)
    SELECT d, d, ST_SetSRID(ST_MakePoint(103.8, 36), 4326), 6, 0, 60, 50, 'onvif', 103.8, 36, 'wgs84',
           ARRAY['6201', d], now()
      FROM unnest(ARRAY['620102', '620103']) AS d;
    INSERT INTO camera_changes SELECT code, 1, now(), 'test', '', '{}' FROM cameras;
    INSERT INTO camera_names SELECT code, 'serial', 'x' FROM cameras;
    INSERT INTO camera_presets SELECT code, 'x', 0, 60, 0, 50 FROM cameras;
    INSERT INTO camera_zones SELECT code, 'x', place FROM cameras;
    INSERT INTO camera_cells SELECT c.code, 'view', '', x.code, x.grid_set_id, 1, c.place
      FROM cameras c JOIN cells x ON x.code LIKE c.code || '%';
    INSERT INTO camera_health SELECT code, now() FROM cameras;
    INSERT INTO camera_looks
    SELECT gen_random_uuid(), code, 'snapshot', 'test', 'x', 'x', now(), now() FROM cameras;
    INSERT INTO unmapped_labels SELECT code, 'x', '', '', 1, now(), now() FROM cameras;
    INSERT INTO viid_accounts (id, device, username, secret, created_at, created_by)
    SELECT gen_random_uuid(), code || '00001190000001', code, '', now(), 'test' FROM cameras;
    INSERT INTO viid_account_cameras
    SELECT v.id, c.code FROM viid_accounts v JOIN cameras c ON c.code = v.username;
    INSERT INTO viid_apes SELECT id, username, '{}', now(), now() FROM viid_accounts;
    INSERT INTO camera_labels (camera, kind, edition, mode, written_at, written_by)
    SELECT c.code, 'x', e.code, 'off', now(), 'test' FROM cameras c, category_editions e WHERE e.is_default;
    INSERT INTO camera_mutes SELECT gen_random_uuid(), code, 'x', 0, 20, now() FROM cameras;
"""

OF_THE_SERVICE = {
    "camera_counts": "INSERT INTO camera_counts VALUES ('c', now(), 'received', '', 1)",
    "camera_meters": "INSERT INTO camera_meters VALUES ('c', 1, now(), 0, now())",
    "camera_sightings": """
        INSERT INTO camera_sightings (camera, key, kind, zone, target, first_at, last_at, heard_at, ended, taken_back,
                                      messages)
        VALUES ('c', 'k', 'x', '', '', now(), now(), now(), false, false, 1)""",
    "camera_quarantine": """
        INSERT INTO camera_quarantine (id, received_at, protocol, peer, content_type, headers, body, bytes, code, says)
        VALUES (gen_random_uuid(), now(), 'x', '', '', '{}', '', 0, 'x', 'x')""",
    "camera_tokens": """
        INSERT INTO camera_tokens (id, secret_hash, label, protocol, created_at, created_by)
        VALUES ('00000000-0000-7000-8000-000000000001', sha256('a'), 'x', 'onvif', now(), 'test')""",
    "camera_token_cameras": """
        INSERT INTO camera_token_cameras
        SELECT '00000000-0000-7000-8000-000000000001', code FROM cameras WHERE code = '620102'""",
    "attachment_looks": """
        WITH one AS (
          INSERT INTO attachments (id, sha256, original, media_type, size_bytes, uploaded_by, uploaded_at)
          VALUES (gen_random_uuid(), sha256('a'), sha256('a'), 'image/jpeg', 1, 'test', now()) RETURNING id
        )
        INSERT INTO attachment_looks SELECT id, sha256('a'), '{1}' FROM one""",
    "hand_overs": """
        WITH person AS (
          INSERT INTO users (id, username, display_name) VALUES (gen_random_uuid(), 'gone', 'x') RETURNING id
        ), officer AS (
          INSERT INTO officers (user_id, duty_line) SELECT id, 'sanitation' FROM person RETURNING user_id
        )
        INSERT INTO hand_overs SELECT gen_random_uuid(), user_id, 'absence', now(), now(), 0, '{}' FROM officer""",
}
"""Books and secrets that no caller reads, whatever his scope: a row of each."""


COUNTS = ("case_audiences", "cell_counts", "division_counts", "case_count_changes")
"""What counts cases says which ones by the keys that open them."""


READ_BY_NOBODY = ("camera_picture_bytes", "camera_hosts", "camera_gateways")
"""Tables that no caller reads, whatever his scope."""


@dataclass(frozen=True)
class Cases:
    north: UUID
    south: UUID


@pytest.fixture
async def cases(api: Api) -> Cases:
    """One case with everything hanging on it in each of two districts."""
    reporter = await api.somebody(a(Role.DISPATCHER, CITY))
    ids = {}
    for division, lon in PLACES.items():
        said = await reporter.post(
            "/api/v1/reports",
            {
                "category": "0101", "description": "x", "reporter": {"name": "n", "phone": "p"},
                "location": {"lon": lon, "lat": 36.055, "datum": "wgs84"}, "occurred_at": "2026-01-01T00:00:00Z",
            },
        )  # fmt: skip
        assert said.status == 201, said.body
        ids[division] = UUID(said.body["case"]["id"])
        async with transaction(api.pool, SERVICE) as (conn, _):
            for statement in WITH_CASE.values():
                assert await conn.execute(statement, ids[division], new_id()) != "INSERT 0 0"
    return Cases(ids[NORTH], ids[SOUTH])


@pytest.fixture
async def bare(database: str) -> AsyncIterator[ConnPool]:
    """A pool as the web process has it: the application role, which sees nothing until a scope is set."""
    async with open_pool(database, size=2, scope="", name="test bare") as pool:
        yield pool


async def seen(conn: Conn, table: str) -> set[UUID]:
    """The cases whose rows a query without any filter of its own finds."""
    return {row[0] for row in await conn.fetch(f"SELECT {CASE_OF[table]} FROM {table}")}  # noqa: S608 - names of ours


async def test_every_table_under_row_level_security_is_looked_at_here(owner_database: str) -> None:
    owner = await asyncpg.connect(owner_database)
    try:
        rows = await owner.fetch("SELECT relname FROM pg_class WHERE relrowsecurity")
        holds_a_case = await owner.fetch(
            "SELECT DISTINCT table_name FROM information_schema.columns WHERE column_name = 'case_id'"
            " AND table_schema = 'public'"
        )
    finally:
        await owner.close()
    protected = {row[0] for row in rows}
    # What hangs on no case has a test of its own; a partition is read through its parent alone.
    elsewhere = {
        "notices", "quiet_hours", "camera_reviews", "camera_events_default", "mqtt_sites", "sip_devices", *COUNTS,
        "channels", "channel_addresses", "reachings", "channel_tries", "push_subscriptions",
        "live_changes", "live_log", "shift_log", "absences", "uploads", *READ_BY_NOBODY, "patrols", "patrol_cells",
    }  # fmt: skip
    assert protected - elsewhere == set(CASE_OF) | set(CAMERA_OF) | set(OF_THE_SERVICE)
    told_otherwise = {"outbox"}  # the workers' own; ids and codes only, and no route reads it
    assert {row[0] for row in holds_a_case} <= protected | told_otherwise, "a table of cases without a wall"


@pytest.mark.parametrize("table", sorted(CASE_OF))
async def test_a_query_without_a_filter_shows_what_is_in_scope(bare: ConnPool, cases: Cases, table: str) -> None:
    dispatcher = Caller(id="user:x", grants=(a(Role.DISPATCHER),))
    async with transaction(bare, scope_keys(dispatcher)) as (conn, _):
        assert await seen(conn, table) == {cases.north}
    async with transaction(bare, SERVICE) as (conn, _):
        assert await seen(conn, table) == {cases.north, cases.south}, "there is something to hide"


async def test_counters_without_a_filter_count_what_is_in_scope(bare: ConnPool, cases: Cases) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT sum(cases) FROM case_count_changes") == 2
        assert await case_counts.fold(conn, 10) == 2
        await conn.execute(
            "INSERT INTO case_count_changes (cell_code, divisions, keys, cases)"
            " SELECT cell_code, divisions, case_area_keys(seen_by, divisions), 1 FROM cases"
        )
    for grants, many in (((), 0), ((a(Role.DISPATCHER),), 1), ((a(Role.DISPATCHER, CITY),), 2)):
        async with transaction(bare, scope_keys(Caller(id="user:x", grants=grants))) as (conn, _):
            for table in COUNTS:
                assert await conn.fetchval(f"SELECT count(*) FROM {table}") == many, (table, grants)  # noqa: S608


async def test_without_a_scope_nothing_is_seen(bare: ConnPool, cases: Cases) -> None:
    async with bare.acquire() as conn:
        for table in CASE_OF:
            assert await seen(conn, table) == set(), table
    async with transaction(bare, []) as (conn, _):
        assert await seen(conn, "cases") == set()


async def test_a_scope_ends_with_its_transaction(bare: ConnPool, cases: Cases) -> None:
    async with bare.acquire() as conn:
        async with conn.transaction():
            await conn.execute("SELECT set_config('gridsvc.scope', $1, true)", NORTH)
            assert await seen(conn, "cases") == {cases.north}
        assert await seen(conn, "cases") == set()


async def test_an_axis_narrows_the_area(bare: ConnPool, cases: Cases) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        opened = case_keys(Whereabouts(divisions=[CITY], duty_line="sanitation", department="water"))
        await conn.execute("UPDATE cases SET department = 'water', seen_by = $1", opened)
    for grant, expected in (
        (a(Role.HANDLER, CITY, department="water"), {cases.north, cases.south}),
        (a(Role.HANDLER, CITY, department="lamps"), set()),
        (a(Role.SUPERVISOR, CITY, line="sanitation"), {cases.north, cases.south}),
        (a(Role.SUPERVISOR, CITY, line="governance"), set()),
    ):
        async with transaction(bare, scope_keys(Caller(id="user:x", grants=(grant,)))) as (conn, _):
            assert await seen(conn, "cases") == expected, grant


async def test_a_department_with_a_part_sees_the_case_and_a_neighbour_does_not(bare: ConnPool, cases: Cases) -> None:
    """While the part is open and afterwards: what counts is who was asked, not who is still at it."""
    async with transaction(bare, SERVICE) as (conn, _):
        where = Whereabouts(divisions=[CITY], duty_line="sanitation", department="water", co_departments=["lamps"])
        opened = case_keys(where)
        await conn.execute("UPDATE cases SET department = 'water', seen_by = $2 WHERE id = $1", cases.north, opened)
    for grant, expected in (
        (a(Role.HANDLER, CITY, department="lamps"), {cases.north}),
        (a(Role.HANDLER, CITY, department="roads"), set()),
        (a(Role.HANDLER, SOUTH, department="lamps"), set()),
    ):
        async with transaction(bare, scope_keys(Caller(id="user:x", grants=(grant,)))) as (conn, _):
            assert await seen(conn, "cases") == expected, grant
            assert await seen(conn, "co_handlings") == expected, grant


async def test_what_is_out_of_scope_cannot_be_changed(bare: ConnPool, cases: Cases) -> None:
    async with transaction(bare, [SOUTH]) as (conn, _):
        assert await conn.execute("UPDATE cases SET description = 'mine'") == "UPDATE 1"
    async with transaction(bare, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT description FROM cases WHERE id = $1", cases.north) == "x"


async def test_cameras_and_what_hangs_on_them_are_seen_from_above_on_any_axis(bare: ConnPool, api: Api) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        await conn.execute(CAMERAS)
    for grant, expected in (
        (a(Role.OFFICER), {NORTH}),
        (a(Role.HANDLER, SOUTH, department="water"), {SOUTH}),
        (a(Role.AUDITOR, CITY), {NORTH, SOUTH}),
        (a(Role.ADMIN, "620104"), set()),
    ):
        async with transaction(bare, scope_keys(Caller(id="user:x", grants=(grant,)))) as (conn, _):
            for table, column in CAMERA_OF.items():
                found = {row[0] for row in await conn.fetch(f"SELECT {column} FROM {table}")}  # noqa: S608 - ours
                assert found == expected, (grant, table)
    async with bare.acquire() as conn:
        assert await conn.fetch("SELECT FROM cameras") == []


async def test_secrets_of_devices_are_the_services_alone(bare: ConnPool, api: Api) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        await conn.execute(DEVICES)
    everywhere = Caller(id="user:x", grants=(a(Role.ADMIN, CITY),))
    async with transaction(bare, scope_keys(everywhere)) as (conn, _):
        for table in ("mqtt_sites", "sip_devices"):
            assert await conn.fetch(f"SELECT FROM {table}") == []
    async with transaction(bare, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM mqtt_sites, sip_devices") == 1


CHANNELS = """
INSERT INTO channels (code, place, url, template) VALUES ('sms', 1, 'http://sms.test/', '{}');
INSERT INTO channel_addresses (user_id, channel, address_sealed, masked, set_at)
SELECT id, 'sms', 'x', '138******78', now() FROM users LIMIT 1;
INSERT INTO channels (code, place, url, template, secret_sealed) VALUES ('push', 2, '', '{}', 'x');
WITH made AS (
  INSERT INTO sessions (id, user_id, kind, refresh_hash, rotated_at, created_at, expires_at)
  SELECT gen_random_uuid(), id, 'browser', 'x', now(), now(), now() FROM users LIMIT 1 RETURNING id, user_id
)
INSERT INTO push_subscriptions (session_id, user_id, endpoint_hash, sealed, made_at)
SELECT id, user_id, 'x', 'x', now() FROM made;
INSERT INTO notices (id, user_id, event_id, kind, body, created_at)
SELECT gen_random_uuid(), id, gen_random_uuid(), 'case.assigned', '{}', now() FROM users LIMIT 1;
INSERT INTO reachings (notice_id, after_s, next_at) SELECT id, 60, now() FROM notices;
INSERT INTO channel_tries (id, notice_id, channel, made_at, next_at)
SELECT gen_random_uuid(), id, 'sms', now(), now() FROM notices;
"""


async def test_addresses_and_gateways_are_the_services_alone_and_ways_of_notices_their_persons(
    bare: ConnPool, api: Api
) -> None:
    mine = await api.user(a(Role.OFFICER))
    async with transaction(bare, SERVICE) as (conn, _):
        await conn.execute(CHANNELS)
        assert await conn.fetchval("SELECT user_id FROM notices") == mine
    for user, seen in ((f"user:{mine}", 1), ("user:x", 0)):
        async with transaction(bare, scope_keys(Caller(id=user, grants=(a(Role.ADMIN, CITY),)))) as (conn, _):
            for table in ("channels", "channel_addresses", "push_subscriptions"):
                assert await conn.fetch(f"SELECT FROM {table}") == []
            for table in ("reachings", "channel_tries"):
                assert len(await conn.fetch(f"SELECT FROM {table}")) == seen


async def test_books_and_secrets_of_the_intake_are_the_services_alone(bare: ConnPool, api: Api) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        await conn.execute(CAMERAS)
        for table, row in OF_THE_SERVICE.items():
            assert await conn.execute(row) == "INSERT 0 1", table
    everything = Caller(id="user:x", grants=(a(Role.ADMIN, CITY),))
    for table, row in OF_THE_SERVICE.items():
        async with transaction(bare, scope_keys(everything)) as (conn, _):
            assert await conn.fetch(f"SELECT FROM {table}") == [], table
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UniqueViolationError)):
                await conn.execute(row)


async def test_an_alarm_of_a_camera_is_seen_with_the_camera(bare: ConnPool, api: Api) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        await conn.execute(CAMERAS)
        await conn.execute(
            "INSERT INTO alarms (id, kind, camera, severity, says, says_en, raised_at)"
            " SELECT gen_random_uuid(), 'camera_storm', code, 'high', 'x', 'x', now() FROM cameras"
        )
    async with transaction(bare, [NORTH]) as (conn, _):
        assert [row[0] for row in await conn.fetch("SELECT camera FROM alarms")] == [NORTH]


async def test_the_log_of_the_live_feed_is_the_services(bare: ConnPool) -> None:
    a_row = "INSERT INTO live_log VALUES ($1, now(), 'case', 'x', '{620102}', '{}', '{}', '{}', '{}')"
    async with transaction(bare, SERVICE) as (conn, _):
        await conn.execute(a_row, -1)
        await conn.execute("INSERT INTO live_changes (kind, ref) VALUES ('case', 'x')")
        await act_for(conn, [NORTH])
        assert await conn.fetch("SELECT FROM live_log") == []
        assert await conn.fetch("SELECT FROM live_changes") == []
        async with conn.transaction():  # a write of a caller notes what it changes
            await conn.execute("INSERT INTO live_changes (kind, ref) VALUES ('case', 'y')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with conn.transaction():
                await conn.execute(a_row, -2)
        await act_for(conn, [SERVICE])
        assert len(await conn.fetch("SELECT FROM live_changes")) == 2


async def test_a_picture_of_no_case_is_seen_with_its_review_else_with_its_camera(bare: ConnPool, api: Api) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        await conn.execute(CAMERAS)
        for number, division in enumerate((NORTH, SOUTH)):
            await conn.execute(
                "INSERT INTO camera_reviews (id, camera, kind, zone, target, why, lon, lat, cell_code, division_code,"
                "                            seen_by, first_at, last_at, events, opened_at)"
                " VALUES ($1, $2, 'x', '', '', 'mode', 0, 0, '1', $2, $3, now(), now(), 1, now())",
                UUID(int=number), division, case_keys(Whereabouts(divisions=[division], duty_line="sanitation")),
            )  # fmt: skip
            for review, camera in ((UUID(int=number), NORTH), (None, division)):
                await conn.execute(
                    "INSERT INTO camera_pictures (id, camera, event_id, event_at, number, came_as, bytes, received_at,"
                    "                             state, reason, sweep_at, settled_at, review_id)"
                    " VALUES ($1, $3, $1, now(), $4, 'sent', 0, now(), 'refused', 'x', now(), now(), $2)",
                    new_id(), review, camera, number,
                )  # fmt: skip
    for division, number in ((NORTH, 0), (SOUTH, 1)):
        dispatcher = Caller(id="user:x", grants=(a(Role.DISPATCHER, division),))
        async with transaction(bare, scope_keys(dispatcher)) as (conn, _):
            found = [row[0] for row in await conn.fetch("SELECT number FROM camera_pictures")]
        assert found == [number, number], division


async def test_what_was_sent_and_what_is_secret_no_caller_reads(bare: ConnPool, api: Api) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        await conn.execute(
            "INSERT INTO camera_hosts (code, scheme, host, port, path_prefix) VALUES ('h', 'https', 'h', 443, '/');"
            "INSERT INTO camera_gateways (code, snapshot_template, host) VALUES ('g', 'https://h/{camera}', 'h');"
            "INSERT INTO camera_pictures (id, camera, event_id, event_at, number, came_as, bytes, received_at, state,"
            "                             due_at)"
            " VALUES (gen_random_uuid(), 'c', gen_random_uuid(), now(), 0, 'sent', 1, now(), 'waiting', now());"
            "INSERT INTO camera_picture_bytes SELECT id, 'x' FROM camera_pictures;"
        )
    everybody = Caller(id="user:x", grants=tuple(a(role, CITY) for role in Role))
    for keys, many in ((scope_keys(everybody), 0), (SERVICE, 1)):
        async with transaction(bare, keys) as (conn, _):
            for table in READ_BY_NOBODY:
                assert await conn.fetchval(f"SELECT count(*) FROM {table}") == many, table  # noqa: S608 - names of ours


async def test_a_notice_is_seen_by_the_one_it_is_for(bare: ConnPool, api: Api) -> None:
    wang, li = await api.user(), await api.user()
    async with transaction(bare, SERVICE) as (conn, _):
        for user_id in (wang, li):
            await conn.execute(
                "INSERT INTO notices (id, user_id, event_id, kind, body, created_at)"
                " VALUES ($1, $2, $1, 'x', '{}', now())",
                new_id(), user_id,
            )  # fmt: skip
    async with transaction(bare, [f"user:{wang}"]) as (conn, _):
        assert [row[0] for row in await conn.fetch("SELECT user_id FROM notices")] == [wang]


async def test_quiet_hours_are_seen_by_the_one_whose_they_are(bare: ConnPool, api: Api) -> None:
    wang, li = await api.user(), await api.user()
    async with transaction(bare, SERVICE) as (conn, _):
        for user_id in (wang, li):
            await conn.execute("INSERT INTO quiet_hours VALUES ($1, '22:00', '07:00', now())", user_id)
    async with transaction(bare, [f"user:{wang}"]) as (conn, _):
        assert [row[0] for row in await conn.fetch("SELECT user_id FROM quiet_hours")] == [wang]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET move = 'x'",
        "DELETE FROM history",
        "DELETE FROM cases",
        "DELETE FROM escalations",
        "DELETE FROM checks",
        "DELETE FROM supervision_orders",
        "DELETE FROM co_handlings",
        "DELETE FROM calls",
        "DELETE FROM called",
        "UPDATE call_widenings SET officers = 0",
        "UPDATE camera_changes SET facts = '{}'",
        "DELETE FROM camera_looks",
        "UPDATE camera_looks SET reason = 'x'",
        "DELETE FROM cameras",
        "UPDATE instance SET zone = 'UTC'",
        "ALTER TABLE cases DISABLE ROW LEVEL SECURITY",
        "DROP POLICY cases_in_scope ON cases",
        "TRUNCATE history",
    ],
)
async def test_the_application_role_cannot_undo_what_has_happened_nor_the_wall(bare: ConnPool, statement: str) -> None:
    async with bare.acquire() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(statement)


@pytest.mark.parametrize("code", ["*", "", "%", "'; DROP TABLE cases; --", "{620102}"])
async def test_a_strange_code_in_a_grant_opens_nothing(bare: ConnPool, cases: Cases, code: str) -> None:
    sly = Caller(id="user:x", grants=(a(Role.DISPATCHER, code),))
    async with transaction(bare, scope_keys(sly)) as (conn, _):
        assert await seen(conn, "cases") == set()


@pytest.mark.usefixtures("api")
async def test_a_review_is_seen_where_its_camera_stands(bare: ConnPool) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        for division in (NORTH, SOUTH):
            await conn.execute(
                "INSERT INTO camera_reviews (id, camera, kind, zone, target, why, lon, lat, cell_code, division_code,"
                "                            seen_by, first_at, last_at, events, opened_at)"
                " VALUES ($1, $2, 'x', '', '', 'unmapped', 0, 0, '1', $2, $3, now(), now(), 1, now())",
                new_id(), division, [division],
            )  # fmt: skip
    async with transaction(bare, scope_keys(Caller(id="user:x", grants=(a(Role.ACCEPTOR),)))) as (conn, _):
        assert [row["camera"] for row in await conn.fetch("SELECT camera FROM camera_reviews")] == [NORTH]
    async with transaction(bare, []) as (conn, _):
        assert await conn.fetch("SELECT FROM camera_reviews") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.fetch("SELECT FROM camera_events_default")


@pytest.mark.usefixtures("api")
async def test_the_book_of_the_shift_is_read_at_its_desk(bare: ConnPool) -> None:
    async with transaction(bare, SERVICE) as (conn, _):
        user_id = new_id()
        await conn.execute("INSERT INTO users (id, username, display_name) VALUES ($1, 'writer', 'x')", user_id)
        for division in (NORTH, SOUTH):
            await conn.execute(
                "INSERT INTO shift_log (id, division_code, seen_by, hand_over, words, cases, figures, written_by,"
                "                       written_at)"
                " VALUES ($1, $2, $3, true, 'x', '{}', '{}', $4, now())",
                new_id(), division, [division], user_id,
            )  # fmt: skip
    async with transaction(bare, scope_keys(Caller(id="user:x", grants=(a(Role.ACCEPTOR),)))) as (conn, _):
        assert [row["division_code"] for row in await conn.fetch("SELECT division_code FROM shift_log")] == [NORTH]
    async with transaction(bare, []) as (conn, _):
        assert await conn.fetch("SELECT FROM shift_log") == []


async def test_an_absence_is_seen_by_whoever_meets_the_officer_and_by_himself(bare: ConnPool, api: Api) -> None:
    """Above him, beside him and below him; who does not see that he is away would take him to be there."""
    street = f"{NORTH}001"
    posts = {name: await api.somebody(a(Role.OFFICER, division)) for name, division in {
        "north": NORTH, "street": street, "south": SOUTH,
    }.items()}  # fmt: skip
    async with transaction(bare, SERVICE) as (conn, now):
        for each in posts.values():
            await conn.execute(
                "INSERT INTO absences (id, officer_id, from_at, until_at, reason, entered_by, entered_at)"
                " VALUES ($1, $2, $3::timestamptz, $3::timestamptz + interval '1 hour', 'sick', 'test', $3)",
                new_id(), each.user_id, now,
            )  # fmt: skip
    for keys, wanted in (
        ([CITY], {"north", "street", "south"}),
        ([f"{NORTH}/dept:water"], {"north", "street"}),
        ([f"{street}/line:sanitation"], {"north", "street"}),
        ([SOUTH], {"south"}),
        ([f"user:{posts['street'].user_id}"], {"street"}),
        ([], set()),
    ):
        async with transaction(bare, keys) as (conn, _):
            seen_now = {row["officer_id"] for row in await conn.fetch("SELECT officer_id FROM absences")}
        assert seen_now == {posts[name].user_id for name in wanted}, keys
