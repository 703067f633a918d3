"""What a rehearsal reads: the router's decisions in order, and officers as they were, as far as the history tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID

from gridsvc.db import Conn, Statement
from gridsvc.domain.rehearsal import Decision
from gridsvc.domain.shift import Shift

Place = tuple[datetime, UUID, int]
"""Where in the history a page ended: moment, case, version."""

BEGINNING: Final = UUID(int=0)

# The assignment of a row of the history was made in its transaction, so at its moment.
DECISIONS = Statement(
    Decision,
    """
    SELECT h.case_id, h.version, h.at, a.officer_id, a.department, h.facts ->> 'why' AS why,
           coalesce(a.reasons ->> 'rule', a.rule, h.facts #>> '{reasons,rule}') AS rule,
           coalesce(a.edition, (h.facts #>> '{reasons,edition}')::integer) AS edition,
           coalesce(a.reasons, h.facts -> 'reasons', '{}') AS reasons,
           jsonb_build_object('category', c.edition || ':' || c.category, 'duty_line', c.duty_line,
                              'severity', c.severity, 'source', c.source, 'beat', c.beat_code,
                              'description', c.description, 'cycle', coalesce(a.cycle, c.cycle)) AS facts
      FROM history h
           JOIN cases c ON c.id = h.case_id
           LEFT JOIN LATERAL (
             SELECT officer_id, department, rule, edition, reasons, cycle
               FROM assignments
              WHERE case_id = h.case_id AND assigned_at = h.at AND assigned_by = h.actor
              ORDER BY id DESC
              LIMIT 1
           ) AS a ON h.move = 'assign'
     WHERE h.actor = 'worker:router'
       AND h.move IN ('assign', 'pool')
       AND h.at >= $1::timestamptz
       AND (h.at, h.case_id, h.version) > ($1::timestamptz, $2::uuid, $3::integer)
     ORDER BY h.at, h.case_id, h.version
     LIMIT $4::integer
    """,
)


@dataclass(frozen=True)
class _Count:
    decisions: int


COUNT = Statement(
    _Count,
    """
    SELECT count(*)::integer AS decisions
      FROM history
     WHERE actor = 'worker:router'
       AND move IN ('assign', 'pool')
       AND at >= $1::timestamptz
    """,
)


@dataclass(frozen=True)
class _Member:
    source: str
    officer_id: UUID
    most_open: int
    on_duty: bool
    skills: list[str]
    weekdays: list[int]
    starts: list[time]
    ends: list[time]
    away: list[list[str]]


@dataclass(frozen=True, kw_only=True)
class Member:
    """An officer of a beat or team as he is today, with his roster and when he was away."""

    officer_id: UUID
    most_open: int
    on_duty: bool
    skills: frozenset[str]
    shifts: tuple[Shift, ...]
    away: tuple[tuple[datetime, datetime], ...]


_MEMBERS = Statement(
    _Member,
    """
    SELECT w.source, o.user_id AS officer_id, o.most_open, o.on_duty,
           ARRAY(SELECT skill FROM officer_skills s WHERE s.officer_id = o.user_id ORDER BY skill) AS skills,
           ARRAY(SELECT weekday::integer FROM shifts s WHERE s.officer_id = o.user_id
                  ORDER BY weekday, starts_at) AS weekdays,
           ARRAY(SELECT starts_at FROM shifts s WHERE s.officer_id = o.user_id ORDER BY weekday, starts_at) AS starts,
           ARRAY(SELECT ends_at FROM shifts s WHERE s.officer_id = o.user_id ORDER BY weekday, starts_at) AS ends,
           (SELECT coalesce(jsonb_agg(jsonb_build_array(a.from_at, a.until_at)), '[]')
              FROM absences a
             WHERE a.officer_id = o.user_id AND a.cancelled_at IS NULL) AS away
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (source, duty_line, beat, team)
           CROSS JOIN LATERAL (
             SELECT ob.officer_id FROM officer_beats ob WHERE ob.duty_line = w.duty_line AND ob.beat_code = w.beat
             UNION ALL
             SELECT m.officer_id FROM team_officers m WHERE m.team = w.team
           ) AS of
           JOIN officers o ON o.user_id = of.officer_id AND o.duty_line = w.duty_line
           JOIN users u ON u.id = o.user_id AND u.active
     ORDER BY w.source, o.user_id
    """,
)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """From when to when an officer had a case in hand; `ends` None: he still has it."""

    officer_id: UUID
    case_id: UUID
    cycle: int
    begins: datetime
    ends: datetime | None
    given_up: bool  # he did not take it, or gave it back


# In hand until it ends, or until somebody has handled the case.
_STRETCHES = Statement(
    Stretch,
    """
    SELECT a.officer_id, a.case_id, a.cycle, a.assigned_at AS begins,
           least(a.ended_at, (SELECT min(h.at)
                                FROM history h
                               WHERE h.case_id = a.case_id
                                 AND h.at > a.assigned_at
                                 AND h.to_state NOT IN ('assigned', 'accepted', 'in_progress'))) AS ends,
           coalesce(a.ended_why IN ('unacknowledged', 'returned'), false) AS given_up
      FROM assignments a
     WHERE a.officer_id = ANY ($1::uuid[])
       AND (a.ended_at IS NULL OR a.ended_at >= $2::timestamptz)
     ORDER BY a.assigned_at, a.id
    """,
)


@dataclass(frozen=True)
class _Username:
    id: UUID
    username: str


_USERNAMES = Statement(_Username, "SELECT id, username FROM users WHERE id = ANY ($1::uuid[]) ORDER BY id")


async def usernames(conn: Conn, officers: Collection[UUID]) -> dict[str, str]:
    """How these officers sign in, by id as text."""
    return {str(row.id): row.username for row in await _USERNAMES.all(conn, sorted(officers))}


async def count(conn: Conn, since: datetime) -> int:
    """How many decisions there are since then."""
    row = await COUNT.one(conn, since)
    return row.decisions if row else 0


async def decisions(conn: Conn, since: datetime, after: Place | None, limit: int) -> Sequence[Decision]:
    """The router's decisions since then in their order, or those after a place in it. As the service."""
    at, case_id, version = after or (since, BEGINNING, 0)
    return await DECISIONS.all(conn, at, case_id, version, limit)


async def members(conn: Conn, sources: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], list[Member]]:
    """The officers of beats and teams as they are today: (duty line, `beat:<code>` or `team:<code>`) -> officers."""
    wanted = sorted(sources)
    found: dict[tuple[str, str], list[Member]] = {each: [] for each in wanted}
    rows = await _MEMBERS.all(
        conn,
        [f"{line}/{source}" for line, source in wanted],
        [line for line, _ in wanted],
        [_code(source, "beat") for _, source in wanted],
        [_code(source, "team") for _, source in wanted],
    )
    for row in rows:
        line, _, source = row.source.partition("/")
        found[line, source].append(
            Member(
                officer_id=row.officer_id,
                most_open=row.most_open,
                on_duty=row.on_duty,
                skills=frozenset(row.skills),
                shifts=tuple(map(Shift, row.weekdays, row.starts, row.ends)),
                away=tuple((_moment(begins), _moment(ends)) for begins, ends in row.away),
            )
        )
    return found


async def stretches(conn: Conn, officers: Collection[UUID], since: datetime) -> Mapping[UUID, list[Stretch]]:
    """What these officers had in hand since then, by officer."""
    found: dict[UUID, list[Stretch]] = defaultdict(list)
    for row in await _STRETCHES.all(conn, sorted(officers), since):
        found[row.officer_id].append(row)
    return found


def _code(source: str, kind: str) -> str | None:
    of, _, code = source.partition(":")
    return code if of == kind else None


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(text)
