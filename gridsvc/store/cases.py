"""The table `cases`: one row per case, as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from geo.place import Place
from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.access import case_keys
from gridsvc.domain.case_state import RUN_ON_CLOSED, Case, Clock, Pool, State
from gridsvc.domain.rulebook import Limit, Rulebook
from gridsvc.domain.visit import VISIT
from gridsvc.store.cells import Owner
from gridsvc.store.rows import bytea_text, rows_text


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """A case as it is kept. `case()` is what decisions need of it."""

    id: UUID
    number: str | None
    version: int
    cycle: int
    state: str
    suspended: bool
    source: str
    edition: str
    category: str
    duty_line: str
    severity: str
    description: str
    address: str
    desk_path: list[str] = field(default_factory=list)
    lon: float | None = None  # WGS-84; the column is `place`
    lat: float | None = None
    grid_set_id: int | None = None
    division_code: str | None = None
    divisions: list[str] = field(default_factory=list)
    cell_code: str | None = None
    cell_method: str | None = None
    on_border: bool = False
    neighbours: list[str] = field(default_factory=list)
    beat_code: str | None = None
    pool: str | None = None
    assignment_id: UUID | None = None
    officer_id: UUID | None = None
    department: str | None = None
    handler_id: UUID | None = None
    reported_by: str
    merged_into: UUID | None = None
    extensions: int = 0
    due_at: datetime | None = None
    route_again_at: datetime | None = None
    occurred_at: datetime
    reported_at: datetime
    filed_at: datetime | None = None
    closed_at: datetime | None = None
    updated_at: datetime
    seen_by: list[str] = field(default_factory=list)
    head: bytes = b""  # hash of its last history row, which the next one must follow
    suspended_until: datetime | None = None  # when a suspension ends by itself
    condition: str | None = None
    management_level: str | None = None
    component: str | None = None
    held_by: str | None = None
    suspensions: int = 0
    self_handled: bool = False
    sampled: bool = False
    returned_by: str | None = None
    late: bool = False
    appeal: str | None = None
    checker_id: UUID | None = None
    order_id: UUID | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    co_departments: list[str] = field(default_factory=list)
    co_open: list[str] = field(default_factory=list)
    cause_id: UUID | None = None
    had_effects: bool = False
    exercise: bool = False
    check_again_at: datetime | None = None  # when the service tries again to send somebody to look
    check_unmanned: bool = False
    call_id: UUID | None = None  # the call that rings for it
    call_for: str | None = None
    called: list[UUID] = field(default_factory=list)
    responder_id: UUID | None = None

    def case(self) -> Case:
        """The case as decisions see it."""
        return Case(
            id=self.id,
            version=self.version,
            cycle=self.cycle,
            state=State(self.state),
            suspended=self.suspended,
            duty_line=self.duty_line,
            severity=self.severity,
            desk_path=tuple(self.desk_path),
            divisions=tuple(self.divisions),
            cell_code=self.cell_code,
            beat_code=self.beat_code,
            pool=Pool(self.pool) if self.pool else None,
            assignment_id=self.assignment_id,
            officer_id=self.officer_id,
            department=self.department,
            handler_id=self.handler_id,
            reported_by=self.reported_by,
            extensions=self.extensions,
            due_at=self.due_at,
            held_by=self.held_by,
            suspensions=self.suspensions,
            place=self.place_of(),
            returned_by=self.returned_by,
            late=self.late,
            appeal=self.appeal,
            checker_id=self.checker_id,
            order_id=self.order_id,
            co_departments=tuple(self.co_departments),
            co_open=tuple(self.co_open),
            cause_id=self.cause_id,
            self_handled=self.self_handled,
            visit=self.source == VISIT,
            call_for=self.call_for,
            called=tuple(self.called),
            responder_id=self.responder_id,
        )

    def limit(self, book: Rulebook, clock: Clock, department: str | None = None) -> Limit:
        """How long `clock` may run on this case, by the rules of `book`; `department`: of its part, not of the lead."""
        return book.limit(
            clock,
            book.categories[(self.edition, self.category)],
            condition=self.condition,
            management_level=self.management_level,
            divisions=self.divisions,
            department=department or self.department,
        )

    def keyed(self) -> CaseRow:
        """The same row with the keys that open it now (schema.sql, "Who sees what")."""
        return replace(self, seen_by=case_keys(self.case().whereabouts()))

    def place_of(self) -> Place | None:
        """Where it is, WGS-84; None while nobody knows."""
        return None if self.lon is None or self.lat is None else Place(self.lon, self.lat)


ADD = Statement(
    Nothing,
    """
    INSERT INTO cases (
           id, number, version, cycle, state, suspended, source, edition, category, duty_line, severity,
           description, address, desk_path, place, grid_set_id, division_code, divisions, cell_code, cell_method,
           on_border, neighbours, beat_code, pool, assignment_id, officer_id, department, handler_id,
           reported_by, merged_into, extensions, due_at, route_again_at, occurred_at, reported_at,
           filed_at, closed_at, updated_at, seen_by, head, suspended_until, condition, management_level,
           self_handled, sampled, component, attributes, exercise, check_again_at)
    SELECT id, number, version, cycle, state, suspended, source, edition, category, duty_line, severity,
           description, address, desk_path, ST_SetSRID(ST_MakePoint(lon, lat), 4326), grid_set_id, division_code,
           divisions, cell_code, cell_method,
           on_border, neighbours, beat_code, pool, assignment_id, officer_id, department, handler_id,
           reported_by, merged_into, extensions, due_at, route_again_at, occurred_at, reported_at,
           filed_at, closed_at, updated_at, seen_by, head, suspended_until, condition, management_level,
           self_handled, sampled, component, attributes, exercise, check_again_at
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, number text, version integer, cycle integer, state text, suspended boolean, source text,
           edition text, category text, duty_line text, severity text, description text, address text,
           desk_path text[], lon float8, lat float8, grid_set_id integer, division_code text, divisions text[],
           cell_code text,
           cell_method text, on_border boolean, neighbours text[], beat_code text, pool text,
           assignment_id uuid, officer_id uuid, department text, handler_id uuid, reported_by text,
           merged_into uuid, extensions integer, due_at timestamptz, route_again_at timestamptz,
           occurred_at timestamptz, reported_at timestamptz, filed_at timestamptz, closed_at timestamptz,
           updated_at timestamptz, seen_by text[], head bytea, suspended_until timestamptz, condition text,
           management_level text, self_handled boolean, sampled boolean, component text,
           attributes jsonb, exercise boolean, check_again_at timestamptz)
    """,
)

# What a move may change; whatever is not named here is written once, at birth. What is said at birth and
# corrected later stays in `reports`, and the history has both.
_CHANGE = Statement(
    Nothing,
    """
    UPDATE cases AS c
       SET number = r.number, version = r.version, cycle = r.cycle, state = r.state, suspended = r.suspended,
           place = ST_SetSRID(ST_MakePoint(r.lon, r.lat), 4326), grid_set_id = r.grid_set_id,
           division_code = r.division_code,
           divisions = r.divisions, cell_code = r.cell_code, cell_method = r.cell_method,
           on_border = r.on_border, neighbours = r.neighbours, beat_code = r.beat_code, pool = r.pool,
           assignment_id = r.assignment_id, officer_id = r.officer_id, department = r.department,
           handler_id = r.handler_id, merged_into = r.merged_into, extensions = r.extensions,
           due_at = r.due_at, route_again_at = r.route_again_at, filed_at = r.filed_at,
           closed_at = r.closed_at, updated_at = r.updated_at, seen_by = r.seen_by, head = r.head,
           suspended_until = r.suspended_until, condition = r.condition, management_level = r.management_level,
           held_by = r.held_by, suspensions = r.suspensions, returned_by = r.returned_by, late = r.late,
           appeal = r.appeal, checker_id = r.checker_id, order_id = r.order_id,
           co_departments = r.co_departments, co_open = r.co_open, cause_id = r.cause_id,
           call_id = r.call_id, call_for = r.call_for, called = r.called, responder_id = r.responder_id,
           edition = r.edition, category = r.category, duty_line = r.duty_line,
           severity = r.severity, description = r.description, address = r.address, attributes = r.attributes,
           check_again_at = r.check_again_at, check_unmanned = r.check_unmanned,
           lost_in = CASE WHEN r.grid_set_id = c.grid_set_id THEN c.lost_in END   -- said of the place in that set
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, number text, version integer, cycle integer, state text, suspended boolean,
           lon float8, lat float8, grid_set_id integer, division_code text, divisions text[],
           cell_code text, cell_method text, on_border boolean, neighbours text[], beat_code text, pool text,
           assignment_id uuid, officer_id uuid, department text, handler_id uuid, merged_into uuid,
           extensions integer, due_at timestamptz, route_again_at timestamptz, filed_at timestamptz,
           closed_at timestamptz, updated_at timestamptz, seen_by text[], head bytea,
           suspended_until timestamptz, condition text, management_level text,
           held_by text, suspensions integer, returned_by text, late boolean, appeal text,
           checker_id uuid, order_id uuid, co_departments text[], co_open text[], cause_id uuid,
           call_id uuid, call_for text, called uuid[], responder_id uuid,
           edition text, category text, duty_line text, severity text, description text, address text,
           attributes jsonb, check_again_at timestamptz, check_unmanned boolean)
     WHERE c.id = r.id
       AND c.version < r.version   -- the row is locked by the caller; this holds whatever the caller forgot
    """,
)


# Some statements read the same row, most under a lock, and differ in which cases they pick.
_LOCKED: Final = """
    SELECT c.id, c.number, c.version, c.cycle, c.state, c.suspended, c.source, c.edition, c.category,
           c.duty_line, c.severity, c.description, c.address, c.desk_path, ST_X(c.place) AS lon,
           ST_Y(c.place) AS lat, c.grid_set_id, c.division_code,
           c.divisions, c.cell_code, c.cell_method, c.on_border, c.neighbours, c.beat_code, c.pool,
           c.assignment_id, c.officer_id, c.department, c.handler_id, c.reported_by, c.merged_into,
           c.extensions, c.due_at, c.route_again_at, c.occurred_at, c.reported_at, c.filed_at, c.closed_at,
           c.updated_at, c.seen_by, c.head, c.suspended_until, c.condition, c.management_level, c.component,
           c.held_by, c.suspensions, c.self_handled, c.sampled, c.returned_by, c.late, c.appeal,
           c.checker_id, c.order_id, c.attributes, c.co_departments, c.co_open, c.cause_id, c.had_effects,
           c.exercise, c.check_again_at, c.check_unmanned, c.call_id, c.call_for, c.called, c.responder_id
      FROM cases c
