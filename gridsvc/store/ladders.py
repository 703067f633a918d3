"""The tables `ladder_editions`, `rungs`, `rung_hearers` and `ladder_uses`: who hears when, edition by edition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.case_state import Clock
from gridsvc.domain.clock import CaseClock
from gridsvc.domain.deadline import ClockUnit, LimitUnit
from gridsvc.domain.escalation import After, Axis, Effect, Hearing, Rung
from gridsvc.domain.ladder import LadderUse
from gridsvc.domain.ladder_file import KnownOfCity, Ladders
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class EditionRow:
    """One edition and what became of it."""

    edition: int
    name: str
    state: str  # draft | published | retired
    made_at: datetime
    made_by: str
    published_at: datetime | None
    published_by: str | None
    retired_at: datetime | None
    ladders: int
    rungs: int
    uses: int
    open_clocks: int


EDITIONS = Statement(
    EditionRow,
    """
    SELECT e.edition, e.name, e.state, e.made_at, e.made_by, e.published_at, e.published_by, e.retired_at,
           (SELECT count(DISTINCT ladder)::integer FROM rungs r WHERE r.edition = e.edition) AS ladders,
           (SELECT count(*)::integer FROM rungs r WHERE r.edition = e.edition) AS rungs,
           (SELECT count(*)::integer FROM ladder_uses u WHERE u.edition = e.edition) AS uses,
           (SELECT count(*)::integer FROM clocks k
             WHERE k.ladder_edition = e.edition AND k.state <> 'stopped') AS open_clocks
      FROM ladder_editions e
     ORDER BY e.edition
    """,
)


@dataclass(frozen=True)
class _Numbered:
    edition: int


_IN_FORCE = Statement(_Numbered, "SELECT edition FROM ladder_editions WHERE state = 'published'")


@dataclass(frozen=True)
class _Named:
    name: str


_NAME = Statement(_Named, "SELECT name FROM ladder_editions WHERE edition = $1::integer")


@dataclass(frozen=True)
class _RungRow:
    ladder: str
    level: int
    share: float | None
    effect: str
    role: str
    division_level: str | None
    axis: str
    after_amount: float | None
    after_unit: str | None
    repeats: int


_RUNGS = Statement(
    _RungRow,
    """
    SELECT ladder, level, share, effect, role, division_level, axis, after_amount, after_unit, repeats
      FROM rungs
     WHERE edition = $1::integer
     ORDER BY ladder, level
    """,
)


@dataclass(frozen=True)
class _HearerRow:
    ladder: str
    level: int
    role: str
    division_level: str | None
    axis: str


_HEARERS = Statement(
    _HearerRow,
    """
    SELECT ladder, level, role, division_level, axis
      FROM rung_hearers
     WHERE edition = $1::integer
     ORDER BY ladder, level, position
    """,
)


@dataclass(frozen=True)
class _UseRow:
    clock: str
    ladder: str
    severity: str | None
    division: str | None
    duty_line: str | None
    department: str | None


_USES = Statement(
    _UseRow,
    """
    SELECT clock, ladder, severity, division, duty_line, department
      FROM ladder_uses
     WHERE edition = $1::integer
     ORDER BY clock, severity NULLS FIRST, division NULLS FIRST, duty_line NULLS FIRST, department NULLS FIRST
    """,
)


@dataclass(frozen=True, kw_only=True)
class LadderEdition:
    """What an edition holds."""

    edition: int
    name: str
    ladders: Mapping[str, tuple[Rung, ...]]
    uses: tuple[LadderUse, ...]


async def in_force(conn: Conn) -> LadderEdition:
    """The edition that is published; there is always one."""
    row = await _IN_FORCE.one(conn)
    assert row is not None  # noqa: S101 - the first edition is published from the beginning
    found = await read(conn, row.edition)
    assert found is not None  # noqa: S101 - it was there a moment ago, and none is deleted
    return found


async def read(conn: Conn, edition: int) -> LadderEdition | None:
    """One edition whole; None where there is no such."""
    named = await _NAME.one(conn, edition)
    if named is None:
        return None
    also: dict[tuple[str, int], list[Hearing]] = defaultdict(list)
    for row in await _HEARERS.all(conn, edition):
        also[row.ladder, row.level].append(
            Hearing(role=row.role, division_level=row.division_level, axis=Axis(row.axis))
        )
    ladders: dict[str, list[Rung]] = defaultdict(list)
    for rung in await _RUNGS.all(conn, edition):
        ladders[rung.ladder].append(_rung(rung, also[rung.ladder, rung.level]))
    return LadderEdition(
        edition=edition,
        name=named.name,
        ladders={code: tuple(rungs) for code, rungs in ladders.items()},
        uses=tuple(LadderUse(**{**vars(row), "clock": Clock(row.clock)}) for row in await _USES.all(conn, edition)),
    )


def _rung(row: _RungRow, also: Sequence[Hearing]) -> Rung:
    after = None
    if row.after_amount is not None and row.after_unit is not None:
        after = After(amount=row.after_amount, unit=LimitUnit(row.after_unit))
    return Rung(
        ladder=row.ladder,
        level=row.level,
        share=row.share,
        effect=Effect(row.effect),
        role=row.role,
        division_level=row.division_level,
        axis=Axis(row.axis),
        after=after,
        repeats=row.repeats,
        also=tuple(also),
    )


_ADD_EDITION = Statement(
    _Numbered,
    """
    INSERT INTO ladder_editions (edition, name, state, made_at, made_by)
    SELECT coalesce(max(edition), 0) + 1, $1::text, 'draft', $2::timestamptz, $3::text
      FROM ladder_editions
    RETURNING edition
    """,
)

_ADD_RUNGS = Statement(
    Nothing,
    """
    INSERT INTO rungs (ladder, level, share, effect, role, division_level, edition, axis, after_amount, after_unit,
                       repeats)
    SELECT ladder, level, share, effect, role, division_level, $1::integer, axis, after_amount, after_unit, repeats
      FROM json_to_recordset($2::text::json) AS r (
           ladder text, level integer, share double precision, effect text, role text, division_level text, axis text,
           after_amount double precision, after_unit text, repeats integer)
    """,
)

_ADD_HEARERS = Statement(
    Nothing,
    """
    INSERT INTO rung_hearers (edition, ladder, level, position, role, division_level, axis)
    SELECT $1::integer, ladder, level, position, role, division_level, axis
      FROM json_to_recordset($2::text::json) AS r (
           ladder text, level integer, position integer, role text, division_level text, axis text)
    """,
)

_ADD_USES = Statement(
    Nothing,
    """
    INSERT INTO ladder_uses (edition, clock, severity, division, duty_line, department, ladder)
    SELECT $1::integer, clock, severity, division, duty_line, department, ladder
      FROM json_to_recordset($2::text::json) AS r (
           clock text, severity text, division text, duty_line text, department text, ladder text)
    """,
)


async def add_draft(conn: Conn, read_in: Ladders, by: str, now: datetime) -> int:
    """Keep a new draft; its number."""
    row = await _ADD_EDITION.one(conn, read_in.name, now, by)
    assert row is not None  # noqa: S101 - it was written
    await fill(conn, row.edition, read_in.ladders, read_in.uses)
    return row.edition


async def fill(
    conn: Conn, edition: int, ladders: Mapping[str, Sequence[Rung]], uses: Sequence[LadderUse]
) -> None:
    """Write what an edition holds that holds nothing yet."""
    rungs = [rung for each in ladders.values() for rung in each]
    also = [
        {"ladder": rung.ladder, "level": rung.level, "position": position, **vars(hearing)}
        for rung in rungs
        for position, hearing in enumerate(rung.also, start=1)
    ]
    await _ADD_RUNGS.run(conn, edition, rows_text([_row(rung) for rung in rungs]))
    await _ADD_HEARERS.run(conn, edition, rows_text(also))
    await _ADD_USES.run(conn, edition, rows_text([vars(use) for use in uses]))


def _row(rung: Rung) -> dict[str, Any]:
    after = rung.after
    return {
        "ladder": rung.ladder, "level": rung.level, "share": rung.share, "effect": rung.effect, "role": rung.role,
        "division_level": rung.division_level, "axis": rung.axis, "repeats": rung.repeats,
        "after_amount": after.amount if after else None, "after_unit": after.unit if after else None,
    }  # fmt: skip


_LOCK = Statement(
    Nothing,
    "LOCK TABLE ladder_editions IN SHARE ROW EXCLUSIVE MODE",
)

_RETIRE = Statement(
    _Numbered,
    """
    UPDATE ladder_editions
       SET state = 'retired', retired_at = $1::timestamptz
     WHERE state = 'published'
    RETURNING edition
    """,
)

_PUBLISH = Statement(
    Nothing,
    """
    UPDATE ladder_editions
       SET state = 'published', published_at = $2::timestamptz, published_by = $3::text, retired_at = NULL
     WHERE edition = $1::integer
    """,
)

_BEFORE = Statement(
    _Numbered,
    """
    SELECT edition
      FROM ladder_editions
     WHERE state = 'retired'
       AND edition < (SELECT edition FROM ladder_editions WHERE state = 'published')
     ORDER BY edition DESC
     LIMIT 1
    """,
)


async def lock(conn: Conn) -> None:
    """Let nobody else publish, until the transaction ends."""
    await _LOCK.run(conn)


async def put_in_force(conn: Conn, edition: int, by: str, now: datetime) -> int:
    """This edition instead of the one that is published; the one that was."""
    retired = await _RETIRE.one(conn, now)
    assert retired is not None  # noqa: S101 - one is always published
    await _PUBLISH.run(conn, edition, now, by)
    return retired.edition


async def before(conn: Conn) -> int | None:
    """The edition to which a roll-back goes: the latest that was published before the one in force; None: none was."""
    row = await _BEFORE.one(conn)
    return None if row is None else row.edition


@dataclass(frozen=True)
class _KnownRow:
    departments: list[str]
    duty_lines: list[str]
    divisions: list[str]
    holders: list[str]
    named: list[str]
    clocks: list[str]


# `named` are the ladders that limits, categories and call-backs name; a category without one of its own names the
# general one. `holders` are roles with the level of the division for which somebody has them.
_KNOWN = Statement(
    _KnownRow,
    """
    SELECT ARRAY(SELECT code FROM departments) AS departments,
           ARRAY(SELECT code FROM duty_lines) AS duty_lines,
           ARRAY(SELECT code FROM divisions WHERE grid_set_id = grid_set_at($1::timestamptz)) AS divisions,
           ARRAY(SELECT DISTINCT g.role || ' ' || coalesce(d.level, 'city')
                   FROM grants g
                   JOIN users u ON u.id = g.user_id AND u.active
                   LEFT JOIN divisions d ON d.grid_set_id = grid_set_at($1::timestamptz) AND d.code = g.division_code
           ) AS holders,
           ARRAY(SELECT ladder FROM stage_limits
                 UNION SELECT ladder FROM call_back_rules WHERE ladder IS NOT NULL
                 UNION SELECT ladder FROM categories WHERE active) AS named,
           ARRAY(SELECT DISTINCT kind FROM stage_limits WHERE severity IS NULL) AS clocks
    """,
)


async def known(conn: Conn, now: datetime) -> KnownOfCity:
    """What a file of ladders may name."""
    row = await _KNOWN.one(conn, now)
    assert row is not None  # noqa: S101 - one row by construction
    return KnownOfCity(
        departments=frozenset(row.departments),
        duty_lines=frozenset(row.duty_lines),
        divisions=frozenset(row.divisions),
        holders=frozenset(row.holders),
        named=frozenset(row.named),
        limited=frozenset(row.clocks),
    )


@dataclass(frozen=True, kw_only=True)
class _OpenRow:
    id: UUID
    case_id: UUID
    cycle: int
    kind: str
    ladder: str
    unit: str
    budget_seconds: int
    calendar: str | None
    edition: int | None
    state: str
    started_at: datetime
    stopped_at: datetime | None
    due_at: datetime
    provisional: bool
    fired_level: int
    next_level: int | None
    next_fire_at: datetime | None
    co_handling_id: UUID | None
    ladder_edition: int
    rung_calendar: str | None
    rung_at: datetime | None
    of_edition: str
    category: str
    divisions: list[str]
    department: str | None


_OPEN = Statement(
    _OpenRow,
    """
    SELECT k.id, k.case_id, k.cycle, k.kind, k.ladder, k.unit, k.budget_seconds, k.calendar, k.edition, k.state,
           k.started_at, k.stopped_at, k.due_at, k.provisional, k.fired_level, k.next_level, k.next_fire_at,
           k.co_handling_id, k.ladder_edition, k.rung_calendar, k.rung_at,
           c.edition AS of_edition, c.category, c.divisions, coalesce(p.department, c.department) AS department
      FROM clocks k
      JOIN cases c ON c.id = k.case_id
      LEFT JOIN co_handlings p ON p.id = k.co_handling_id
     WHERE k.state <> 'stopped'
    """,
)


@dataclass(frozen=True, kw_only=True)
class OpenClock:
    """A clock that runs or is paused, with what of its case chooses the ladder."""

    clock: CaseClock
    category: tuple[str, str]  # edition, code
    divisions: Sequence[str]
    department: str | None


async def open_clocks(conn: Conn) -> list[OpenClock]:
    """All of the city."""
    return [_open(row) for row in await _OPEN.all(conn)]


def _open(row: _OpenRow) -> OpenClock:
    of_clock = {key: value for key, value in vars(row).items() if key in CaseClock.__dataclass_fields__}
    clock = CaseClock(**{**of_clock, "kind": Clock(row.kind), "unit": ClockUnit(row.unit)})
    return OpenClock(
        clock=clock, category=(row.of_edition, row.category), divisions=row.divisions, department=row.department
    )
