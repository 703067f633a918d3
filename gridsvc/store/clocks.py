"""The tables `clocks`, `clock_pauses` and `escalations`: what runs, when it stood still, what it fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.case_state import Clock
from gridsvc.domain.clock import CaseClock
from gridsvc.domain.deadline import ClockUnit, Pause
from gridsvc.store.rows import rows_text

_ADD = Statement(
    Nothing,
    """
    INSERT INTO clocks (
           id, case_id, cycle, kind, ladder, unit, budget_seconds, calendar, edition, state, started_at,
           stopped_at, due_at, provisional, fired_level, next_level, next_fire_at, co_handling_id,
           ladder_edition, rung_calendar, rung_at, plain_due_at, judged_at)
    SELECT id, case_id, cycle, kind, ladder, unit, budget_seconds, calendar, edition, state, started_at,
           stopped_at, due_at, provisional, fired_level, next_level, next_fire_at, co_handling_id,
           ladder_edition, rung_calendar, rung_at, plain_due_at, judged_at
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, case_id uuid, cycle integer, kind text, ladder text, unit text, budget_seconds integer,
           calendar text, edition integer, state text, started_at timestamptz, stopped_at timestamptz,
           due_at timestamptz, provisional boolean, fired_level integer, next_level integer,
           next_fire_at timestamptz, co_handling_id uuid, ladder_edition integer, rung_calendar text,
           rung_at timestamptz, plain_due_at timestamptz, judged_at timestamptz)
    """,
)

_CHANGE = Statement(
    Nothing,
    """
    UPDATE clocks AS c
       SET budget_seconds = r.budget_seconds, edition = r.edition, state = r.state, stopped_at = r.stopped_at,
           due_at = r.due_at, provisional = r.provisional, fired_level = r.fired_level,
           next_level = r.next_level, next_fire_at = r.next_fire_at, ladder = r.ladder,
           ladder_edition = r.ladder_edition, rung_calendar = r.rung_calendar, rung_at = r.rung_at,
           plain_due_at = r.plain_due_at, judged_at = r.judged_at
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, budget_seconds integer, edition integer, state text, stopped_at timestamptz,
           due_at timestamptz, provisional boolean, fired_level integer, next_level integer,
           next_fire_at timestamptz, ladder text, ladder_edition integer, rung_calendar text, rung_at timestamptz,
           plain_due_at timestamptz, judged_at timestamptz)
     WHERE c.id = r.id
    """,
)


@dataclass(frozen=True, kw_only=True)
class _ClockRow:
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
    plain_due_at: datetime | None
    judged_at: datetime | None

    def clock(self) -> CaseClock:
        return CaseClock(**{**vars(self), "kind": Clock(self.kind), "unit": ClockUnit(self.unit)})


_LIVE = Statement(
    _ClockRow,
    """
    SELECT id, case_id, cycle, kind, ladder, unit, budget_seconds, calendar, edition, state, started_at,
           stopped_at, due_at, provisional, fired_level, next_level, next_fire_at, co_handling_id,
           ladder_edition, rung_calendar, rung_at, plain_due_at, judged_at
      FROM clocks
     WHERE case_id = ANY ($1::uuid[])
       AND state <> 'stopped'
     ORDER BY case_id, started_at, id
    """,
)

_OPEN_BY_CALENDAR = Statement(
    _ClockRow,
    """
    SELECT id, case_id, cycle, kind, ladder, unit, budget_seconds, calendar, edition, state, started_at,
           stopped_at, due_at, provisional, fired_level, next_level, next_fire_at, co_handling_id,
           ladder_edition, rung_calendar, rung_at, plain_due_at, judged_at
      FROM clocks
     WHERE calendar = $1::text
       AND state <> 'stopped'
    """,
)

_OF_CASE = Statement(
    _ClockRow,
    """
    SELECT id, case_id, cycle, kind, ladder, unit, budget_seconds, calendar, edition, state, started_at,
           stopped_at, due_at, provisional, fired_level, next_level, next_fire_at, co_handling_id,
           ladder_edition, rung_calendar, rung_at, plain_due_at, judged_at
      FROM clocks
     WHERE case_id = $1::uuid
     ORDER BY started_at, id
    """,
)


@dataclass(frozen=True)
class _PauseRow:
    clock_id: UUID
    from_at: datetime
    to_at: datetime | None
    reason: str
    outage: UUID | None


_PAUSES = Statement(
    _PauseRow,
    """
    SELECT clock_id, from_at, to_at, reason, NULL::uuid AS outage
      FROM clock_pauses
     WHERE clock_id = ANY ($1::uuid[])
     UNION ALL
    SELECT clock_id, from_at, to_at, 'outage', outage_id
      FROM clock_outages
     WHERE clock_id = ANY ($1::uuid[])
     ORDER BY clock_id, from_at
    """,
)

_OF_CASES = Statement(
    _ClockRow,
    """
    SELECT id, case_id, cycle, kind, ladder, unit, budget_seconds, calendar, edition, state, started_at,
           stopped_at, due_at, provisional, fired_level, next_level, next_fire_at, co_handling_id,
           ladder_edition, rung_calendar, rung_at, plain_due_at, judged_at
      FROM clocks
     WHERE case_id = ANY ($1::uuid[])
     ORDER BY case_id, started_at, id
    """,
)

_BEGIN_PAUSE = Statement(
    Nothing,
    """
    INSERT INTO clock_pauses (clock_id, from_at, reason)
    SELECT clock_id, $2::timestamptz, $3::text
      FROM unnest($1::uuid[]) AS c (clock_id)
    """,
)

_END_PAUSES = Statement(
    Nothing,
    """
    UPDATE clock_pauses
       SET to_at = $2::timestamptz
     WHERE clock_id = ANY ($1::uuid[])
       AND to_at IS NULL
    """,
)


@dataclass(frozen=True, kw_only=True)
class EscalationRow:
    """One rung that fired."""

    case_id: UUID
    clock_id: UUID
    cycle: int
    level: int
    effect: str
    scheduled_at: datetime
    fired_at: datetime
    ladder: str | None  # None: fired before ladders had editions
    ladder_edition: int | None


_ADD_ESCALATIONS = Statement(
    Nothing,
    """
    INSERT INTO escalations (case_id, clock_id, cycle, level, effect, scheduled_at, fired_at, ladder, ladder_edition)
    SELECT case_id, clock_id, cycle, level, effect, scheduled_at, fired_at, ladder, ladder_edition
      FROM json_to_recordset($1::text::json) AS r (
           case_id uuid, clock_id uuid, cycle integer, level integer, effect text,
           scheduled_at timestamptz, fired_at timestamptz, ladder text, ladder_edition integer)
    """,
)

ESCALATIONS_OF_CASE = Statement(
    EscalationRow,
    """
    SELECT case_id, clock_id, cycle, level, effect, scheduled_at, fired_at, ladder, ladder_edition
      FROM escalations
     WHERE case_id = $1::uuid
     ORDER BY fired_at, level
    """,
)


@dataclass(frozen=True, kw_only=True)
class ClockChange:
    """What a new edition of its calendar made of an open clock."""

    clock_id: UUID
    edition: int
    before_edition: int
    changed_at: datetime
    due_at: datetime
    before_due_at: datetime
    provisional: bool
    before_provisional: bool


_ADD_CHANGES = Statement(
    Nothing,
    """
    INSERT INTO clock_changes (
           clock_id, edition, before_edition, changed_at, due_at, before_due_at, provisional, before_provisional)
    SELECT clock_id, edition, before_edition, changed_at, due_at, before_due_at, provisional, before_provisional
      FROM json_to_recordset($1::text::json) AS r (
           clock_id uuid, edition integer, before_edition integer, changed_at timestamptz, due_at timestamptz,
           before_due_at timestamptz, provisional boolean, before_provisional boolean)
    """,
)

CHANGES_OF_CASE = Statement(
    ClockChange,
    """
    SELECT h.clock_id, h.edition, h.before_edition, h.changed_at, h.due_at, h.before_due_at, h.provisional,
           h.before_provisional
      FROM clock_changes h
      JOIN clocks k ON k.id = h.clock_id
     WHERE k.case_id = $1::uuid
     ORDER BY h.edition
    """,
)


@dataclass(frozen=True)
class Provisional:
    """How many open clocks of a calendar reach into a year that it does not publish."""

    calendar: str
    clocks: int


PROVISIONAL = Statement(
    Provisional,
    """
    SELECT calendar, count(*)::integer AS clocks
      FROM clocks
     WHERE provisional
       AND state <> 'stopped'
     GROUP BY calendar
     ORDER BY calendar
    """,
)


async def add(conn: Conn, clocks: Sequence[CaseClock]) -> None:
    """Keep clocks that have just started."""
    if clocks:
        await _ADD.run(conn, rows_text([vars(clock) for clock in clocks]))


async def change(conn: Conn, clocks: Sequence[CaseClock]) -> None:
    """Keep what happened to clocks of cases that the caller holds locked."""
    if clocks:
        await _CHANGE.run(conn, rows_text([vars(clock) for clock in clocks]))


async def live(conn: Conn, case_ids: Sequence[UUID]) -> list[CaseClock]:
    """The running and paused clocks of these cases."""
    return [row.clock() for row in await _LIVE.all(conn, list(case_ids))]


async def of_case(conn: Conn, case_id: UUID) -> list[CaseClock]:
    """Every clock that the case ever had, oldest first."""
    return [row.clock() for row in await _OF_CASE.all(conn, case_id)]


async def of_cases(conn: Conn, case_ids: Sequence[UUID]) -> list[CaseClock]:
    """Every clock that these cases ever had, by case, oldest first."""
    return [row.clock() for row in await _OF_CASES.all(conn, list(case_ids))]


async def open_by_calendar(conn: Conn, calendar: str) -> list[CaseClock]:
    """The running and paused clocks of all cases that run on this calendar."""
    return [row.clock() for row in await _OPEN_BY_CALENDAR.all(conn, calendar)]


async def pauses(conn: Conn, clock_ids: Sequence[UUID]) -> dict[UUID, list[Pause]]:
    """The pauses of these clocks, in order; no entry for a clock that never paused."""
    found: dict[UUID, list[Pause]] = {}
    for row in await _PAUSES.all(conn, list(clock_ids)):
        found.setdefault(row.clock_id, []).append(Pause(row.from_at, row.to_at, row.reason, row.outage))
    return found


async def begin_pause(conn: Conn, clock_ids: Sequence[UUID], now: datetime, reason: str) -> None:
    """These clocks stand still from `now` on."""
    await _BEGIN_PAUSE.run(conn, list(clock_ids), now, reason)


async def end_pauses(conn: Conn, clock_ids: Sequence[UUID], now: datetime) -> None:
    """Whatever pause of these clocks is open ends `now`."""
    await _END_PAUSES.run(conn, list(clock_ids), now)


async def add_escalations(conn: Conn, rows: Sequence[EscalationRow]) -> None:
    """Keep rungs that fired; the primary key refuses a second time."""
    if rows:
        await _ADD_ESCALATIONS.run(conn, rows_text([vars(row) for row in rows]))


async def add_changes(conn: Conn, rows: Sequence[ClockChange]) -> None:
    """Keep what a new edition made of clocks; once for each clock and edition."""
    if rows:
        await _ADD_CHANGES.run(conn, rows_text([vars(row) for row in rows]))