"""

_ON_CLOSED: Final = ", ".join(f"'{kind}'" for kind in sorted(RUN_ON_CLOSED))

READ = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.id = $1::uuid
    """,
)

LOCK = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.id = $1::uuid
       FOR UPDATE OF c   -- moves of one case come one after the other
    """,
)

LOCK_MANY = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.id = ANY ($1::uuid[])
     ORDER BY c.id   -- in one order, so that two batches never wait for each other
       FOR UPDATE OF c
    """,
)

# A cause with what waits for it. Two who lock families that meet do so in one order.
LOCK_FAMILY = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.id = ANY ($1::uuid[])
        OR (c.cause_id = $2::uuid AND c.pool = 'cause')
     ORDER BY c.id
       FOR UPDATE OF c
    """,
)


@dataclass(frozen=True)
class _CaseId:
    id: UUID


WAITING_EFFECTS = Statement(
    _CaseId,
    """
    SELECT id
      FROM cases
     WHERE cause_id = $1::uuid
       AND pool = 'cause'
    """,
)

HANDLED_EFFECTS = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.cause_id = $1::uuid
       AND c.state IN ('handled', 'closed')
     ORDER BY c.id
    """,
)

_HAD_EFFECTS = Statement(
    _CaseId,
    """
    SELECT id
      FROM cases
     WHERE id = $1::uuid
       AND had_effects
    """,
)

