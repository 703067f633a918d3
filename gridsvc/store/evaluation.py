"""What evaluation counts: by one query over the tables, and the histories from which it is counted once more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Statement
from gridsvc.domain.case_state import Clock
from gridsvc.domain.evaluation import Asked, Figure, Named, Subject
from gridsvc.domain.history import Entry
from gridsvc.domain.recount import Known
from gridsvc.store.history import OF_CASES

# One row for each piece, key and count. Each part below counts the things of one moment and sums them up by whose they
# are, and only as finely as the question and the scope need: where all of an area may be seen (`opened`), nobody asks
# whose department it was. $1 edges of the pieces, $2 until when things were due, $3 the subject, $4 a division or NULL,
# $5 everything may be seen, $6 an officer who sees his own, $7 to $9 what else may be seen: a division, and there a
# department or a duty line or neither; $10 the level of the areas, or `area` for the deepest; $11 and $12 where all
# pieces begin and end. Parts that a subject has nothing of are not read at all.
_AREA: Final = """
             c.nth, c.line"""
_OWNER: Final = """
             a.nth, a.line, a.department, a.officer, NULL::text AS post"""
_DESK: Final = f"""{_AREA}, NULL::text AS department, NULL::uuid AS officer"""
_BY: Final = "GROUP BY 1, 2, 3, 4, 5, 6"
_DIMENSIONS: Final = "piece, nth, line, department, officer, post"

COUNTED = Statement(
    Figure,
    f"""
    WITH areas AS MATERIALIZED (
      SELECT row_number() OVER ()::integer AS nth, d.grid_set_id, d.code, d.path,
             CASE WHEN $3::text <> 'area' THEN NULL
                  WHEN $10::text = 'area' THEN array_to_string(d.path, '/')
                  ELSE (SELECT array_to_string(u.path, '/') FROM divisions u
                         WHERE u.grid_set_id = d.grid_set_id AND u.code = ANY (d.path) AND u.level = $10::text)
             END AS area,
             $5::boolean OR EXISTS (SELECT FROM unnest($7::text[], $8::text[], $9::text[]) AS g (division, dept, line)
                                     WHERE g.division = ANY (d.path) AND g.dept IS NULL AND g.line IS NULL) AS opened
        FROM divisions d
       WHERE $4::text IS NULL OR $4::text = ANY (d.path)
    ), placed AS MATERIALIZED (   -- what has no place yet lies in nobody's area
      SELECT c.id, c.cycle, c.state, c.suspended, c.source, c.self_handled, c.reported_at, c.filed_at, r.nth, r.opened,
             CASE WHEN NOT r.opened THEN c.duty_line END AS line,
             CASE WHEN (NOT r.opened OR $3::text = 'officer') AND c.source = 'officer' AND c.reported_by LIKE 'user:%'
                  THEN substr(c.reported_by, 6)::uuid END AS reporter
        FROM cases c
        JOIN areas r ON r.grid_set_id = c.grid_set_id AND r.code = c.division_code
       WHERE NOT c.exercise
    ), back_later AS MATERIALIZED (   -- given back by who had it again, once a bulk move that took it was undone
      SELECT DISTINCT ON (n.id) a.id
        FROM assignments n
        JOIN assignments a ON a.case_id = n.case_id AND a.cycle = n.cycle AND a.assigned_at < n.assigned_at
                          AND a.rule <> 'undone' AND a.ended_why <> 'undone'
       WHERE n.rule = 'undone' AND n.ended_why = 'returned'
       ORDER BY n.id, a.assigned_at DESC, a.id DESC
    ), owned AS MATERIALIZED (   -- every assignment where it lies, with no more of whose it was than is asked for
      SELECT a.id, a.case_id, a.cycle, a.rule, a.assigned_at, a.ended_at, a.ended_why, c.nth, c.line,
             a.ended_why = 'returned' OR a.id IN (SELECT b.id FROM back_later b) AS returned,
             c.cycle AS case_cycle, c.state AS case_state, c.suspended,
             CASE WHEN NOT c.opened OR $3::text = 'department' THEN a.department END AS department,
             CASE WHEN NOT c.opened OR $3::text = 'officer' THEN a.officer_id END AS officer
        FROM assignments a
        JOIN placed c ON c.id = a.case_id
       WHERE a.ended_why IS DISTINCT FROM 'undone'   -- that one nobody had
    ), waiting AS MATERIALIZED (   -- an outage without an end holds them: nobody knows yet when they are due
      SELECT k.id
        FROM clock_outages o
        JOIN clocks k ON k.id = o.clock_id
       WHERE o.to_at IS NULL AND o.from_at < k.due_at AND k.state = 'paused'
    ), handling AS MATERIALIZED (   -- what an undone assignment began and ended is no limit of anybody's
      SELECT k.id, k.case_id, k.cycle, k.state, k.started_at, k.stopped_at, k.due_at,
             coalesce(k.judged_at, k.stopped_at) AS ended_at,   -- told late by a phone, it was done before
             coalesce(k.plain_due_at, k.due_at) AS plain_due_at
        FROM clocks k
       WHERE k.kind = 'handling'
         AND NOT EXISTS (SELECT FROM assignments u
                          WHERE u.case_id = k.case_id AND u.ended_at = k.stopped_at AND u.ended_why = 'undone')
    ), reports AS (
      SELECT width_bucket(c.reported_at, $1::timestamptz[]) AS piece,{_AREA},
             NULL::text AS department, c.reporter AS officer, NULL::text AS post,
             count(*) FILTER (WHERE c.self_handled) AS self_handled,
             count(*) FILTER (WHERE NOT c.self_handled) AS reported,
             count(*) FILTER (WHERE NOT c.self_handled AND c.source = 'officer') AS reported_by_officers,
             count(*) FILTER (WHERE NOT c.self_handled AND c.filed_at IS NOT NULL) AS reported_filed,
             count(*) FILTER (WHERE NOT c.self_handled AND c.filed_at IS NOT NULL
                                AND c.state NOT IN ('rejected', 'cancelled', 'merged')) AS reported_valid,
             count(*) FILTER (WHERE NOT c.self_handled AND c.state = 'merged') AS reported_merged
        FROM placed c
       WHERE c.reported_at >= $11::timestamptz AND c.reported_at < $12::timestamptz
         AND $3::text IN ('area', 'officer')
       {_BY}
    ), filings AS (
      SELECT width_bucket(c.filed_at, $1::timestamptz[]) AS piece,{_DESK}, NULL::text AS post, count(*) AS filed
        FROM placed c
       WHERE c.filed_at >= $11::timestamptz AND c.filed_at < $12::timestamptz AND NOT c.self_handled
         AND $3::text = 'area'
       {_BY}
    ), tasks AS (
      SELECT width_bucket(a.assigned_at, $1::timestamptz[]) AS piece,{_OWNER},
             count(*) AS received, count(*) FILTER (WHERE a.returned) AS received_returned
        FROM owned a
       WHERE a.assigned_at >= $11::timestamptz AND a.assigned_at < $12::timestamptz
         AND a.rule NOT IN ('undone', 'with_its_cause')   -- had before; handled already
         AND $3::text <> 'post'
       {_BY}
    ), dispatches AS (
      SELECT width_bucket(a.assigned_at, $1::timestamptz[]) AS piece, a.nth, a.line, NULL::text AS department,
             NULL::uuid AS officer, 'dispatcher' AS post, count(*) AS dispatched,
             count(*) FILTER (WHERE a.returned) AS dispatched_returned
        FROM owned a
       WHERE a.assigned_at >= $11::timestamptz AND a.assigned_at < $12::timestamptz AND a.rule = 'by_hand'
         AND $3::text IN ('area', 'post')
       {_BY}
    ), hand_ins AS (   -- each begins a checking clock
      SELECT width_bucket(k.started_at, $1::timestamptz[]) AS piece,{_OWNER},
             count(*) AS handed_in,
             count(*) FILTER (WHERE a.ended_why = 'closed' AND a.ended_at = k.stopped_at) AS handed_in_passed,
             count(*) FILTER (WHERE m.case_id IS NOT NULL) AS handed_in_reworked,
             sum(floor(extract(epoch FROM h.ended_at - h.started_at)))::bigint AS handling_seconds
        FROM clocks k
        JOIN owned a ON a.case_id = k.case_id AND a.assigned_at <= k.started_at
                    AND (a.ended_at IS NULL OR a.ended_at > k.started_at)
        JOIN handling h ON h.case_id = k.case_id AND h.stopped_at = k.started_at
        LEFT JOIN case_marks m ON m.case_id = k.case_id AND m.at = k.stopped_at AND m.mark = 'reworked'
       WHERE k.kind = 'checking' AND k.started_at >= $11::timestamptz AND k.started_at < $12::timestamptz
         AND $3::text <> 'post'
       {_BY}
    ), closings AS (
      SELECT width_bucket(a.ended_at, $1::timestamptz[]) AS piece,{_OWNER}, count(*) AS closed
        FROM owned a
       WHERE a.ended_why = 'closed' AND a.ended_at >= $11::timestamptz AND a.ended_at < $12::timestamptz
         AND $3::text <> 'post'
       {_BY}
    ), standing AS MATERIALIZED (   -- the marks that nothing has taken back
      SELECT m.case_id, m.cycle, m.mark, m.at, m.assignment_id
        FROM case_marks m
       WHERE m.mark <> 'undone'
         AND NOT EXISTS (SELECT FROM case_marks u
                          WHERE u.case_id = m.case_id AND u.version = m.version + 1 AND u.mark = 'undone')
    ), marked AS MATERIALIZED (
      SELECT case_id, cycle, bool_or(mark = 'extended') AS extended, bool_or(mark = 'granted') AS granted
        FROM standing
       GROUP BY case_id, cycle
    ), turns AS MATERIALIZED (   -- each cycle once, by the last of its handling clocks and of its owners
      SELECT k.due_at,{_OWNER},
             k.state = 'paused' AND a.suspended AS stands,
             a.ended_why = 'closed' IS TRUE AS closed,
             a.ended_why = 'closed' IS TRUE OR (a.case_cycle = k.cycle AND a.case_state = 'handled') AS handled,
             (k.state <> 'stopped' AND NOT (k.state = 'paused' AND a.suspended))
               OR EXISTS (SELECT FROM handling e WHERE e.case_id = k.case_id AND e.cycle = k.cycle
                                                   AND e.ended_at > e.plain_due_at) AS late,
             (k.state <> 'stopped' AND NOT (k.state = 'paused' AND a.suspended))
               OR EXISTS (SELECT FROM handling e WHERE e.case_id = k.case_id AND e.cycle = k.cycle
                                                   AND e.ended_at > e.due_at) AS late_all_the_same,
             m.extended IS TRUE AS extended, m.granted IS TRUE AS exempt
        FROM handling k
        JOIN owned a ON a.case_id = k.case_id AND a.cycle = k.cycle
        LEFT JOIN marked m ON m.case_id = k.case_id AND m.cycle = k.cycle
       WHERE k.due_at >= $11::timestamptz AND k.due_at < $2::timestamptz
         AND (a.suspended OR k.id NOT IN (SELECT w.id FROM waiting w))
         AND NOT (a.case_cycle = k.cycle AND a.case_state IN ('rejected', 'cancelled', 'merged'))
         AND (a.ended_at IS NULL OR a.ended_why = 'closed'   -- then it is the last; seldom must it be looked for
              OR NOT EXISTS (SELECT FROM assignments l
                              WHERE l.case_id = a.case_id AND l.cycle = a.cycle
                                AND l.ended_why IS DISTINCT FROM 'undone'
                                AND (l.assigned_at, l.id) > (a.assigned_at, a.id)))
         AND NOT EXISTS (SELECT FROM handling l WHERE l.case_id = k.case_id AND l.cycle = k.cycle
                                                  AND l.started_at > k.started_at)
    ), judged AS (
      SELECT width_bucket(t.due_at, $1::timestamptz[]) AS piece, t.nth, t.line, t.department, t.officer, t.post,
             count(*) AS due,
             count(*) FILTER (WHERE t.stands) AS due_suspended,
             count(*) FILTER (WHERE t.handled) AS due_handled,
             count(*) FILTER (WHERE t.handled AND NOT t.late_all_the_same) AS due_handled_in_time,
             count(*) FILTER (WHERE t.closed) AS due_closed,
             count(*) FILTER (WHERE t.closed AND NOT t.late_all_the_same) AS due_closed_in_time,
             count(*) FILTER (WHERE t.extended) AS due_extended,
             count(*) FILTER (WHERE t.late) AS late,
             count(*) FILTER (WHERE t.late AND NOT t.handled) AS late_open,
             count(*) FILTER (WHERE t.late_all_the_same AND t.exempt) AS late_exempt,
             count(*) FILTER (WHERE t.late AND NOT t.late_all_the_same) AS late_outage
        FROM turns t
       WHERE $3::text <> 'post'
       {_BY}
    ), marks AS (
      SELECT width_bucket(m.at, $1::timestamptz[]) AS piece,{_AREA}, a.department, a.officer, NULL::text AS post,
             count(*) FILTER (WHERE m.mark = 'extended') AS extended,
             count(*) FILTER (WHERE m.mark = 'suspended') AS suspended,
             count(*) FILTER (WHERE m.mark = 'appealed') AS appealed,
             count(*) FILTER (WHERE m.mark = 'granted') AS appeals_granted,
             count(*) FILTER (WHERE m.mark = 'reopened') AS reopened
        FROM standing m
        JOIN placed c ON c.id = m.case_id
        LEFT JOIN owned a ON a.id = m.assignment_id
       WHERE m.at >= $11::timestamptz AND m.at < $12::timestamptz
         AND $3::text <> 'post'
       {_BY}
    ), desks AS (
      SELECT width_bucket(k.due_at, $1::timestamptz[]) AS piece,{_DESK},
             CASE k.kind WHEN 'pool' THEN 'dispatcher' ELSE 'acceptor' END AS post,
             count(*) FILTER (WHERE k.kind = 'filing') AS filing_due,
             count(*) FILTER (WHERE k.kind = 'filing' AND k.stopped_at <= k.due_at) AS filing_in_time,
             count(*) FILTER (WHERE k.kind = 'pool') AS pool_due,
             count(*) FILTER (WHERE k.kind = 'pool' AND k.stopped_at <= k.due_at) AS pool_in_time,
             count(*) FILTER (WHERE k.kind = 'checking') AS checking_due,
             count(*) FILTER (WHERE k.kind = 'checking' AND k.stopped_at <= k.due_at) AS checking_in_time
        FROM clocks k JOIN placed c ON c.id = k.case_id
       WHERE k.kind IN ('filing', 'pool', 'checking') AND k.due_at >= $11::timestamptz AND k.due_at < $2::timestamptz
         AND k.id NOT IN (SELECT w.id FROM waiting w)
         AND $3::text IN ('area', 'post')
       {_BY}
    ), orders AS (   -- one that ended without a reply was called off
      SELECT width_bucket(k.due_at, $1::timestamptz[]) AS piece,{_DESK}, 'supervisor' AS post,
             count(*) AS orders_due,
             count(*) FILTER (WHERE coalesce(k.judged_at, k.stopped_at) <= k.due_at) AS orders_in_time
        FROM supervision_orders o
        JOIN clocks k ON k.case_id = o.case_id AND k.kind = 'supervision' AND k.started_at = o.ordered_at
        JOIN placed c ON c.id = o.case_id
       WHERE k.due_at >= $11::timestamptz AND k.due_at < $2::timestamptz AND (o.ended_at IS NULL OR o.reply IS NOT NULL)
         AND k.id NOT IN (SELECT w.id FROM waiting w)
         AND $3::text IN ('area', 'post')
       {_BY}
    ), looks AS (   -- likewise
      SELECT width_bucket(k.due_at, $1::timestamptz[]) AS piece,{_AREA}, NULL::text AS department,
             CASE WHEN NOT c.opened OR $3::text = 'officer' THEN s.officer_id END AS officer, NULL::text AS post,
             count(*) AS checks_due,
             count(*) FILTER (WHERE s.result IS NOT NULL) AS checks_done,
             count(*) FILTER (WHERE s.result IS NOT NULL AND coalesce(k.judged_at, k.stopped_at) <= k.due_at)
               AS checks_in_time
        FROM checks s
        JOIN clocks k ON k.case_id = s.case_id AND k.kind = 'on_site' AND k.started_at = s.sent_at
        JOIN placed c ON c.id = s.case_id
       WHERE k.due_at >= $11::timestamptz AND k.due_at < $2::timestamptz
         AND (s.ended_at IS NULL OR s.result IS NOT NULL)
         AND k.id NOT IN (SELECT w.id FROM waiting w)
         AND $3::text IN ('area', 'officer')
       {_BY}
    ), counted ({_DIMENSIONS}, what, number) AS (
      SELECT {_DIMENSIONS}, w.what, w.number
        FROM reports CROSS JOIN LATERAL (VALUES
             ('reported', reported), ('reported_by_officers', reported_by_officers),
             ('reported_filed', reported_filed), ('reported_valid', reported_valid),
             ('reported_merged', reported_merged), ('self_handled', self_handled)) AS w (what, number)
      UNION ALL SELECT {_DIMENSIONS}, 'filed', filed FROM filings
      UNION ALL SELECT {_DIMENSIONS}, w.what, w.number
        FROM tasks CROSS JOIN LATERAL (VALUES
             ('received', received), ('received_returned', received_returned)) AS w (what, number)
      UNION ALL SELECT {_DIMENSIONS}, w.what, w.number
        FROM dispatches CROSS JOIN LATERAL (VALUES
             ('dispatched', dispatched), ('dispatched_returned', dispatched_returned)) AS w (what, number)
      UNION ALL SELECT {_DIMENSIONS}, w.what, w.number
        FROM hand_ins CROSS JOIN LATERAL (VALUES
             ('handed_in', handed_in), ('handed_in_passed', handed_in_passed),
             ('handed_in_reworked', handed_in_reworked), ('handling_seconds', handling_seconds)) AS w (what, number)
      UNION ALL SELECT {_DIMENSIONS}, 'closed', closed FROM closings
      UNION ALL SELECT {_DIMENSIONS}, w.what, w.number
        FROM judged CROSS JOIN LATERAL (VALUES
             ('due', due), ('due_suspended', due_suspended), ('due_handled', due_handled),
             ('due_handled_in_time', due_handled_in_time), ('due_closed', due_closed),
             ('due_closed_in_time', due_closed_in_time), ('due_extended', due_extended), ('late', late),
             ('late_open', late_open), ('late_exempt', late_exempt), ('late_outage', late_outage)) AS w (what, number)
      UNION ALL SELECT {_DIMENSIONS}, w.what, w.number
        FROM marks CROSS JOIN LATERAL (VALUES
             ('extended', extended), ('suspended', suspended), ('appealed', appealed),
             ('appeals_granted', appeals_granted), ('reopened', reopened)) AS w (what, number)
      UNION ALL SELECT {_DIMENSIONS}, w.what, w.number
        FROM desks CROSS JOIN LATERAL (VALUES
             ('filing_due', filing_due), ('filing_in_time', filing_in_time), ('pool_due', pool_due),
             ('pool_in_time', pool_in_time), ('checking_due', checking_due),
             ('checking_in_time', checking_in_time)) AS w (what, number)
      UNION ALL SELECT {_DIMENSIONS}, w.what, w.number
        FROM orders CROSS JOIN LATERAL (VALUES
             ('orders_due', orders_due), ('orders_in_time', orders_in_time)) AS w (what, number)
      UNION ALL SELECT {_DIMENSIONS}, w.what, w.number
        FROM looks CROSS JOIN LATERAL (VALUES
             ('checks_due', checks_due), ('checks_done', checks_done),
             ('checks_in_time', checks_in_time)) AS w (what, number)
    )
    SELECT piece, key, what, sum(number)::bigint AS number
      FROM (SELECT e.piece, e.what, e.number,
                   CASE $3::text WHEN 'area' THEN r.area WHEN 'department' THEN e.department
                                 WHEN 'post' THEN e.post ELSE e.officer::text END AS key
              FROM counted e
              JOIN areas r ON r.nth = e.nth
             WHERE e.number > 0
               AND (r.opened
                    OR e.officer = $6::uuid
                    OR EXISTS (SELECT
                                 FROM unnest($7::text[], $8::text[], $9::text[]) AS g (division, department, line)
                                WHERE g.division = ANY (r.path)
                                  AND (g.department IS NULL OR g.department = e.department)
                                  AND (g.line IS NULL OR g.line = e.line)))) AS told
     WHERE key IS NOT NULL
     GROUP BY piece, key, what
     ORDER BY piece, key, what
    """,  # noqa: S608 - joined from constants
)


@dataclass(frozen=True)
class _Set:
    value: str


# Requests read tables by index (gridsvc/api/app.py). Whoever counts a year reads them whole and joins by hashing: the
# planner expects some hundred cases behind what it cannot see through, and would look up each of a hundred thousand.
_READ_WHOLE = Statement(
    _Set,
    """
    SELECT set_config('enable_seqscan', 'on', true) || set_config('enable_nestloop', 'off', true)
           || set_config('enable_mergejoin', 'off', true) || set_config('enable_sort', 'off', true)
           || set_config('work_mem', '64MB', true) AS value
    """,
)


@dataclass(frozen=True)
class _NameRow:
    code: str
    name: str
    name_en: str
    level: str


_DIVISIONS = Statement(
    _NameRow,
    """
    SELECT DISTINCT ON (code) code, name, name_en, level
      FROM divisions
     ORDER BY code, grid_set_id DESC   -- a division that is gone keeps the name it had last
    """,
)

_DEPARTMENTS = Statement(_NameRow, "SELECT code, name, name_en, 'department' AS level FROM departments ORDER BY code")

_OFFICERS = Statement(
    _NameRow,
    """
    SELECT u.id::text AS code, u.display_name AS name, '' AS name_en, 'officer' AS level
      FROM users u
     WHERE u.id = ANY ($1::text[]::uuid[])
    """,
)

_POSTS: Final = {
    "acceptor": Named("受理员", "acceptor", "post"),
    "dispatcher": Named("派遣员", "dispatcher", "post"),
    "supervisor": Named("值班长", "supervisor", "post"),
}


async def counted(conn: Conn, asked: Asked) -> list[Figure]:
    """Every figure of the report, by one query over the tables as they are now. As the service, within the scope."""
    await _READ_WHOLE.one(conn)
    grants = asked.scope.grants
    return await COUNTED.all(
        conn, list(asked.edges), min(asked.now, asked.edges[-1]), asked.by.subject, asked.division,
        asked.scope.everything, asked.scope.own,
        [grant.division for grant in grants], [grant.department for grant in grants],
        [grant.duty_line for grant in grants], asked.by, asked.edges[0], asked.edges[-1],
    )  # fmt: skip


async def names(conn: Conn, asked: Asked, figures: Sequence[Figure]) -> dict[str, Named]:
    """What the groups of the report are called."""
    match asked.by.subject:
        case Subject.AREA:
            found = await _DIVISIONS.all(conn)
        case Subject.DEPARTMENT:
            found = await _DEPARTMENTS.all(conn)
        case Subject.POST:
            return dict(_POSTS)
        case Subject.OFFICER:
            found = await _OFFICERS.all(conn, sorted({figure.key for figure in figures}))
    return {row.code: Named(row.name, row.name_en, row.level) for row in found}


# -- once more, from the history ----------------------------------------------------------------------


@dataclass(frozen=True)
class _CaseId:
    id: UUID


_CASES_AFTER = Statement(
    _CaseId,
    """
    SELECT DISTINCT case_id AS id
      FROM history
     WHERE case_id > $1::uuid
     ORDER BY 1
     LIMIT $2::integer
    """,
)


@dataclass(frozen=True)
class _Due:
    case_id: UUID
    kind: str
    started_at: datetime
    due_at: datetime
    plain_due_at: datetime


_DUE = Statement(
    _Due,
    """
    SELECT case_id, kind, started_at, due_at, coalesce(plain_due_at, due_at) AS plain_due_at
      FROM clocks
     WHERE case_id = ANY ($1::uuid[])
    """,
)


@dataclass(frozen=True)
class _Source:
    id: str
    source: str


_SOURCES = Statement(_Source, "SELECT id::text AS id, source FROM reports WHERE case_id = ANY ($1::uuid[])")


@dataclass(frozen=True)
class _Path:
    grid_set_id: int
    code: str
    path: list[str]


_PATHS = Statement(
    _Path,
    """
    SELECT c.grid_set_id, c.code, d.path
      FROM cells c
      JOIN divisions d ON d.grid_set_id = c.grid_set_id AND d.code = c.division_code
    """,
)


@dataclass(frozen=True)
class _Line:
    id: str
    duty_line: str


_LINES = Statement(_Line, "SELECT edition || ':' || code AS id, duty_line FROM categories")

_AT_ONCE: Final = 500
_BEFORE_ALL: Final = UUID(int=0)


async def histories(conn: Conn) -> AsyncIterator[tuple[list[list[Entry]], Known]]:
    """The history of every case, some hundred at a time, with what it names. As the service; one snapshot."""
    paths = {(row.grid_set_id, row.code): tuple(row.path) for row in await _PATHS.all(conn)}
    lines = {row.id: row.duty_line for row in await _LINES.all(conn)}
    after = _BEFORE_ALL
    while ids := [row.id for row in await _CASES_AFTER.all(conn, after, _AT_ONCE)]:
        after = ids[-1]
        due = {
            (row.case_id, row.kind, row.started_at): (row.due_at, row.plain_due_at)
            for row in await _DUE.all(conn, ids)
        }
        sources = {row.id: row.source for row in await _SOURCES.all(conn, ids)}
        entries: dict[UUID, list[Entry]] = {case_id: [] for case_id in ids}
        for entry in await OF_CASES.all(conn, ids):
            entries[entry.case_id].append(entry)
        yield list(entries.values()), _known(due, paths, lines, sources)


def _known(
    due: dict[tuple[UUID, str, datetime], tuple[datetime, datetime]],
    paths: dict[tuple[int, str], tuple[str, ...]],
    lines: dict[str, str],
    sources: dict[str, str],
) -> Known:
    def due_of(case_id: UUID, kind: Clock, started_at: datetime) -> tuple[datetime, datetime]:
        return due[case_id, str(kind), started_at]

    return Known(due_of=due_of, paths=paths, lines=lines, sources=sources)
