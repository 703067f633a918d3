"""The rules in force, read whole and kept until their revision changes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.db import Conn, Statement
from gridsvc.domain.attribute import Attribute, read_attribute
from gridsvc.domain.call_back import CallBackRule
from gridsvc.domain.calling import CallRound
from gridsvc.domain.case_state import Clock
from gridsvc.domain.category import Category, CategoryLimit, Condition
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.reasons import with_own
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import calendars, ladders, reasons, routing_rules


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
    major: str | None
    major_name: str
    major_name_en: str
    dispatches_itself: bool
    attributes: list[str]
    evidence: list[str]
    duplicate_radius_m: float
    duplicate_window_h: float
    checks: list[str]


_CATEGORIES = Statement(
    _CategoryRow,
    """
    SELECT c.edition, c.code, c.kind, c.name, c.name_en, c.duty_line, c.department, c.handled_by, c.severity,
           c.files_itself, c.limit_amount, c.limit_unit, c.calendar, c.ladder, c.active, c.major,
           coalesce(m.name, '') AS major_name, coalesce(m.name_en, '') AS major_name_en,
           c.dispatches_itself, c.attributes, c.evidence, c.duplicate_radius_m, c.duplicate_window_h, c.checks
      FROM categories c
      LEFT JOIN category_majors m ON m.edition = c.edition AND m.code = c.major
     ORDER BY c.edition, c.code
    """,
)


@dataclass(frozen=True)
class _ConditionRow:
    edition: str
    category: str
    code: str
    says: str
    closing: str
    is_default: bool


_CONDITIONS = Statement(
    _ConditionRow,
    """
    SELECT edition, category, code, says, closing, is_default
      FROM category_conditions
     ORDER BY edition, category, position
    """,
)


@dataclass(frozen=True)
class _LimitRow:
    edition: str
    category: str
    condition: str | None
    management_level: str | None
    stage: str
    amount: float
    unit: str


# In the order of the conditions, those of every condition first.
_LIMITS = Statement(
    _LimitRow,
    """
    SELECT l.edition, l.category, l.condition, l.management_level, l.stage, l.amount, l.unit
      FROM category_limits l
      LEFT JOIN category_conditions c
             ON c.edition = l.edition AND c.category = l.category AND c.code = l.condition
     ORDER BY l.edition, l.category, c.position NULLS FIRST, l.stage, l.management_level NULLS FIRST
    """,
)


@dataclass(frozen=True)
class _StageLimitRow:
    kind: str
    severity: str | None
    budget_seconds: int
    ladder: str


_STAGE_LIMITS = Statement(_StageLimitRow, "SELECT kind, severity, budget_seconds, ladder FROM stage_limits")


@dataclass(frozen=True)
class _CallRoundRow:
    round: int
    radius_m: float | None
    most: int | None
    wait_seconds: int


_CALL_ROUNDS = Statement(
    _CallRoundRow, "SELECT round, radius_m, most, wait_seconds FROM call_rounds ORDER BY round"
)

_CALL_BACKS = Statement(CallBackRule, "SELECT level, share, ladder FROM call_back_rules")

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
    limits = await _STAGE_LIMITS.all(conn)
    in_force = await ladders.in_force(conn)
    return Rulebook(
        revision=now.revision,
        zone=zone,
        default_edition=default.code if default else None,
        categories=await _read_categories(conn),
        calendars={code: edition.calendar(zone) for code, edition in (await calendars.in_force(conn)).items()},
        calendar_uses=await calendars.uses(conn),
        ladders=in_force.ladders,
        ladder_edition=in_force.edition,
        ladder_uses=in_force.uses,
        stage_limits={Clock(row.kind): (row.budget_seconds, row.ladder) for row in limits if row.severity is None},
        stage_limits_by_severity={
            (Clock(row.kind), row.severity): (row.budget_seconds, row.ladder) for row in limits if row.severity
        },
        call_rounds=tuple(
            CallRound(
                round=row.round, radius_m=row.radius_m, most=row.most, wait=timedelta(seconds=row.wait_seconds)
            )
            for row in await _CALL_ROUNDS.all(conn)
        ),
        call_backs={row.level: row for row in await _CALL_BACKS.all(conn)},
        reasons=with_own(await reasons.of_city(conn)),
        routing=await routing_rules.in_force(conn),
    )


async def _read_categories(conn: Conn) -> dict[tuple[str, str], Category]:
    conditions: dict[tuple[str, str], list[Condition]] = defaultdict(list)
    for row in await _CONDITIONS.all(conn):
        conditions[row.edition, row.category].append(
            Condition(code=row.code, says=row.says, closing=row.closing, is_default=row.is_default)
        )
    limits: dict[tuple[str, str], list[CategoryLimit]] = defaultdict(list)
    for limit in await _LIMITS.all(conn):
        limits[limit.edition, limit.category].append(
            CategoryLimit(
                amount=limit.amount,
                unit=LimitUnit(limit.unit),
                condition=limit.condition,
                management_level=limit.management_level,
                stage=limit.stage,
            )
        )
    return {
        (each.edition, each.code): Category(
            **{
                **vars(each),
                "limit_unit": LimitUnit(each.limit_unit),
                "attributes": tuple(read_attribute(spec) or Attribute(name=spec) for spec in each.attributes),
                "evidence": tuple(each.evidence),
                "checks": tuple(each.checks),
                "conditions": tuple(conditions[each.edition, each.code]),
                "limits": tuple(limits[each.edition, each.code]),
            }
        )
        for each in await _CATEGORIES.all(conn)
    }
