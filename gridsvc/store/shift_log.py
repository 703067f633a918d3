"""The table `shift_log`, and the figures of a desk at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class Figures:
    """How a desk stands: open cases, how many of them are late, emergencies, in a pool; alarms nobody has seen."""

    open: int
    late: int
    emergencies: int
    pooled: int
    alarms: int


_FIGURES = Statement(
    Figures,
    """
    SELECT count(*)::integer AS open,
           count(*) FILTER (WHERE c.due_at < $3::timestamptz
                              AND c.state IN ('assigned', 'accepted', 'in_progress'))::integer AS late,
           count(*) FILTER (WHERE c.severity = 'emergency')::integer AS emergencies,
           count(*) FILTER (WHERE c.pool IS NOT NULL)::integer AS pooled,
           (SELECT count(*) FROM alarms a
                   JOIN cases o ON o.id = a.case_id AND $1::text = ANY (o.divisions || o.desk_path)
             WHERE a.acknowledged_at IS NULL)::integer AS alarms
      FROM cases c
     WHERE c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
       AND $1::text = ANY (c.divisions || c.desk_path)
       AND ($2::text IS NULL OR c.duty_line = $2::text)
    """,
)


async def figures(conn: Conn, division: str, duty_line: str | None, now: datetime) -> Figures:
    """How the desk over `division` stands, counted in the caller's scope."""
    found = await _FIGURES.one(conn, division, duty_line, now)
    assert found is not None  # noqa: S101 - counts are always one row
    return found


@dataclass(frozen=True)
class Entry:
    """One entry; names are those of today."""

    id: UUID
    division_code: str
    duty_line: str | None
    hand_over: bool
    words: str
    cases: list[UUID]
    figures: dict[str, int]
    written_by: UUID
    written_by_name: str
    written_at: datetime
    taken_by: UUID | None
    taken_by_name: str | None
    taken_at: datetime | None


_ADD = Statement(
    Nothing,
    """
    INSERT INTO shift_log (id, division_code, duty_line, seen_by, hand_over, words, cases, figures, written_by,
                           written_at)
    VALUES ($1::uuid, $2::text, $3::text, $4::text[], $5::boolean, $6::text, $7::uuid[], $8::jsonb, $9::uuid,
            $10::timestamptz)
    """,
)

_ENTRY: Final = """
    SELECT s.id, s.division_code, s.duty_line, s.hand_over, s.words, s.cases, s.figures, s.written_by,
           w.display_name AS written_by_name, s.written_at, s.taken_by, t.display_name AS taken_by_name, s.taken_at
      FROM shift_log s
           JOIN users w ON w.id = s.written_by
           LEFT JOIN users t ON t.id = s.taken_by
"""

_ONE = Statement(Entry, f"""{_ENTRY}     WHERE s.id = $1::uuid""")

LIST = Statement(
    Entry,
    f"""
{_ENTRY}     WHERE ($1::text IS NULL OR s.division_code = $1::text)
       AND ($2::boolean IS NULL OR (s.hand_over AND s.taken_at IS NULL) = $2::boolean)
       AND ($3::timestamptz IS NULL OR (s.written_at, s.id) < ($3::timestamptz, $4::uuid))
     ORDER BY s.written_at DESC, s.id DESC
     LIMIT $5::integer
    """,
)

# Whoever is first has it.
_TAKE = Statement(
    Nothing,
    """
    UPDATE shift_log
       SET taken_by = $2::uuid, taken_at = $3::timestamptz
     WHERE id = $1::uuid
       AND taken_at IS NULL
    """,
)


@dataclass(frozen=True)
class _Seen:
    id: UUID


_SEEN = Statement(_Seen, """SELECT id FROM cases WHERE id = ANY ($1::uuid[])""")


async def unseen(conn: Conn, cases: Sequence[UUID]) -> list[UUID]:
    """Those of `cases` that are not there for the caller."""
    there = {row.id for row in await _SEEN.all(conn, list(cases))}
    return [each for each in cases if each not in there]


async def add(
    conn: Conn, entry_id: UUID, division: str, duty_line: str | None, seen_by: list[str], *, hand_over: bool,
    words: str, cases: Sequence[UUID], as_it_stood: Figures, written_by: UUID, now: datetime,
) -> None:  # fmt: skip
    """Write an entry."""
    await _ADD.run(
        conn, entry_id, division, duty_line, seen_by, hand_over, words, list(cases), asdict(as_it_stood), written_by,
        now,
    )  # fmt: skip


async def one(conn: Conn, entry_id: UUID) -> Entry | None:
    """The entry, or None where there is none in the caller's scope."""
    return await _ONE.one(conn, entry_id)


async def take(conn: Conn, entry_id: UUID, by: UUID, now: datetime) -> None:
    """Sign for a hand-over, unless somebody has."""
    await _TAKE.run(conn, entry_id, by, now)
