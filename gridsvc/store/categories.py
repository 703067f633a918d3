"""Editions of categories: which there are, what a new one may name, and writing one. Reading is the rulebook's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.category import Category
from gridsvc.domain.category_file import Known


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One published edition and how many categories it has."""

    code: str
    name: str
    is_default: bool
    published_at: datetime
    source: str
    categories: int


EDITIONS = Statement(
    Edition,
    """
    SELECT e.code, e.name, e.is_default, e.published_at, e.source,
           (SELECT count(*)::integer FROM categories c WHERE c.edition = e.code) AS categories
      FROM category_editions e
     ORDER BY e.is_default DESC, e.published_at DESC, e.code
    """,
)


@dataclass(frozen=True)
class _Known:
    duty_lines: list[str]
    departments: list[str]
    lines_of_departments: list[str]
    calendars: list[str]
    ladders: list[str]


_KNOWN = Statement(
    _Known,
    """
    SELECT ARRAY(SELECT code FROM duty_lines) AS duty_lines,
           ARRAY(SELECT code FROM departments ORDER BY code) AS departments,
           ARRAY(SELECT duty_line FROM departments ORDER BY code) AS lines_of_departments,
           ARRAY(SELECT code FROM calendars) AS calendars,
           ARRAY(SELECT DISTINCT ladder FROM rungs
                  WHERE edition = (SELECT edition FROM ladder_editions WHERE state = 'published')) AS ladders
    """,
)


async def known(conn: Conn) -> Known:
    """What the categories of a new edition may name."""
    row = await _KNOWN.one(conn)
    assert row is not None  # noqa: S101 - one row by construction
    return Known(
        duty_lines=frozenset(row.duty_lines),
        departments=dict(zip(row.departments, row.lines_of_departments, strict=True)),
        calendars=frozenset(row.calendars),
        ladders=frozenset(row.ladders),
    )


@dataclass(frozen=True)
class _OpenCases:
    category: str
    cases: int


_OPEN_CASES = Statement(
    _OpenCases,
    """
    SELECT category, count(*)::integer AS cases
      FROM cases
     WHERE edition = $1::text
       AND state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
     GROUP BY category
    """,
)


async def open_cases(conn: Conn, edition: str) -> dict[str, int]:
    """How many open cases stand on each category of the edition; those without any are left out."""
    return {row.category: row.cases for row in await _OPEN_CASES.all(conn, edition)}


# Two that publish at once come one after the other: the second finds the first's edition.
_ONE_AT_A_TIME = Statement(Nothing, "LOCK TABLE category_editions IN SHARE ROW EXCLUSIVE MODE")

_NO_DEFAULT = Statement(Nothing, "UPDATE category_editions SET is_default = false WHERE is_default")

_ADD_EDITION = Statement(
    Nothing,
    """
    INSERT INTO category_editions (code, name, is_default, published_at, source)
    VALUES ($1::text, $2::text, $3::boolean, $4::timestamptz, $5::text)
    """,
)

_ADD_MAJORS = Statement(
    Nothing,
    """
    INSERT INTO category_majors (edition, code, kind, name, name_en)
    SELECT $1::text, r.code, r.kind, r.name, r.name_en
      FROM jsonb_to_recordset($2::jsonb) AS r (code text, kind text, name text, name_en text)
    """,
)

_ADD = Statement(
    Nothing,
    """
    INSERT INTO categories (edition, code, kind, name, name_en, duty_line, department, handled_by, severity,
                            files_itself, limit_amount, limit_unit, calendar, ladder, active, major,
                            dispatches_itself, attributes, evidence, duplicate_radius_m, duplicate_window_h,
                            checks)
    SELECT r.edition, r.code, r.kind, r.name, r.name_en, r.duty_line, r.department, r.handled_by, r.severity,
           r.files_itself, r.limit_amount, r.limit_unit, r.calendar, r.ladder, r.active, r.major,
           r.dispatches_itself, r.attributes, r.evidence, r.duplicate_radius_m, r.duplicate_window_h, r.checks
      FROM jsonb_to_recordset($1::jsonb) AS r (
           edition text, code text, kind text, name text, name_en text, duty_line text, department text,
           handled_by text, severity text, files_itself boolean, limit_amount float8, limit_unit text,
           calendar text, ladder text, active boolean, major text, dispatches_itself boolean, attributes text[],
           evidence text[], duplicate_radius_m float8, duplicate_window_h float8, checks text[])
    """,
)

_ADD_CONDITIONS = Statement(
    Nothing,
    """
    INSERT INTO category_conditions (edition, category, code, position, says, closing, is_default)
    SELECT r.edition, r.category, r.code, r.position, r.says, r.closing, r.is_default
      FROM jsonb_to_recordset($1::jsonb) AS r (
           edition text, category text, code text, position integer, says text, closing text, is_default boolean)
    """,
)

_ADD_LIMITS = Statement(
    Nothing,
    """
    INSERT INTO category_limits (edition, category, condition, management_level, stage, amount, unit)
    SELECT r.edition, r.category, r.condition, r.management_level, r.stage, r.amount, r.unit
      FROM jsonb_to_recordset($1::jsonb) AS r (
           edition text, category text, condition text, management_level text, stage text, amount float8, unit text)
    """,
)


async def publish_alone(conn: Conn) -> None:
    """Nobody else publishes an edition until this transaction ends."""
    await _ONE_AT_A_TIME.run(conn)


async def add_edition(
    conn: Conn, code: str, name: str, source: str, categories: Sequence[Category], now: datetime, *, default: bool
) -> None:
    """Write a new edition; `default`: from now on it is the one that reports mean. An old one never changes."""
    if default:
        await _NO_DEFAULT.run(conn)
    await _ADD_EDITION.run(conn, code, name, default, now, source)
    majors = {each.major: each for each in categories if each.major is not None}
    await _ADD_MAJORS.run(
        conn,
        code,
        [
            {"code": major, "kind": one.kind, "name": one.major_name, "name_en": one.major_name_en}
            for major, one in majors.items()
        ],
    )
    await _ADD.run(conn, [_fields(each) for each in categories])
    await _ADD_CONDITIONS.run(
        conn,
        [
            {"edition": code, "category": each.code, "position": place, **vars(condition)}
            for each in categories
            for place, condition in enumerate(each.conditions, start=1)
        ],
    )
    await _ADD_LIMITS.run(
        conn, [{"edition": code, "category": each.code, **vars(limit)} for each in categories for limit in each.limits]
    )


def _fields(category: Category) -> dict[str, object]:
    apart = {"conditions", "limits", "attributes"}
    row = {name: value for name, value in vars(category).items() if name not in apart}
    return {**row, "attributes": [each.spec for each in category.attributes]}
