"""The tables `outages`, `outage_steps`, `clock_outages` and `outage_changes`: who could not work, and what it moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.case_state import Clock
from gridsvc.domain.outage import Had, Outage, OutageState, Step
from gridsvc.store.rows import rows_text

IN_FLIGHT: Final = timedelta(minutes=2)
"""A transaction that began before an outage ended has ended by then, and with it whatever clock it starts."""


@dataclass(frozen=True, kw_only=True)
class _OutageRow:
    id: UUID
    version: int
    state: str
    reason: str
    words: str
    division_code: str | None
    duty_line: str | None
    department: str | None
    kinds: list[str]
    also_emergencies: bool
    from_at: datetime
    until_at: datetime | None
    declared_by: str
    declared_at: datetime
    approved_by: str | None
    pass_after: UUID | None
    looked_at: datetime | None

    def outage(self) -> Outage:
        return Outage(
            id=self.id, version=self.version, state=OutageState(self.state), reason=self.reason, words=self.words,
            division=self.division_code, duty_line=self.duty_line, department=self.department,
            kinds=frozenset(Clock(each) for each in self.kinds), also_emergencies=self.also_emergencies,
            start=self.from_at, end=self.until_at, declared_by=self.declared_by, declared_at=self.declared_at,
            approved_by=self.approved_by,
        )  # fmt: skip


_OUTAGE: Final = """
    SELECT o.id, o.version, o.state, o.reason, o.words, o.division_code, o.duty_line, o.department, o.kinds,
           o.also_emergencies, o.from_at, o.until_at, o.declared_by, o.declared_at, o.approved_by, o.pass_after,
           o.looked_at
      FROM outages o