_NOTE_EFFECTS = Statement(
    Nothing,
    """
    UPDATE cases
       SET had_effects = true
     WHERE id = $1::uuid
       AND NOT had_effects
    """,
)

# What is due, as sweepers take it: a window of what is due longest, and every emergency. Its own index finds those, so
# that they need not wait until a backlog before them is read. The lock is taken beneath the limit, so that sweepers
# side by side each get a batch of their own. Damaged rows cannot be; if they are (gridsvc verify says so), one of
# them must not stop all ladders.
_WINDOW: Final = 10
"""How many batches of what is due longest are looked through for what is graver."""

LOCK_DUE = Statement(
    CaseRow,
    f"""
    WITH seen AS MATERIALIZED (
      (SELECT k.case_id, k.next_fire_at, o.severity
         FROM clocks k
         JOIN cases o ON o.id = k.case_id
        WHERE k.next_fire_at <= $1::timestamptz
          AND (o.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
               OR (o.state = 'closed' AND k.kind IN ({_ON_CLOSED})))
        ORDER BY k.next_fire_at
        LIMIT {_WINDOW} * $2::integer)
      UNION ALL
      (SELECT k.case_id, k.next_fire_at, o.severity
         FROM cases o
         JOIN clocks k ON k.case_id = o.id
        WHERE o.severity = 'emergency'
          AND o.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
          AND k.next_fire_at <= $1::timestamptz
        ORDER BY k.next_fire_at
        LIMIT $2::integer)
    ), due AS MATERIALIZED (   -- a fence: the planner must not lock more cases than LIMIT says
      SELECT o.id
        FROM seen s
        JOIN cases o ON o.id = s.case_id
       ORDER BY s.severity = 'emergency' DESC, s.severity = 'high' DESC, s.next_fire_at
       LIMIT $2::integer
         FOR UPDATE OF o SKIP LOCKED   -- another sweeper has it, or a person is at it: next round
    )
{_LOCKED}     WHERE c.id IN (SELECT id FROM due)
     ORDER BY c.id
       FOR UPDATE OF c   -- ours already; asked again for the row as it is now
    """,  # noqa: S608 - joined from constants
)

