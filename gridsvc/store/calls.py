"""The tables `calls`, `call_widenings` and `called`: for which case it rings, in which rounds, with whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.calling import Reachable
from gridsvc.store import duty
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class CallRow:
    """One call. `round` is the one that rings; `ended_why` is `answered` or the move that ended it."""

    id: UUID
    case_id: UUID
    cycle: int
    wanted: str
    round: int
    started_at: datetime
    next_round_at: datetime
    answered_by: UUID | None = None
    ended_at: datetime | None = None
    ended_why: str | None = None


@dataclass(frozen=True, kw_only=True)
class CalledRow:
    """An officer who was called: since which round, from how far, how often it rang, and what he said."""

    call_id: UUID
    case_id: UUID
    officer_id: UUID
    round: int
    because: str
    distance_m: float | None
    position_age_s: float | None
    called_at: datetime
    rung_at: datetime
    rung: int = 1
    answer: str | None = None
    answered_at: datetime | None = None
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class WideningRow:
    """One round of a call that was rung."""

    call_id: UUID
    case_id: UUID
    round: int
    scheduled_at: datetime
    fired_at: datetime
    officers: int


_ADD = Statement(
    Nothing,
    """
    INSERT INTO calls (id, case_id, cycle, wanted, round, started_at, next_round_at)
    VALUES ($1::uuid, $2::uuid, $3::integer, $4::text, $5::integer, $6::timestamptz, $7::timestamptz)
    """,
)

_WIDEN = Statement(
    Nothing,
    """
    UPDATE calls
       SET round = $2::integer, next_round_at = $3::timestamptz
     WHERE id = $1::uuid
       AND ended_at IS NULL
    """,
)

_ADD_WIDENING = Statement(
    Nothing,
    """
    INSERT INTO call_widenings (call_id, case_id, round, scheduled_at, fired_at, officers)
    VALUES ($1::uuid, $2::uuid, $3::integer, $4::timestamptz, $5::timestamptz, $6::integer)
    """,
)

# Who is called again keeps the round and the distance of his first time; nobody who has answered rings again.
_ADD_CALLED = Statement(
    Nothing,
    """
    INSERT INTO called AS c (
           call_id, case_id, officer_id, round, because, distance_m, position_age_s, called_at, rung_at)
    SELECT call_id, case_id, officer_id, round, because, distance_m, position_age_s, called_at, rung_at
      FROM json_to_recordset($1::text::json) AS r (
           call_id uuid, case_id uuid, officer_id uuid, round integer, because text, distance_m float8,
           position_age_s float8, called_at timestamptz, rung_at timestamptz)
        ON CONFLICT (call_id, officer_id) DO UPDATE
       SET rung_at = excluded.rung_at, rung = c.rung + 1
     WHERE c.answer IS NULL
    """,
)

_ANSWER = Statement(
    Nothing,
    """
    UPDATE called
       SET answer = $3::text, answered_at = $4::timestamptz, reason_code = $5::text
     WHERE call_id = $1::uuid
       AND officer_id = $2::uuid
       AND answer IS NULL
    """,
)

_HURRY = Statement(
    Nothing,
    """
    UPDATE calls
       SET next_round_at = $2::timestamptz
     WHERE id = $1::uuid
       AND ended_at IS NULL
       AND next_round_at > $2::timestamptz
    """,
)

_END = Statement(
    Nothing,
    """
    UPDATE calls
       SET ended_at = $2::timestamptz, ended_why = $3::text, answered_by = $4::uuid
     WHERE id = $1::uuid
       AND ended_at IS NULL
    """,
)

OPEN_OF_CASES = Statement(
    CallRow,
    """
    SELECT id, case_id, cycle, wanted, round, started_at, next_round_at, answered_by, ended_at, ended_why
      FROM calls
     WHERE case_id = ANY ($1::uuid[])
       AND ended_at IS NULL
    """,
)

OF_CASE = Statement(
    CallRow,
    """
    SELECT id, case_id, cycle, wanted, round, started_at, next_round_at, answered_by, ended_at, ended_why
      FROM calls
     WHERE case_id = $1::uuid
     ORDER BY started_at, id
    """,
)

CALLED_OF_CASE = Statement(
    CalledRow,
    """
    SELECT call_id, case_id, officer_id, round, because, distance_m, position_age_s, called_at, rung_at, rung,
           answer, answered_at, reason_code
      FROM called
     WHERE case_id = $1::uuid
     ORDER BY call_id, round, distance_m NULLS LAST, officer_id
    """,
)

WIDENINGS_OF_CASE = Statement(
    WideningRow,
    """
    SELECT call_id, case_id, round, scheduled_at, fired_at, officers
      FROM call_widenings
     WHERE case_id = $1::uuid
     ORDER BY call_id, round
    """,
)

# Of the newest call that this officer was called by: whether it still rings with him, and what ended it.
LAST_OF_OFFICER = Statement(
    CallRow,
    """
    SELECT k.id, k.case_id, k.cycle, k.wanted, k.round, k.started_at, k.next_round_at, k.answered_by, k.ended_at,
           k.ended_why
      FROM called o
      JOIN calls k ON k.id = o.call_id
     WHERE o.case_id = $1::uuid
       AND o.officer_id = $2::uuid
     ORDER BY k.started_at DESC, k.id DESC
     LIMIT 1
    """,
)


@dataclass(frozen=True, kw_only=True)
class MyCall:
    """A call that rings with an officer, with what he must know of the case. WGS-84 degrees."""

    id: UUID
    wanted: str
    round: int
    case_id: UUID
    number: str | None
    version: int
    state: str
    edition: str
    category: str
    category_name: str
    category_name_en: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    distance_m: float | None
    called_at: datetime
    rung: int


MINE = Statement(
    MyCall,
    """
    SELECT k.id, k.wanted, k.round, c.id AS case_id, c.number, c.version, c.state, c.edition, c.category,
           g.name AS category_name, g.name_en AS category_name_en, c.description, c.address,
           ST_X(c.place) AS lon, ST_Y(c.place) AS lat, o.distance_m, o.called_at, o.rung
      FROM cases c
      JOIN calls k ON k.id = c.call_id
      JOIN called o ON o.call_id = k.id AND o.officer_id = $1::uuid
      JOIN categories g ON g.edition = c.edition AND g.code = c.category
     WHERE $1::uuid = ANY (c.called)
       AND k.ended_at IS NULL
     ORDER BY o.called_at, k.id
    """,
)


@dataclass(frozen=True)
class _Reachable:
    officer_id: UUID
    of_the_line: bool
    of_the_beat: bool
    in_the_district: bool
    distance_m: float | None
    position_age: timedelta | None
    called: bool
    declined: bool


REACHABLE = Statement(
    _Reachable,
    """
    SELECT o.user_id AS officer_id,
           o.duty_line = c.duty_line AS of_the_line,
           EXISTS (SELECT FROM officer_beats b
                    WHERE b.officer_id = o.user_id AND b.duty_line = c.duty_line
                      AND b.beat_code = c.beat_code) AS of_the_beat,
           EXISTS (SELECT FROM grants g
                    WHERE g.user_id = o.user_id AND g.role = 'officer'
                      AND (g.division_code = ANY (c.divisions)
                           OR EXISTS (SELECT
                                        FROM divisions d
                                        JOIN divisions home ON home.grid_set_id = d.grid_set_id
                                                           AND home.level = 'district'
                                                           AND home.code = ANY (c.divisions)
                                                           AND home.code = ANY (d.path)
                                       WHERE d.grid_set_id = c.grid_set_id
                                         AND d.code = g.division_code))) AS in_the_district,
           ST_Distance(p.place::geography, c.place::geography) AS distance_m,   -- on the ellipsoid
           $2::timestamptz - p.taken_at AS position_age,
           o.user_id = ANY (c.called) AS called,
           EXISTS (SELECT FROM called r
                     JOIN calls k ON k.id = r.call_id AND k.cycle = c.cycle
                    WHERE r.case_id = c.id AND r.officer_id = o.user_id AND r.answer = 'declined') AS declined
      FROM cases c
      JOIN officers o ON o.on_duty
      JOIN users u ON u.id = o.user_id AND u.active
      LEFT JOIN officer_positions p ON p.officer_id = o.user_id
     WHERE c.id = $1::uuid
     ORDER BY o.user_id
    """,
)


async def add(conn: Conn, row: CallRow) -> None:
    """Keep a call that begins to ring; the one before it must have ended."""
    await _ADD.run(
        conn, row.id, row.case_id, row.cycle, row.wanted, row.round, row.started_at, row.next_round_at
    )  # fmt: skip


async def ring(conn: Conn, widening: WideningRow, called: Sequence[CalledRow], next_round_at: datetime) -> None:
    """Keep a round and who is called in it; the key refuses the same round of a call a second time."""
    await _ADD_WIDENING.run(
        conn, widening.call_id, widening.case_id, widening.round, widening.scheduled_at, widening.fired_at,
        widening.officers,
    )  # fmt: skip
    if called:
        await _ADD_CALLED.run(conn, rows_text([vars(row) for row in called]))
    await _WIDEN.run(conn, widening.call_id, widening.round, next_round_at)


async def answer(
    conn: Conn, call_id: UUID, officer_id: UUID, said: str, reason_code: str | None, now: datetime
) -> None:
    """Keep what a called officer says, `accepted` or `declined`; of two who accept the key refuses the second."""
    await _ANSWER.run(conn, call_id, officer_id, said, now, reason_code)


async def hurry(conn: Conn, call_id: UUID, now: datetime) -> None:
    """Everybody who was called has said no: the next round is due now."""
    await _HURRY.run(conn, call_id, now)


async def end(conn: Conn, call_id: UUID, why: str, answered_by: UUID | None, now: datetime) -> None:
    """The call rings no more."""
    await _END.run(conn, call_id, now, why, answered_by)


async def open_of_cases(conn: Conn, case_ids: Sequence[UUID]) -> dict[UUID, CallRow]:
    """The open call of each of these cases, by case."""
    return {row.case_id: row for row in await OPEN_OF_CASES.all(conn, list(case_ids))}


async def reachable(conn: Conn, case_id: UUID, now: datetime) -> list[Reachable]:
    """Every officer in the city who is there, as he stands towards the case, by id. Sees all only as SERVICE.

    Neither the absent nor those whose shift is over (gridsvc/domain/duty.py).
    """
    rows = await REACHABLE.all(conn, case_id, now)
    standing = await duty.standings(conn, [row.officer_id for row in rows], now)
    return [Reachable(**vars(row)) for row in rows if standing[row.officer_id].duty.there]


async def last_of_officer(conn: Conn, case_id: UUID, officer_id: UUID) -> CallRow | None:
    """The newest call of the case that this officer was called by; None where he never was. As SERVICE."""
    return await LAST_OF_OFFICER.one(conn, case_id, officer_id)
