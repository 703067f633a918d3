"""The tables `routing_editions` and `routing_publications`: who gets which case, in editions, one of them in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.routing_check import Known, KnownTeam
from gridsvc.domain.routing_rules import RoutingEdition, as_document, read_rules


@dataclass(frozen=True, kw_only=True)
class EditionRow:
    """An edition with its state: draft, published (in force) or retired."""

    number: int
    name: str
    state: str
    rules: Mapping[str, Any]
    drafted_at: datetime
    drafted_by: str
    published_at: datetime | None
    published_by: str | None
    replaces: int | None

    def edition(self) -> RoutingEdition:
        """The rules themselves."""
        return read_rules(self.rules, self.number).edition


IN_FORCE = Statement(
    EditionRow,
    """
    SELECT number, name, state, rules, drafted_at, drafted_by, published_at, published_by, replaces
      FROM routing_editions
     WHERE state = 'published'
    """,
)

OF_NUMBER = Statement(
    EditionRow,
    """
    SELECT number, name, state, rules, drafted_at, drafted_by, published_at, published_by, replaces
      FROM routing_editions
     WHERE number = $1::integer
    """,
)

OF_NUMBERS = Statement(
    EditionRow,
    """
    SELECT number, name, state, rules, drafted_at, drafted_by, published_at, published_by, replaces
      FROM routing_editions
     WHERE number = ANY ($1::integer[])
    """,
)

EDITIONS = Statement(
    EditionRow,
    """
    SELECT number, name, state, rules, drafted_at, drafted_by, published_at, published_by, replaces
      FROM routing_editions
     ORDER BY number DESC
    """,
)


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One time that an edition came into force; `rolled_back`: from which the city went back to it."""

    edition: int
    published_at: datetime
    published_by: str
    rolled_back: int | None


PUBLICATIONS = Statement(
    Publication,
    """
    SELECT edition, published_at, published_by, rolled_back
      FROM routing_publications
     ORDER BY id DESC
    """,
)

# One after the other: two drafts at once must not get one number, nor two editions be in force.
_LOCK = Statement(Nothing, "SELECT pg_advisory_xact_lock(hashtextextended('routing_editions', 0))")


@dataclass(frozen=True)
class _Number:
    number: int


_DRAFT = Statement(
    _Number,
    """
    INSERT INTO routing_editions (number, name, state, rules, drafted_at, drafted_by)
    SELECT max(number) + 1, $1::text, 'draft', $2::jsonb, $3::timestamptz, $4::text
      FROM routing_editions
    RETURNING number
    """,
)

_RETIRE = Statement(_Number, "UPDATE routing_editions SET state = 'retired' WHERE state = 'published' RETURNING number")

_PUBLISH = Statement(
    Nothing,
    """
    UPDATE routing_editions
       SET state = 'published', published_at = $2::timestamptz, published_by = $3::text, replaces = $4::integer
     WHERE number = $1::integer
    """,
)

_PUT_BACK = Statement(Nothing, "UPDATE routing_editions SET state = 'published' WHERE number = $1::integer")

_NOTE = Statement(
    Nothing,
    """
    INSERT INTO routing_publications (edition, published_at, published_by, rolled_back)
    VALUES ($1::integer, $2::timestamptz, $3::text, $4::integer)
    """,
)


@dataclass(frozen=True)
class _Known:
    divisions: list[str]
    paths: list[list[str]]
    departments: list[str]
    department_lines: list[str]
    duty_lines: list[str]
    sources: list[str]
    skills: list[str]


# Paths travel as JSON: PostgreSQL's arrays cannot hold rows of different lengths.
_KNOWN = Statement(
    _Known,
    """
    SELECT ARRAY(SELECT code FROM divisions WHERE grid_set_id = s.id ORDER BY code) AS divisions,
           (SELECT coalesce(jsonb_agg(to_jsonb(path) ORDER BY code), '[]')
              FROM divisions WHERE grid_set_id = s.id) AS paths,
           ARRAY(SELECT code FROM departments ORDER BY code) AS departments,
           ARRAY(SELECT duty_line FROM departments ORDER BY code) AS department_lines,
           ARRAY(SELECT code FROM duty_lines ORDER BY code) AS duty_lines,
           ARRAY(SELECT DISTINCT source FROM cases ORDER BY source) AS sources,
           ARRAY(SELECT DISTINCT s.skill
                   FROM officer_skills s JOIN users u ON u.id = s.officer_id AND u.active
                  ORDER BY s.skill) AS skills
      FROM (SELECT grid_set_at($1::timestamptz) AS id) s
    """,
)


@dataclass(frozen=True)
class _Team:
    code: str
    duty_line: str
    skills: list[list[str]]


# Of each officer who can be chosen what he can do; one of another duty line than the team's cannot.
_TEAMS = Statement(
    _Team,
    """
    SELECT t.code, t.duty_line,
           (SELECT coalesce(jsonb_agg(ARRAY(SELECT s.skill FROM officer_skills s WHERE s.officer_id = o.user_id)), '[]')
              FROM team_officers m
                   JOIN officers o ON o.user_id = m.officer_id AND o.duty_line = t.duty_line
                   JOIN users u ON u.id = o.user_id AND u.active
             WHERE m.team = t.code) AS skills
      FROM teams t
     ORDER BY t.code
    """,
)


async def in_force(conn: Conn) -> RoutingEdition:
    """The edition by which cases are routed now."""
    row = await IN_FORCE.one(conn)
    assert row is not None  # noqa: S101 - the migration put one in force, and each is only ever replaced
    return row.edition()


async def lock(conn: Conn) -> None:
    """Let nobody else draft or publish until the transaction ends."""
    await _LOCK.run(conn)


async def add_draft(conn: Conn, edition: RoutingEdition, by: str, now: datetime) -> int:
    """Keep a draft under the next number, which is returned. After `lock`."""
    row = await _DRAFT.one(conn, edition.name, as_document(edition), now, by)
    assert row is not None  # noqa: S101 - one row by construction
    return row.number


async def put_in_force(conn: Conn, number: int, by: str, now: datetime) -> int | None:
    """Publish a draft and retire the edition before it, whose number is returned. After `lock`."""
    before = await _RETIRE.one(conn)
    await _PUBLISH.run(conn, number, now, by, before.number if before else None)
    await _NOTE.run(conn, number, now, by, None)
    return before.number if before else None


async def put_back(conn: Conn, number: int, by: str, now: datetime) -> None:
    """Put a retired edition in force again, and retire the one that is. After `lock`."""
    before = await _RETIRE.one(conn)
    await _PUT_BACK.run(conn, number)
    await _NOTE.run(conn, number, now, by, before.number if before else None)


async def known(conn: Conn, now: datetime) -> Known:
    """What rules may name, as it is now. As the service."""
    row = await _KNOWN.one(conn, now)
    assert row is not None  # noqa: S101 - one row by construction
    return Known(
        divisions={code: tuple(path) for code, path in zip(row.divisions, row.paths, strict=True)},
        departments=dict(zip(row.departments, row.department_lines, strict=True)),
        duty_lines=frozenset(row.duty_lines),
        sources=frozenset(row.sources),
        skills=frozenset(row.skills),
        teams={
            each.code: KnownTeam(duty_line=each.duty_line, officers=tuple(map(frozenset, each.skills)))
            for each in await _TEAMS.all(conn)
        },
    )
