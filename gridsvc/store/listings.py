"""What everybody may look up: categories of the published editions, divisions of the grid set in force."""

from __future__ import annotations

from dataclasses import dataclass

from gridsvc.db import Statement


@dataclass(frozen=True)
class Category:
    """One category as it is offered; `limit_*` is its handling time."""

    edition: str
    code: str
    is_default_edition: bool
    kind: str
    name: str
    name_en: str
    duty_line: str
    department: str | None
    handled_by: str
    severity: str
    files_itself: bool
    limit_amount: float
    limit_unit: str


CATEGORIES = Statement(
    Category,
    """
    SELECT c.edition, c.code, e.is_default AS is_default_edition, c.kind, c.name, c.name_en, c.duty_line,
           c.department, c.handled_by, c.severity, c.files_itself, c.limit_amount, c.limit_unit
      FROM categories c
           JOIN category_editions e ON e.code = c.edition
     WHERE c.active
       AND CASE WHEN $1::text IS NULL THEN e.is_default ELSE c.edition = $1::text END
     ORDER BY c.edition, c.code
    """,
)


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