LOCK_WAITING = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.route_again_at <= $1::timestamptz
     ORDER BY c.route_again_at, c.id
     LIMIT $2::integer
       FOR UPDATE OF c SKIP LOCKED   -- being routed this instant
    """,
)

LOCK_TO_CHECK = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.id = ANY ($1::uuid[])
       AND c.check_again_at IS NOT NULL
     ORDER BY c.id
       FOR UPDATE OF c SKIP LOCKED   -- a person is at it, and may send somebody himself; else it is tried again
    """,
)

LOCK_UNCHECKED = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.check_again_at <= $1::timestamptz
     ORDER BY c.check_again_at
     LIMIT $2::integer
       FOR UPDATE OF c SKIP LOCKED   -- somebody is being sent this instant
    """,
)

LOCK_OVER_SUSPENDED = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.suspended_until <= $1::timestamptz
       -- Cannot be otherwise; if it is, one damaged row must stop neither the others nor the ladders.
       AND c.state IN ('assigned', 'accepted', 'in_progress')
     ORDER BY c.suspended_until
     LIMIT $2::integer
       FOR UPDATE OF c SKIP LOCKED   -- a person is at it: next round
    """,
)

LOCK_TO_WIDEN = Statement(
    CaseRow,
    f"""
    WITH due AS MATERIALIZED (   -- a fence, as above
      SELECT k.case_id
        FROM calls k
       WHERE k.next_round_at <= $1::timestamptz
         AND k.ended_at IS NULL
       ORDER BY k.next_round_at
       LIMIT $2::integer
    )
{_LOCKED}     WHERE c.id IN (SELECT case_id FROM due)
       -- Cannot be otherwise; if it is, one damaged row must not stop the other calls.
       AND c.call_id IS NOT NULL
       AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
     ORDER BY c.id
       FOR UPDATE OF c SKIP LOCKED   -- another sweeper has it, or somebody accepts this instant: next round
    """,  # noqa: S608 - joined from constants
)

