"""The rules in force, read whole and kept until their revision changes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.db import Conn, Statement
from gridsvc.domain.case import Clock
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.escalation import Effect, Rung
from gridsvc.domain.rulebook import Category, Rulebook
from gridsvc.store import calendars


@dataclass(frozen=True)
class _Revision:
    instance_id: UUID
    zone: str
    revision: int


_REVISION = Statement(
    _Revision,
    """
    SELECT instance_id, zone, revision
      FROM instance, rulebook
    """,
)


@dataclass(frozen=True)
class _Edition:
    code: str


_DEFAULT_EDITION = Statement(_Edition, "SELECT code FROM category_editions WHERE is_default")


@dataclass(frozen=True)
class _CategoryRow:
    edition: str
    code: str
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
    calendar: str
    ladder: str
    active: bool


_CATEGORIES = Statement(
    _CategoryRow,
    """
    SELECT edition, code, kind, name, name_en, duty_line, department, handled_by, severity,
           files_itself, limit_amount, limit_unit, calendar, ladder, active
      FROM categories
    """,
)


@dataclass(frozen=True)
class _RungRow:
    ladder: str
    level: int
    share: float
    effect: str
    role: str
    division_level: str | None


_RUNGS = Statement(
    _RungRow,
    """
    SELECT ladder, level, share, effect, role, division_level
      FROM rungs
     ORDER BY ladder, level
    """,
)


@dataclass(frozen=True)
class _StageLimitRow:
    kind: str
    budget_seconds: int
    ladder: str


_STAGE_LIMITS = Statement(_StageLimitRow, "SELECT kind, budget_seconds, ladder FROM stage_limits")

# By instance, so that a process that meets several databases (the tests) never mixes their rules.
_KEPT: Final[dict[UUID, Rulebook]] = {}


async def rulebook(conn: Conn) -> Rulebook:
    """Today's rules. One small query tells whether what this process holds still is; else all is read again."""
    now = await _REVISION.one(conn)
    assert now is not None  # noqa: S101 - both tables have exactly one row
    kept = _KEPT.get(now.instance_id)
    if kept is None or kept.revision != now.revision or kept.zone.key != now.zone:
        kept = await _read(conn, now)
        _KEPT[now.instance_id] = kept
    return kept


async def _read(conn: Conn, now: _Revision) -> Rulebook:
    zone = ZoneInfo(now.zone)
    default = await _DEFAULT_EDITION.one(conn)
    ladders: dict[str, list[Rung]] = defaultdict(list)
    for row in await _RUNGS.all(conn):
        ladders[row.ladder].append(Rung(**{**vars(row), "effect": Effect(row.effect)}))
    return Rulebook(
        revision=now.revision,
        zone=zone,
        default_edition=default.code if default else None,
        categories={
            (row.edition, row.code): Category(**{**vars(row), "limit_unit": LimitUnit(row.limit_unit)})
            for row in await _CATEGORIES.all(conn)
        },
        calendars={code: edition.calendar(zone) for code, edition in (await calendars.in_force(conn)).items()},
        calendar_uses=await calendars.uses(conn),
        ladders={name: tuple(rungs) for name, rungs in ladders.items()},
        stage_limits={Clock(row.kind): (row.budget_seconds, row.ladder) for row in await _STAGE_LIMITS.all(conn)},
    )
