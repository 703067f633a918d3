"""The starter rules in a real database."""

from __future__ import annotations

import pytest

from gridsvc.db import Conn
from gridsvc.domain.case_state import BESIDE, Clock
from gridsvc.errors import SetupError
from gridsvc.local.starter import CATEGORIES, RUNGS, WEEKDAYS, load_starter
from gridsvc.local.starter_categories import EDITION
from gridsvc.store.rulebook import rulebook


async def test_the_service_reads_the_rules_as_they_were_written(conn: Conn) -> None:
    assert await load_starter(conn) == len(CATEGORIES)
    book = await rulebook(conn)
    assert book.default_edition == EDITION
    assert tuple(book.categories.values()) == CATEGORIES
    assert sum(len(rungs) for rungs in book.ladders.values()) == len(RUNGS)
    assert book.calendars["city"].years == {2026}
    assert set(book.stage_limits) == set(Clock) - {Clock.HANDLING, Clock.CO_HANDLING} - BESIDE


async def test_an_instance_that_has_rules_is_left_alone(conn: Conn) -> None:
    await load_starter(conn)
    with pytest.raises(SetupError, match="already"):
        await load_starter(conn)


async def test_only_the_duty_lines_that_are_asked_for_are_loaded(conn: Conn) -> None:
    count = await load_starter(conn, WEEKDAYS, ["sanitation"])
    lines = await conn.fetch("SELECT code FROM duty_lines")
    assert [row["code"] for row in lines] == ["sanitation"]
    wanted = {category.code for category in CATEGORIES if category.duty_line == "sanitation"}
    kept = {row["code"] for row in await conn.fetch("SELECT code FROM categories")}
    assert kept == wanted
    assert count == len(wanted) >= 4
    assert await conn.fetchval("SELECT count(*) FROM departments") == 0


async def test_a_duty_line_that_the_starter_lacks_is_named(conn: Conn) -> None:
    with pytest.raises(SetupError, match="no starter duty line parks; want of city, sanitation, social"):
        await load_starter(conn, duty_lines=["parks"])