LOCK_OUTDATED = Statement(
    CaseRow,
    f"""
    WITH in_force AS MATERIALIZED (
      SELECT edition FROM ladder_editions WHERE state = 'published'
    ), outdated AS MATERIALIZED (   -- a fence, as above
      SELECT DISTINCT case_id
        FROM (SELECT k.case_id
                FROM clocks k
                JOIN calendars w ON w.code = k.calendar
               WHERE k.state <> 'stopped'
                 AND k.edition < w.edition
              UNION ALL
              SELECT k.case_id
                FROM clocks k
                JOIN calendars w ON w.code = k.rung_calendar
               WHERE k.state <> 'stopped'
                 AND k.edition < w.edition
              UNION ALL   -- another edition of the ladders: a later one, or after a roll-back an earlier one
              SELECT k.case_id
                FROM clocks k
               WHERE k.state <> 'stopped'
                 AND (k.ladder_edition < (SELECT edition FROM in_force)
                      OR k.ladder_edition > (SELECT edition FROM in_force))) k
       LIMIT $1::integer
    )
{_LOCKED}     WHERE c.id IN (SELECT case_id FROM outdated)
     ORDER BY c.id
       FOR UPDATE OF c SKIP LOCKED   -- whoever has it computes anew himself, or it is taken next round
    """,  # noqa: S608 - joined from constants
)

# Set and cell of an open case that is to follow another set ($1); what has no cell there is not asked twice.
TO_FOLLOW: Final = """c.cell_code IS NOT NULL
       AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
       AND (c.grid_set_id < $1::integer OR c.grid_set_id > $1::integer)   -- for the index: <> has none
       AND c.lost_in IS DISTINCT FROM $1::integer"""

