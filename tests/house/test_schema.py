"""schema.sql is the database as it is today: the same as all migrations in order."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from gridsvc.errors import CannotMigrate
from gridsvc.local.starter import CALL_ROUNDS, RUNGS
from gridsvc.migrate import migrate, migrations
from tests.house.source import ROOT

# One line per thing of ours (what belongs to an extension is not), with all that tells it from another.
CATALOG = """
    WITH mine AS (
      SELECT c.oid, c.relname, c.relkind, c.relacl, c.relrowsecurity, c.relforcerowsecurity, c.reloptions
        FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace
         AND c.relname NOT LIKE 'schema_migrations%'
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    )
    SELECT format('relation %s kind %s rls %s/%s options %s grants %s', relname, relkind, relrowsecurity,
                  relforcerowsecurity, reloptions, (SELECT array_agg(g::text ORDER BY g::text) FROM unnest(relacl) g))
      FROM mine
    UNION ALL
    -- numbered anew: a column that is gone leaves a hole
    SELECT format('column %s %s %s %s null %s default %s collation %s identity %s generated %s',
                  m.relname, row_number() OVER (PARTITION BY m.oid ORDER BY a.attnum), a.attname,
                  format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
                  pg_get_expr(d.adbin, d.adrelid), a.attcollation::regcollation, a.attidentity, a.attgenerated)
      FROM mine m
      JOIN pg_attribute a ON a.attrelid = m.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE m.relkind IN ('r', 'v', 'm', 'p')
    UNION ALL
    SELECT format('constraint %s on %s %s', k.conname, m.relname, pg_get_constraintdef(k.oid))
      FROM pg_constraint k
      JOIN mine m ON m.oid = k.conrelid
    UNION ALL
    SELECT 'index ' || pg_get_indexdef(i.indexrelid)
      FROM pg_index i
      JOIN mine m ON m.oid = i.indrelid
    UNION ALL
    SELECT format('function %s grants %s', pg_get_functiondef(p.oid), p.proacl)
      FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT format('trigger %s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled)
      FROM pg_trigger t
      JOIN mine m ON m.oid = t.tgrelid
     WHERE NOT t.tgisinternal
    UNION ALL
    SELECT format('policy %s on %s %s %s using %s check %s', polname, m.relname, polcmd, polpermissive,
                  pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
      FROM pg_policy
      JOIN mine m ON m.oid = polrelid
    UNION ALL
    SELECT format('type %s %s', typname, typtype)
      FROM pg_type
     WHERE typnamespace = 'public'::regnamespace
       AND typname NOT LIKE '%schema_migrations'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_type.oid AND d.deptype = 'e')
    UNION ALL
    SELECT format('schema grants %s', nspacl)
      FROM pg_namespace
     WHERE nspname = 'public'
    ORDER BY 1
"""


@pytest.fixture
async def empty_database(owner_database: str) -> AsyncIterator[str]:
    """The owner's URL of a second database beside the test's own, with nothing in it; dropped afterwards."""
    parts = urlsplit(owner_database)
    name = parts.path.removeprefix("/") + "_empty"
    conn = await asyncpg.connect(owner_database, timeout=10)
    try:
        await conn.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield urlunsplit(parts._replace(path="/" + name))
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await conn.close()


async def test_schema_sql_is_all_migrations_in_order(owner_database: str, empty_database: str) -> None:
    await _run(empty_database, (ROOT / "schema.sql").read_text(encoding="utf-8"))
    await _run(owner_database, "DROP TABLE schema_migrations")
    drawn, migrated = await _catalog(empty_database), await _catalog(owner_database)
    assert len(drawn) > 300
    assert drawn - migrated == set(), "in schema.sql and not in the migrations"
    assert migrated - drawn == set(), "in the migrations and not in schema.sql"


async def test_the_first_rows_are_the_same_too(owner_database: str, empty_database: str) -> None:
    await _run(empty_database, (ROOT / "schema.sql").read_text(encoding="utf-8"))
    for table in ("instance", "rulebook"):
        columns = "only_row" if table == "instance" else "only_row, revision"
        question = f"SELECT {columns} FROM {table}"  # noqa: S608 - the two names above
        assert await _ask(empty_database, question) == await _ask(owner_database, question)


async def test_migrating_an_empty_database_applies_every_file_and_twice_does_no_harm(empty_database: str) -> None:
    assert await migrate(empty_database) == [each.name for each in migrations()]
    once = await _catalog(empty_database)
    assert await migrate(empty_database) == []
    assert await _catalog(empty_database) == once


async def test_a_city_that_has_set_its_limits_gets_those_of_the_clocks_that_came_later(empty_database: str) -> None:
    """0004: nobody is sent to look, and no reply is wanted, where nobody has said how long that may take."""
    for each in migrations():
        if each.number == 4:
            await _run(empty_database, "INSERT INTO stage_limits VALUES ('pool', 600, 'pool')")
        if each.number <= 4:
            await _run(empty_database, each.sql)
    limits = await _ask(empty_database, "SELECT kind, budget_seconds FROM stage_limits")
    assert set(limits) == {("pool", 600), ("on_site", 1800), ("supervision", 86400)}
    rungs = await _ask(empty_database, "SELECT ladder, count(*) FROM rungs GROUP BY ladder")
    assert set(rungs) == {("on_site", 2), ("supervision", 3)}


async def test_a_city_that_has_ladders_gets_that_of_a_part_of_a_further_department(empty_database: str) -> None:
    """0007: it has no limit of its own among those of the desks, since the category's holds."""
    for each in migrations():
        if each.number == 7:
            await _run(empty_database, "INSERT INTO stage_limits VALUES ('pool', 600, 'pool')")
            await _run(empty_database, "INSERT INTO rungs VALUES ('pool', 1, 1.0, 'overdue', 'dispatcher', NULL)")
        if each.number <= 7:
            await _run(empty_database, each.sql)
    assert await _ask(empty_database, "SELECT kind FROM stage_limits") == [("pool",)]
    rungs = await _ask(empty_database, "SELECT ladder, count(*) FROM rungs GROUP BY ladder")
    assert set(rungs) == {("pool", 1), ("co_handling", 4)}


async def test_a_city_that_runs_already_gets_the_ladder_of_what_must_be_stopped(empty_database: str) -> None:
    """0009: a category's limit for the stopping would start a clock of which nobody hears."""
    for each in migrations():
        if each.number == 9:
            await _run(empty_database, "INSERT INTO rungs VALUES ('pool', 1, 1, 'climb', 'supervisor', 'city')")
        if each.number <= 9:
            await _run(empty_database, each.sql)
    rungs = await _ask(empty_database, "SELECT ladder, count(*) FROM rungs GROUP BY ladder")
    assert set(rungs) == {("pool", 1), ("stop_it", 3)}
    assert await _ask(empty_database, "SELECT 1 FROM stage_limits") == [], "its limits are the categories' alone"


async def test_a_city_that_has_set_its_limits_gets_those_of_emergencies(empty_database: str) -> None:
    """Its own limits stay as they are; calls begin to ring, and the desks of an emergency have minutes."""
    for each in migrations():
        if each.name.endswith("_emergencies.sql"):
            await _run(empty_database, "INSERT INTO stage_limits VALUES ('pool', 600, 'pool')")
        await _run(empty_database, each.sql)
    limits = set(await _ask(empty_database, "SELECT kind, severity, budget_seconds FROM stage_limits"))
    assert {("pool", None, 600), ("pool", "emergency", 120), ("call", None, 180)} <= limits
    rounds = await _ask(empty_database, "SELECT round, radius_m, most, wait_seconds FROM call_rounds ORDER BY round")
    assert rounds == [(each.round, each.radius_m, each.most, each.wait_seconds) for each in CALL_ROUNDS]
    ladders = {"call", "emergency", "emergency_acknowledge"}
    rungs = await _ask(empty_database, "SELECT ladder, level, share, effect, role, division_level FROM rungs")
    wanted = {tuple(vars(each).values()) for each in RUNGS if each.ladder in ladders}
    assert {each for each in rungs if each[0] in ladders} == wanted


async def test_a_city_that_works_already_calls_back_from_the_day_it_is_migrated(empty_database: str) -> None:
    """And one that has set no limits yet is left to its starter rules."""
    for each in migrations():
        if each.name.endswith("call_backs.sql"):
            await _run(empty_database, "INSERT INTO stage_limits VALUES ('pool', 600, 'pool')")
        await _run(empty_database, each.sql)
    limits = await _ask(empty_database, "SELECT kind, budget_seconds FROM stage_limits")
    assert ("call_back", 259_200) in limits
    rules = await _ask(empty_database, "SELECT level, share, ladder FROM call_back_rules")
    assert set(rules) == {("district", 1.0, None), ("city", 1.0, "call_back_city")}
    rungs = await _ask(empty_database, "SELECT ladder, count(*) FROM rungs WHERE ladder ~ 'call_back' GROUP BY ladder")
    assert set(rungs) == {("call_back", 3), ("call_back_city", 2)}


async def test_the_ladders_that_a_city_has_are_its_first_edition_in_force(empty_database: str) -> None:
    for each in migrations():
        if each.name.endswith("ladders_and_notices.sql"):
            await _run(empty_database, "INSERT INTO rungs VALUES ('pool', 1, 1, 'climb', 'supervisor', 'city')")
        await _run(empty_database, each.sql)
    rungs = await _ask(empty_database, "SELECT edition, ladder, level, axis, repeats FROM rungs WHERE ladder = 'pool'")
    assert rungs == [(1, "pool", 1, "block", 0)]
    assert await _ask(empty_database, "SELECT edition, state FROM ladder_editions") == [(1, "published")]


async def test_a_city_that_works_by_the_starter_rules_has_a_category_for_a_camera_that_storms(
    empty_database: str,
) -> None:
    for each in migrations():
        if each.name.endswith("camera_events.sql"):
            await _run(empty_database, "INSERT INTO duty_lines VALUES ('city', '城管', 'City', 'city_management')")
            await _run(empty_database, "INSERT INTO category_editions VALUES ('starter-2026', 'starter', true)")
            await _run(empty_database, "INSERT INTO calendars (code, name, slots) VALUES ('city', 'city', '{}')")
            await _run(
                empty_database,
                "INSERT INTO categories (edition, code, kind, name, duty_line, limit_amount, limit_unit, calendar)"
                " VALUES ('starter-2026', '100150', 'component', '监控电子眼', 'city', 3, 'urgent_day', 'city')",
            )
        await _run(empty_database, each.sql)
    assert await _ask(empty_database, "SELECT storm_category FROM camera_rules") == [("starter-2026:100150",)]


async def test_a_file_that_changed_after_it_was_applied_is_refused(owner_database: str) -> None:
    await _run(owner_database, "UPDATE schema_migrations SET digest = 'another' WHERE number = 1")
    with pytest.raises(CannotMigrate, match="was changed after it was applied"):
        await migrate(owner_database)


async def test_an_old_program_does_not_touch_a_newer_database(owner_database: str) -> None:
    await _run(owner_database, "INSERT INTO schema_migrations (number, name, digest) VALUES (9999, 'later.sql', '')")
    with pytest.raises(CannotMigrate, match="run the newer program"):
        await migrate(owner_database)


async def test_the_application_role_owns_nothing(owner_database: str) -> None:
    question = """
        SELECT relname::text AS owned FROM pg_class WHERE relowner = 'gridsvc_app'::regrole
        UNION ALL
        SELECT proname::text FROM pg_proc WHERE proowner = 'gridsvc_app'::regrole
    """
    assert await _ask(owner_database, question) == []


# Ids alone, and no request reads them.
SEEN_BY_NO_CASE = {"outbox", "reporter_openings"}


async def test_what_hangs_on_a_case_is_seen_with_it_or_not_at_all(owner_database: str) -> None:
    """A table with a case's id, or that of something of a case, has row-level security for the application."""
    question = """
        SELECT DISTINCT c.relname::text AS relname
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('case_id', 'report_id', 'clock_id')
         WHERE c.relnamespace = 'public'::regnamespace
           AND c.relkind = 'r'
           AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
    """
    assert {name for (name,) in await _ask(owner_database, question)} == SEEN_BY_NO_CASE


def test_schema_sql_names_every_table_in_one_place() -> None:
    """No ALTER TABLE … ADD: what a table is stands where it is created."""
    text = (ROOT / "schema.sql").read_text(encoding="utf-8")
    assert re.findall(r"ALTER TABLE .*\bADD\b.*", text) == []


async def _catalog(url: str) -> set[str]:
    return {str(line) for (line,) in await _ask(url, CATALOG)}


async def _ask(url: str, question: str) -> list[tuple[object, ...]]:
    conn = await asyncpg.connect(url, timeout=10)
    try:
        return [tuple(record.values()) for record in await conn.fetch(question)]
    finally:
        await conn.close()


async def _run(url: str, statements: str) -> None:
    conn = await asyncpg.connect(url, timeout=10)
    try:
        await conn.execute(statements)
    finally:
        await conn.close()