"""

_ADD = Statement(
    Nothing,
    """
    INSERT INTO outages (id, version, state, reason, words, division_code, duty_line, department, kinds,
                         also_emergencies, from_at, until_at, declared_by, declared_at)
    VALUES ($1::uuid, $2::integer, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text[],
            $10::boolean, $11::timestamptz, $12::timestamptz, $13::text, $14::timestamptz)
    """,
)

# A pass that is under way begins anew: the cases behind it were read with the outage as it was.
_CHANGE = Statement(
    Nothing,
    """
    UPDATE outages
       SET version = $2::integer, state = $3::text, until_at = $4::timestamptz, approved_by = $5::text,
           pass_at = $6::timestamptz, pass_after = NULL
     WHERE id = $1::uuid
       AND version < $2::integer
    """,
)

_ADD_STEP = Statement(
    Nothing,
    """
    INSERT INTO outage_steps (outage_id, version, step, made_by, made_at, until_at, note)
    VALUES ($1::uuid, $2::integer, $3::text, $4::text, $5::timestamptz, $6::timestamptz, $7::text)
    """,
)

_LOCK = Statement(
    _OutageRow,
    f"""
{_OUTAGE}     WHERE o.id = $1::uuid
       FOR NO KEY UPDATE OF o   -- steps of one outage come one after the other, and none during a page of its pass
    """,
)

_READ = Statement(_OutageRow, f"""{_OUTAGE}     WHERE o.id = $1::uuid""")

_LIST = Statement(
    _OutageRow,
    f"""
{_OUTAGE}     WHERE ($1::text IS NULL OR o.state = $1::text)
       AND ($2::timestamptz IS NULL OR (o.declared_at, o.id) < ($2::timestamptz, $3::uuid))
     ORDER BY o.declared_at DESC, o.id DESC
     LIMIT $4::integer
    """,
)

_TO_PASS = Statement(
    _OutageRow,
    f"""
{_OUTAGE}     WHERE o.pass_at <= $1::timestamptz
     ORDER BY o.pass_at
     LIMIT 1
       FOR NO KEY UPDATE OF o SKIP LOCKED   -- another sweeper is at it; who keeps a stretch of it goes on
    """,
)

_RUNNING = Statement(
    _OutageRow,
    f"""
{_OUTAGE}     WHERE o.state = 'approved'
       AND o.from_at <= $1::timestamptz
       AND (o.until_at IS NULL OR o.until_at > $1::timestamptz OR o.pass_at IS NOT NULL)
     ORDER BY o.id
    """,
)

_LOOKED = Statement(
    Nothing,
    "UPDATE outages SET looked_at = $2::timestamptz WHERE id = $1::uuid AND looked_at < $2::timestamptz",
)

_PASSED = Statement(
    Nothing,
    """
    UPDATE outages
       SET pass_at = $2::timestamptz, pass_after = $3::uuid, looked_at = coalesce($4::timestamptz, looked_at)
     WHERE id = $1::uuid
    """,
)


@dataclass(frozen=True)
class _CaseId:
    id: UUID


# Whoever may lie in its scope, and whoever it has touched: the decision is made case by case, under the lock. By the
# primary key, so that a page goes on where the last one ended.
_TOUCHED_AFTER = Statement(
    _CaseId,
    """
    (SELECT c.id
       FROM cases c
      WHERE c.id > $2::uuid
        AND $3::boolean
        AND ($4::text IS NULL OR $4::text = ANY (c.divisions))
        AND ($5::text IS NULL OR c.duty_line = $5::text)
        AND EXISTS (SELECT FROM clocks k
                     WHERE k.case_id = c.id
                       AND k.kind = ANY ($6::text[])
                       AND k.started_at < $8::timestamptz
                       AND (k.stopped_at IS NULL OR k.stopped_at > $7::timestamptz))
      ORDER BY c.id
      LIMIT $9::integer)
    UNION
    (SELECT DISTINCT k.case_id
       FROM clock_outages o
       JOIN clocks k ON k.id = o.clock_id
      WHERE o.outage_id = $1::uuid
        AND k.case_id > $2::uuid
      ORDER BY k.case_id
      LIMIT $9::integer)
     ORDER BY id
     LIMIT $9::integer
    """,
)

# What has come since: a clock begins with a move of its case.
_BEGUN_SINCE = Statement(
    _CaseId,
    """
    SELECT c.id
      FROM cases c
     WHERE c.updated_at >= $2::timestamptz
       AND ($3::text IS NULL OR $3::text = ANY (c.divisions))
       AND ($4::text IS NULL OR c.duty_line = $4::text)
       AND ($5::text IS NULL OR c.department = $5::text OR $5::text = ANY (c.co_departments))
       AND (CASE WHEN c.severity = 'emergency' AND NOT $7::boolean
                 THEN EXISTS (SELECT FROM clocks k JOIN clock_outages o ON o.clock_id = k.id
                               WHERE k.case_id = c.id AND k.state <> 'stopped' AND o.outage_id = $1::uuid)
                 ELSE EXISTS (SELECT FROM clocks k
                               WHERE k.case_id = c.id AND k.state <> 'stopped' AND k.kind = ANY ($6::text[])
                                 AND NOT EXISTS (SELECT FROM clock_outages o
                                                  WHERE o.clock_id = k.id AND o.outage_id = $1::uuid)) END)
     ORDER BY c.id
     LIMIT $8::integer
    """,
)


@dataclass(frozen=True)
class _HadRow:
    case_id: UUID
    cycle: int
    department: str
    start: datetime
    end: datetime | None


_HAD = Statement(
    _HadRow,
    """
    SELECT case_id, cycle, department, assigned_at AS start, ended_at AS "end"
      FROM assignments
     WHERE case_id = ANY ($1::uuid[])
       AND department IS NOT NULL
       AND ended_why IS DISTINCT FROM 'undone'   -- that one nobody had
     ORDER BY case_id, assigned_at
    """,
)

_SET = Statement(
    Nothing,
    """
    INSERT INTO clock_outages (clock_id, outage_id, from_at, to_at)
    SELECT clock_id, outage_id, from_at, to_at
      FROM json_to_recordset($1::text::json) AS r (
           clock_id uuid, outage_id uuid, from_at timestamptz, to_at timestamptz)
        ON CONFLICT (clock_id, outage_id) DO UPDATE SET from_at = excluded.from_at, to_at = excluded.to_at
    """,
)

_REMOVE = Statement(
    Nothing,
    """
    DELETE FROM clock_outages o
     USING unnest($1::uuid[], $2::uuid[]) AS g (clock_id, outage_id)
     WHERE o.clock_id = g.clock_id
       AND o.outage_id = g.outage_id
    """,
)


@dataclass(frozen=True)
class _Ended:
    clock_id: UUID


_END_OPEN = Statement(
    _Ended,
    """
    UPDATE clock_outages
       SET to_at = greatest(from_at, $2::timestamptz)
     WHERE clock_id = ANY ($1::uuid[])
       AND to_at IS NULL
    RETURNING clock_id
    """,
)


@dataclass(frozen=True, kw_only=True)
class OutageChange:
    """What an outage made of a clock: `stands`, `moved` or `taken_back`."""

    clock_id: UUID
    outage_id: UUID
    changed_at: datetime
    what: str
    due_at: datetime
    before_due_at: datetime


_ADD_CHANGES = Statement(
    Nothing,
    """
    INSERT INTO outage_changes (clock_id, outage_id, changed_at, what, due_at, before_due_at)
    SELECT clock_id, outage_id, changed_at, what, due_at, before_due_at
      FROM json_to_recordset($1::text::json) AS r (
           clock_id uuid, outage_id uuid, changed_at timestamptz, what text, due_at timestamptz,
           before_due_at timestamptz)
    """,
)

CHANGES_OF_CASE = Statement(
    OutageChange,
    """
    SELECT h.clock_id, h.outage_id, h.changed_at, h.what, h.due_at, h.before_due_at
      FROM outage_changes h
      JOIN clocks k ON k.id = h.clock_id
     WHERE k.case_id = $1::uuid
     ORDER BY h.changed_at, h.outage_id
    """,
)


@dataclass(frozen=True)
class StepRow:
    """One step of an outage."""

    outage_id: UUID
    version: int
    step: str
    made_by: str
    made_at: datetime
    until_at: datetime | None
    note: str


_STEPS = Statement(
    StepRow,
    """
    SELECT outage_id, version, step, made_by, made_at, until_at, note
      FROM outage_steps
     WHERE outage_id = ANY ($1::uuid[])
     ORDER BY outage_id, version
    """,
)


@dataclass(frozen=True)
class Reached:
    """How many clocks stand still or stood still because of an outage, and of how many the deadline is another."""

    outage_id: UUID
    clocks: int
    moved: int


_REACHED = Statement(
    Reached,
    """
    SELECT o.outage_id, count(*)::integer AS clocks, count(k.plain_due_at)::integer AS moved
      FROM clock_outages o
      JOIN clocks k ON k.id = o.clock_id
     WHERE o.outage_id = ANY ($1::uuid[])
     GROUP BY o.outage_id
    """,
)


async def add(conn: Conn, outage: Outage, note: str) -> None:
    """Keep a declaration and its first step."""
    await _ADD.run(
        conn, outage.id, outage.version, outage.state, outage.reason, outage.words, outage.division, outage.duty_line,
        outage.department, sorted(outage.kinds), outage.also_emergencies, outage.start, outage.end, outage.declared_by,
        outage.declared_at,
    )  # fmt: skip
    await _ADD_STEP.run(
        conn, outage.id, 1, Step.DECLARE, outage.declared_by, outage.declared_at, outage.end, note
    )


async def change(
    conn: Conn, after: Outage, step: Step, by: str, note: str, pass_at: datetime | None, now: datetime
) -> None:
    """Keep a step of an outage that the caller holds locked; the clocks follow from `pass_at` on."""
    await _CHANGE.run(conn, after.id, after.version, after.state, after.end, after.approved_by, pass_at)
    await _ADD_STEP.run(conn, after.id, after.version, step, by, now, after.end, note)


async def lock(conn: Conn, outage_id: UUID) -> Outage | None:
    """The outage for a step, locked until the transaction ends; None where there is none."""
    row = await _LOCK.one(conn, outage_id)
    return None if row is None else row.outage()


async def read(conn: Conn, outage_id: UUID) -> Outage | None:
    """The outage as it stands; None where there is none."""
    row = await _READ.one(conn, outage_id)
    return None if row is None else row.outage()


async def listed(
    conn: Conn, state: str | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Outage]:
    """Declarations, the newest first, from behind `before` on."""
    at, last = before or (None, None)
    return [row.outage() for row in await _LIST.all(conn, state, at, last, limit)]


async def steps(conn: Conn, outage_ids: Sequence[UUID]) -> dict[UUID, list[StepRow]]:
    """Every step of these outages, in order."""
    found: dict[UUID, list[StepRow]] = {}
    for row in await _STEPS.all(conn, list(outage_ids)):
        found.setdefault(row.outage_id, []).append(row)
    return found


async def reached(conn: Conn, outage_ids: Sequence[UUID]) -> dict[UUID, Reached]:
    """How many clocks each of these outages reaches. As the service: numbers, no cases."""
    return {row.outage_id: row for row in await _REACHED.all(conn, list(outage_ids))}


@dataclass(frozen=True)
class Passing:
    """An outage through whose cases the sweeper goes; `after` is how far it has come."""

    outage: Outage
    after: UUID | None


async def to_pass(conn: Conn, now: datetime) -> Passing | None:
    """An outage whose clocks must be looked at now, locked; None where there is none, or others are at it."""
    row = await _TO_PASS.one(conn, now)
    return None if row is None else Passing(row.outage(), row.pass_after)


@dataclass(frozen=True)
class Running:
    """An outage that runs, and until when new clocks were looked for; None before its first pass."""

    outage: Outage
    looked_at: datetime | None


async def running(conn: Conn, now: datetime) -> list[Running]:
    """What is approved and runs, and what has ended and has not been gone through since."""
    return [Running(row.outage(), row.looked_at) for row in await _RUNNING.all(conn, now)]


async def passed(
    conn: Conn, outage: Outage, after: UUID | None, again_at: datetime | None, looked_at: datetime | None
) -> None:
    """Keep how far the pass has come (`after`), and when the next one, or the next page, is to be."""
    await _PASSED.run(conn, outage.id, again_at, after, looked_at)


async def looked(conn: Conn, outage: Outage, now: datetime) -> None:
    """New clocks were looked for until `now`."""
    await _LOOKED.run(conn, outage.id, now)


async def touched_after(conn: Conn, outage: Outage, after: UUID | None, now: datetime, limit: int) -> list[UUID]:
    """The next cases, by id, that the outage may concern or has concerned."""
    rows = await _TOUCHED_AFTER.all(
        conn, outage.id, after or UUID(int=0), outage.state is OutageState.APPROVED, outage.division,
        outage.duty_line, sorted(outage.clocks()), outage.start, outage.end or now, limit,
    )  # fmt: skip
    return [row.id for row in rows]


async def begun_since(conn: Conn, outage: Outage, since: datetime, limit: int) -> list[UUID]:
    """Open cases that moved since then and have a clock in its scope that the outage has not reached."""
    rows = await _BEGUN_SINCE.all(
        conn, outage.id, since, outage.division, outage.duty_line, outage.department, sorted(outage.clocks()),
        outage.also_emergencies, limit,
    )  # fmt: skip
    return [row.id for row in rows]


async def had(conn: Conn, case_ids: Sequence[UUID]) -> dict[UUID, list[Had]]:
    """Which departments had these cases, and when."""
    found: dict[UUID, list[Had]] = {}
    for row in await _HAD.all(conn, list(case_ids)):
        found.setdefault(row.case_id, []).append(Had(row.cycle, row.department, row.start, row.end))
    return found


async def put(conn: Conn, stretches: Sequence[tuple[UUID, UUID, datetime, datetime | None]]) -> None:
    """Keep from when to when clocks stand still: clock, outage, from, to; in the place of what was kept of both."""
    if stretches:
        await _SET.run(
            conn,
            rows_text(
                [
                    {"clock_id": clock, "outage_id": outage, "from_at": start, "to_at": end}
                    for clock, outage, start, end in stretches
                ]
            ),
        )


async def remove(conn: Conn, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """These clocks (first) did not stand still because of these outages (second) after all."""
    if pairs:
        await _REMOVE.run(conn, [clock for clock, _ in pairs], [outage for _, outage in pairs])


async def end_open(conn: Conn, clock_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Of these clocks, which stop now, those that stood still in an outage without an end; for them it ends now."""
    return {row.clock_id for row in await _END_OPEN.all(conn, list(clock_ids), now)}


async def add_changes(conn: Conn, rows: Sequence[OutageChange]) -> None:
    """Keep what outages made of clocks."""
    if rows:
        await _ADD_CHANGES.run(conn, rows_text([vars(row) for row in rows]))
