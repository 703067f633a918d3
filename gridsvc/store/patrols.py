"""The tables `patrol_plans`, `patrols` and `patrol_cells`, and what of the ways of officers concerns a patrol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.patrol import CellWalk, Gap, Passage, Patrol, Walked
from gridsvc.domain.stays import UNKNOWN_AFTER
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class PatrolPlanRow:
    """One plan."""

    id: UUID
    code: str
    duty_line: str
    beat_code: str
    shifts: str
    cells: list[str]
    times: int
    stay: timedelta
    warn: timedelta
    active: bool


@dataclass(frozen=True, kw_only=True)
class ActivePlan(PatrolPlanRow):
    """A plan in use, with where its beat lies and all its cells by the grid set in force."""

    divisions: list[str]
    beat_cells: list[str]


_PLAN = "p.id, p.code, p.duty_line, p.beat_code, p.shifts, p.cells, p.times, p.stay, p.warn, p.active"

_PUT = Statement(
    Nothing,
    """
    INSERT INTO patrol_plans (id, code, duty_line, beat_code, shifts, cells, times, stay, warn, active, entered_by,
                              entered_at)
    SELECT id, code, duty_line, beat_code, shifts, cells, times, make_interval(secs => stay_s),
           make_interval(secs => warn_s), active, $2::text, $3::timestamptz
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, code text, duty_line text, beat_code text, shifts text, cells text[], times integer, stay_s float8,
           warn_s float8, active boolean)
     ORDER BY code
        ON CONFLICT (code) DO UPDATE
       SET duty_line = excluded.duty_line, beat_code = excluded.beat_code, shifts = excluded.shifts,
           cells = excluded.cells, times = excluded.times, stay = excluded.stay, warn = excluded.warn,
           active = excluded.active, entered_by = excluded.entered_by, entered_at = excluded.entered_at
    """,
)

PLANS = Statement(
    PatrolPlanRow,
    f"""
    SELECT {_PLAN}
      FROM patrol_plans p
     WHERE ($1::text IS NULL OR p.code > $1::text)
     ORDER BY p.code
     LIMIT $2::integer
    """,  # noqa: S608 - a constant of ours
)

# A beat that is not in the grid set in force is not walked.
ACTIVE = Statement(
    ActivePlan,
    f"""
    SELECT {_PLAN}, d.path AS divisions,
           ARRAY(SELECT c.cell_code FROM beat_cells c
                  WHERE c.grid_set_id = b.grid_set_id AND c.duty_line = b.duty_line AND c.beat_code = b.code
                  ORDER BY c.cell_code) AS beat_cells
      FROM patrol_plans p
      JOIN beats b ON b.grid_set_id = grid_set_at($1::timestamptz) AND b.duty_line = p.duty_line
                  AND b.code = p.beat_code
      JOIN divisions d ON d.grid_set_id = b.grid_set_id AND d.code = b.division_code
     WHERE p.active
     ORDER BY p.id
    """,  # noqa: S608 - a constant of ours
)


@dataclass(frozen=True)
class BeatRow:
    """A beat of the grid set in force with its cells."""

    duty_line: str
    code: str
    divisions: list[str]
    cells: list[str]


BEATS = Statement(
    BeatRow,
    """
    SELECT b.duty_line, b.code, d.path AS divisions, array_agg(c.cell_code ORDER BY c.cell_code) AS cells
      FROM beats b
      JOIN divisions d ON d.grid_set_id = b.grid_set_id AND d.code = b.division_code
      JOIN beat_cells c ON c.grid_set_id = b.grid_set_id AND c.duty_line = b.duty_line AND c.beat_code = b.code
     WHERE b.grid_set_id = grid_set_at($1::timestamptz)
     GROUP BY b.duty_line, b.code, d.path
    """,
)


async def put_plans(conn: Conn, rows: Sequence[PatrolPlanRow], by: str, now: datetime) -> None:
    """Keep these plans; one of the same code is replaced. A patrol that has begun stays as it is."""
    kept = [
        {**vars(row), "stay_s": row.stay.total_seconds(), "warn_s": row.warn.total_seconds()} for row in rows
    ]
    for row in kept:
        del row["stay"], row["warn"]
    await _PUT.run(conn, rows_text(kept), by, now)


@dataclass(frozen=True, kw_only=True)
class PatrolRow:
    """One patrol: a shift of a plan, as it was when it began."""

    id: UUID
    plan_id: UUID
    code: str
    duty_line: str
    beat_code: str
    divisions: list[str]
    from_at: datetime
    until_at: datetime
    warn_at: datetime
    cells: list[str]
    times: int
    stay: timedelta
    warned_at: datetime | None = None
    judged_at: datetime | None = None
    settled_at: datetime | None = None
    officers: list[UUID] = field(default_factory=list)

    def patrol(self) -> Patrol:
        """As decisions know it."""
        return Patrol(
            from_at=self.from_at, until_at=self.until_at, cells=tuple(self.cells), times=self.times, stay=self.stay
        )


_COLUMNS = """p.id, p.plan_id, l.code, p.duty_line, p.beat_code, p.divisions, p.from_at, p.until_at, p.warn_at, p.cells,
           p.times, p.stay, p.warned_at, p.judged_at, p.settled_at, p.officers
      FROM patrols p
      JOIN patrol_plans l ON l.id = p.plan_id"""

_BEGIN = Statement(
    Nothing,
    """
    INSERT INTO patrols (id, plan_id, duty_line, beat_code, divisions, seen_by, from_at, until_at, warn_at, cells,
                         times, stay)
    SELECT id, plan_id, duty_line, beat_code, divisions, seen_by, from_at, until_at, warn_at, cells, times,
           make_interval(secs => stay_s)
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, plan_id uuid, duty_line text, beat_code text, divisions text[], seen_by text[], from_at timestamptz,
           until_at timestamptz, warn_at timestamptz, cells text[], times integer, stay_s float8)
        ON CONFLICT (plan_id, from_at) DO NOTHING
    """,
)


async def begin(conn: Conn, rows: Sequence[tuple[PatrolRow, Sequence[str]]]) -> int:
    """Keep patrols that begin, each with the keys that show it; one that has begun stays. Returns how many began."""
    kept = []
    for row, keys in rows:
        one = {**vars(row), "seen_by": list(keys), "stay_s": row.stay.total_seconds()}
        for name in ("code", "stay", "warned_at", "judged_at", "settled_at", "officers"):
            del one[name]
        kept.append(one)
    return await _BEGIN.run(conn, rows_text(kept)) if kept else 0


# What a warning, a judgement or the last judgement is due for; SKIP LOCKED: another worker sees to it.
DUE = Statement(
    PatrolRow,
    f"""
    SELECT {_COLUMNS}
     WHERE p.settled_at IS NULL
       AND CASE WHEN p.judged_at IS NOT NULL THEN p.until_at <= $2::timestamptz
                WHEN p.until_at <= $1::timestamptz THEN true
                ELSE p.warned_at IS NULL AND p.warn_at <= $3::timestamptz END
     ORDER BY p.until_at, p.id
     LIMIT $4::integer
       FOR UPDATE OF p SKIP LOCKED
    """,
)

_SEEN_TO = Statement(
    Nothing,
    """
    UPDATE patrols p
       SET warned_at = coalesce(p.warned_at, $2::timestamptz),
           judged_at = CASE WHEN r.judged THEN coalesce(p.judged_at, $2::timestamptz) END,
           settled_at = CASE WHEN r.settled THEN $2::timestamptz END,
           officers = r.officers
      FROM json_to_recordset($1::text::json) AS r (id uuid, judged boolean, settled boolean, officers uuid[])
     WHERE p.id = r.id
    """,
)

_KEEP_CELLS = Statement(
    Nothing,
    """
    INSERT INTO patrol_cells (patrol_id, cell_code, state, times, officers)
    SELECT patrol_id, cell_code, state, times, officers
      FROM json_to_recordset($1::text::json) AS r (
           patrol_id uuid, cell_code text, state text, times integer, officers uuid[])
        ON CONFLICT (patrol_id, cell_code) DO UPDATE
       SET state = excluded.state, times = excluded.times, officers = excluded.officers
    """,
)


@dataclass(frozen=True)
class SeenTo:
    """What has been done about a patrol: warned of at least; `judged` when it ended, `settled` for good."""

    id: UUID
    judged: bool
    settled: bool
    officers: Sequence[UUID]


async def see_to(conn: Conn, done: Sequence[SeenTo], now: datetime) -> None:
    """Note what has been done about patrols."""
    if done:
        await _SEEN_TO.run(conn, rows_text([vars(each) for each in done]), now)


async def keep_cells(conn: Conn, judged: Mapping[UUID, Mapping[str, CellWalk]]) -> None:
    """Keep how the cells of these patrols stand at their end."""
    rows = [
        {"patrol_id": patrol, "cell_code": cell, "state": each.state, "times": each.times, "officers": each.officers}
        for patrol, walks in judged.items()
        for cell, each in walks.items()
    ]
    if rows:
        await _KEEP_CELLS.run(conn, rows_text(rows))


@dataclass(frozen=True)
class _Passed:
    patrol_id: UUID
    officer_id: UUID
    cell: str
    entered_at: datetime
    left_at: datetime


# Stays begin at most a shift and a day before it; whoever of the duty line is there walks the cell.
PASSED = Statement(
    _Passed,
    """
    SELECT w.id AS patrol_id, s.officer_id, s.cell_code AS cell, s.entered_at, s.left_at
      FROM patrols w
      JOIN cell_stays s ON s.cell_code = ANY (w.cells)
                       AND s.entered_at >= w.from_at - interval '1 day' AND s.entered_at < w.until_at
                       AND s.left_at > w.from_at
      JOIN officers o ON o.user_id = s.officer_id AND o.duty_line = w.duty_line
     WHERE w.id = ANY ($1::uuid[])
    """,
)


@dataclass(frozen=True)
class _Silence:
    patrol_id: UUID
    officer_id: UUID
    gap: bool
    from_at: datetime
    until_at: datetime


# Of each officer of the beat on duty in the shift: one row that says so, and one for each stretch in which nothing was
# heard of him for longer than a stay may last without a word. Those count when the shift is over: before, none is read.
SILENCES = Statement(
    _Silence,
    """
    WITH spans AS (
      SELECT w.id, d.officer_id, greatest(d.from_at, w.from_at) AS since,
             least(coalesce(d.until_at, $2::timestamptz), w.until_at, $2::timestamptz) AS until,
             w.until_at <= $2::timestamptz AS over
        FROM patrols w
        JOIN officer_beats b ON b.duty_line = w.duty_line AND b.beat_code = w.beat_code
        JOIN duty_spans d ON d.officer_id = b.officer_id AND d.from_at < least(w.until_at, $2::timestamptz)
                         AND coalesce(d.until_at, 'infinity') > w.from_at
       WHERE w.id = ANY ($1::uuid[])
    ), marks AS (
      SELECT id, officer_id, since, until, since AS at FROM spans WHERE over
       UNION ALL
      SELECT id, officer_id, since, until, until FROM spans WHERE over
       UNION ALL
      SELECT s.id, s.officer_id, s.since, s.until, t.taken_at
        FROM spans s
        JOIN officer_trails t ON t.officer_id = s.officer_id AND t.slot_at >= s.since - interval '20 seconds'
                             AND t.slot_at <= s.until
       WHERE s.over AND NOT t.mocked AND t.taken_at BETWEEN s.since AND s.until
    ), steps AS (
      SELECT id, officer_id, lag(at) OVER (PARTITION BY id, officer_id, since ORDER BY at) AS before, at FROM marks
    )
    SELECT id AS patrol_id, officer_id, false AS gap, since AS from_at, until AS until_at FROM spans
     UNION ALL
    SELECT id, officer_id, true, before, at FROM steps WHERE at - before > $3::interval
    """,
)


@dataclass
class Facts:
    """What is known of one patrol."""

    passages: list[Passage] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    officers: set[UUID] = field(default_factory=set)  # of the beat, on duty in the shift


async def facts(conn: Conn, patrols: Sequence[UUID], now: datetime) -> dict[UUID, Facts]:
    """What is known at `now` of the ways of officers that concerns each of these patrols. As the service."""
    found: dict[UUID, Facts] = defaultdict(Facts)
    if not patrols:
        return found
    for each in await PASSED.all(conn, list(patrols)):
        found[each.patrol_id].passages.append(Passage(each.officer_id, each.cell, each.entered_at, each.left_at))
    for row in await SILENCES.all(conn, list(patrols), now, UNKNOWN_AFTER):
        found[row.patrol_id].officers.add(row.officer_id)
        if row.gap:
            found[row.patrol_id].gaps.append(Gap(row.officer_id, row.from_at, row.until_at))
    return found


@dataclass(frozen=True)
class _Kept:
    patrol_id: UUID
    cell: str
    state: str
    times: int
    officers: list[UUID]


_KEPT = Statement(
    _Kept,
    """
    SELECT patrol_id, cell_code AS cell, state, times, officers
      FROM patrol_cells
     WHERE patrol_id = ANY ($1::uuid[])
     ORDER BY patrol_id, cell_code
    """,
)


async def cells_kept(conn: Conn, patrols: Sequence[UUID]) -> dict[UUID, dict[str, CellWalk]]:
    """How the cells of these patrols were kept at their last judgement."""
    found: dict[UUID, dict[str, CellWalk]] = {}
    for each in await _KEPT.all(conn, list(patrols)) if patrols else []:
        walk = CellWalk(Walked(each.state), each.times, tuple(each.officers))
        found.setdefault(each.patrol_id, {})[each.cell] = walk
    return found


MINE = Statement(
    PatrolRow,
    f"""
    SELECT {_COLUMNS}
      JOIN officer_beats b ON b.officer_id = $1::uuid AND b.duty_line = p.duty_line AND b.beat_code = p.beat_code
     WHERE p.from_at <= $3::timestamptz
       AND p.until_at > $2::timestamptz
     ORDER BY p.from_at, p.id
    """,
)

# $1 now, $2 running or over, $3 a duty line, $4 a beat, $5 a division, $6 since when it ended, $7 after this patrol.
LISTED = Statement(
    PatrolRow,
    f"""
    SELECT {_COLUMNS}
     WHERE CASE WHEN $2::boolean IS NULL THEN true ELSE (p.until_at > $1::timestamptz) = $2::boolean END
       AND ($3::text IS NULL OR p.duty_line = $3::text)
       AND ($4::text IS NULL OR p.beat_code = $4::text)
       AND ($5::text IS NULL OR $5::text = ANY (p.divisions))
       AND p.until_at > $6::timestamptz
       AND ($7::uuid IS NULL OR p.id > $7::uuid)
     ORDER BY p.id
     LIMIT $8::integer
    """,
)

ONE = Statement(
    PatrolRow,
    f"""
    SELECT {_COLUMNS}
     WHERE p.id = $1::uuid
    """,
)


@dataclass(frozen=True)
class Tally:
    """How the cells of patrols were walked: by an officer, whose id and name it is, or of a cell, by its code.

    `walked_by` counts the cells in which the officer was himself; of a cell how often anybody walked it.
    """

    key: str
    name: str
    patrols: int
    wanted: int
    walked: int
    unknown: int
    missed: int
    walked_by: int


BY_CELL = Statement(
    Tally,
    """
    SELECT c.cell_code AS key, c.cell_code AS name, count(*)::integer AS patrols, count(*)::integer AS wanted,
           count(*) FILTER (WHERE c.state = 'walked')::integer AS walked,
           count(*) FILTER (WHERE c.state = 'unknown')::integer AS unknown,
           count(*) FILTER (WHERE c.state = 'missed')::integer AS missed, sum(c.times)::integer AS walked_by
      FROM patrols p
      JOIN patrol_cells c ON c.patrol_id = p.id
     WHERE p.from_at >= $1::timestamptz AND p.from_at < $2::timestamptz
       AND ($3::text IS NULL OR $3::text = ANY (p.divisions))
     GROUP BY c.cell_code
     ORDER BY c.cell_code
    """,
)

BY_OFFICER = Statement(
    Tally,
    """
    SELECT o.id::text AS key, u.display_name AS name, count(DISTINCT p.id)::integer AS patrols,
           count(*)::integer AS wanted, count(*) FILTER (WHERE c.state = 'walked')::integer AS walked,
           count(*) FILTER (WHERE c.state = 'unknown')::integer AS unknown,
           count(*) FILTER (WHERE c.state = 'missed')::integer AS missed,
           count(*) FILTER (WHERE o.id = ANY (c.officers))::integer AS walked_by
      FROM patrols p
     CROSS JOIN LATERAL unnest(p.officers) AS o (id)
      JOIN users u ON u.id = o.id
      JOIN patrol_cells c ON c.patrol_id = p.id
     WHERE p.from_at >= $1::timestamptz AND p.from_at < $2::timestamptz
       AND ($3::text IS NULL OR $3::text = ANY (p.divisions))
     GROUP BY o.id, u.display_name
     ORDER BY u.display_name, o.id
    """,
)