LOCK_TO_FOLLOW = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE {TO_FOLLOW}
     ORDER BY c.id
     LIMIT $2::integer
       FOR UPDATE OF c SKIP LOCKED   -- another sweeper has it, or a person is at it: next round
    """,
)

OPEN_IN_A_CELL = Statement(
    CaseRow,
    f"""
{_LOCKED}     WHERE c.cell_code IS NOT NULL
       AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
       AND c.id > $1::uuid
     ORDER BY c.id
     LIMIT $2::integer
    """,
)

_DUE_ANEW = Statement(
    Nothing,
    """
    UPDATE cases c
       SET due_at = r.due_at, updated_at = r.updated_at
      FROM json_to_recordset($1::text::json) AS r (id uuid, due_at timestamptz, updated_at timestamptz)
     WHERE c.id = r.id
    """,
)

_ROUTE_AGAIN = Statement(
    Nothing,
    """
    UPDATE cases
       SET route_again_at = $2::timestamptz
     WHERE id = ANY ($1::uuid[])
    """,
)

_CHECK_AGAIN = Statement(
    Nothing,
    """
    UPDATE cases
       SET check_again_at = $2::timestamptz, check_unmanned = check_unmanned OR $3::boolean
     WHERE id = ANY ($1::uuid[])
    """,
)

_CHECK_BEATS_NOW = Statement(
    Nothing,
    """
    UPDATE cases c
       SET check_again_at = $2::timestamptz
      FROM officer_beats b
     WHERE b.officer_id = $1::uuid
       AND c.check_unmanned
       AND c.duty_line = b.duty_line
       AND c.beat_code = b.beat_code
    """,
)

_ROUTE_BEATS_NOW = Statement(
    Nothing,
    """
    UPDATE cases c
       SET route_again_at = $2::timestamptz
      FROM officer_beats b
     WHERE b.officer_id = $1::uuid
       AND c.pool = 'dispatch'
       AND c.route_again_at IS NOT NULL   -- NULL: given back by a person, and for a person to send on
       AND c.duty_line = b.duty_line
       AND c.beat_code = b.beat_code
    """,
)


def located(place: Place, owner: Owner) -> dict[str, Any]:
    """The columns that say where a case lies and whose cell that is."""
    return {
        "lon": place.lon,
        "lat": place.lat,
        "grid_set_id": owner.grid_set_id,
        "division_code": owner.division_code,
        "divisions": list(owner.divisions),
        "cell_code": owner.cell_code,
        "cell_method": owner.method,
        "on_border": owner.border,
        "neighbours": list(owner.neighbours),
        "beat_code": owner.beat_code,
        "management_level": owner.management_level,
    }


async def add(conn: Conn, rows: Sequence[CaseRow]) -> None:
    """Keep new cases."""
    await ADD.run(conn, rows_text([_fields(row) for row in rows]))


async def change(conn: Conn, rows: Sequence[CaseRow]) -> None:
    """Keep what moves made of cases that the caller holds locked."""
    await _CHANGE.run(conn, rows_text([_fields(row) for row in rows]))


async def due_anew(conn: Conn, rows: Sequence[CaseRow]) -> None:
    """Keep the deadline of cases that the caller holds locked, where nothing else changed: no move, no new version."""
    if rows:
        kept = [{"id": row.id, "due_at": row.due_at, "updated_at": row.updated_at} for row in rows]
        await _DUE_ANEW.run(conn, rows_text(kept))


async def read(conn: Conn, case_id: UUID) -> CaseRow | None:
    """The case as it stands, for whoever only looks; None when it is not there for this scope."""
    return await READ.one(conn, case_id)


async def lock(conn: Conn, case_id: UUID) -> CaseRow | None:
    """The case for a change, locked until the transaction ends; None when it is not there for this scope."""
    return await LOCK.one(conn, case_id)


async def lock_many(conn: Conn, case_ids: Sequence[UUID]) -> dict[UUID, CaseRow]:
    """These cases for a change, locked until the transaction ends; those that are not there are left out."""
    return {row.id: row for row in await LOCK_MANY.all(conn, list(case_ids))}


async def had_effects(conn: Conn, case_id: UUID) -> bool:
    """Whether another case was ever linked to this one; False where it is not there for this scope."""
    return await _HAD_EFFECTS.one(conn, case_id) is not None


async def note_effects(conn: Conn, case_id: UUID) -> None:
    """Note that another case was linked to this one, which the caller holds locked: no move, no new version."""
    await _NOTE_EFFECTS.run(conn, case_id)


async def lock_family(conn: Conn, case_ids: Sequence[UUID], cause_id: UUID) -> dict[UUID, CaseRow]:
    """These cases and every effect that waits for `cause_id`, locked in the order of their ids. As the service."""
    return {row.id: row for row in await LOCK_FAMILY.all(conn, list(case_ids), cause_id)}


async def waiting_effects(conn: Conn, cause_id: UUID) -> set[UUID]:
    """What waits for `cause_id` in the pool `cause`. As the service."""
    return {row.id for row in await WAITING_EFFECTS.all(conn, cause_id)}


async def handled_effects(conn: Conn, cause_id: UUID) -> list[CaseRow]:
    """What was handled with `cause_id`, closed or not, by id; not locked. As the service."""
    return await HANDLED_EFFECTS.all(conn, cause_id)


async def route_again(conn: Conn, case_ids: Sequence[UUID], at: datetime) -> None:
    """When the reconciler looks at these cases again, unless they have found an owner by then."""
    await _ROUTE_AGAIN.run(conn, list(case_ids), at)


async def route_beats_now(conn: Conn, officer_id: UUID, now: datetime) -> int:
    """Let the pooled cases of the officer's beats be routed at once; how many there are."""
    return await _ROUTE_BEATS_NOW.run(conn, officer_id, now)


async def check_again(conn: Conn, case_ids: Sequence[UUID], at: datetime, *, unmanned: bool = False) -> None:
    """When it is tried again to send somebody to these cases; `unmanned`: nobody could be sent, and the desk knows."""
    await _CHECK_AGAIN.run(conn, list(case_ids), at, unmanned)


async def check_beats_now(conn: Conn, officer_id: UUID, now: datetime) -> int:
    """Let it be tried at once in the officer's beats where nobody could be sent; how many cases there are."""
    return await _CHECK_BEATS_NOW.run(conn, officer_id, now)


def _fields(row: CaseRow) -> dict[str, object]:
    return {**vars(row), "head": bytea_text(row.head)}
