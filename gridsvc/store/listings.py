"""What everybody may look up: divisions of the grid set in force, duty lines, departments."""

from __future__ import annotations

from dataclasses import dataclass

from gridsvc.db import Statement


@dataclass(frozen=True)
class Division:
    """One division, without its outline."""

    code: str
    name: str
    name_en: str
    level: str
    parent_code: str | None
    path: list[str]
    area_m2: float


DIVISIONS = Statement(
    Division,
    """
    SELECT code, name, name_en, level, parent_code, path, area_m2
      FROM divisions
     WHERE grid_set_id = grid_set_at($1::timestamptz)
       AND ($2::text IS NULL OR parent_code = $2::text)
       AND ($3::text IS NULL OR level = $3::text)
       AND ($4::text IS NULL OR code > $4::text)
     ORDER BY code
     LIMIT $5::integer
    """,
)


@dataclass(frozen=True)
class DutyLine:
    """One duty line (条线)."""

    code: str
    name: str
    name_en: str
    profile: str


DUTY_LINES = Statement(
    DutyLine,
    """
    SELECT code, name, name_en, profile
      FROM duty_lines
     ORDER BY code
    """,
)


@dataclass(frozen=True)
class Department:
    """One department (处置部门)."""

    code: str
    name: str
    name_en: str
    duty_line: str


DEPARTMENTS = Statement(
    Department,
    """
    SELECT code, name, name_en, duty_line
      FROM departments
     ORDER BY code
    """,
)
