"""Whether somebody may be rung now: the tables `quiet_hours`, `quiet_defaults` and `notice_rules`, and duty."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.notice import Hours, Listener, NoticeRules


@dataclass(frozen=True)
class _ListenerRow:
    user_id: UUID
    on_duty: bool
    has_own: bool
    from_time: time | None
    until_time: time | None
    default_from: list[time | None]
    default_until: list[time | None]
    recent: int
    zone: str
    digest_most: int
    digest_window_s: int
    undigested_severities: list[str]
    loud_severities: list[str]
    loud_effects: list[str]


# Of the city's hours the row of the deepest division that the grant lies in; counting ends where it is enough.
LISTENERS = Statement(
    _ListenerRow,
    """
    SELECT u.id AS user_id, coalesce(o.on_duty, false) AS on_duty, q.user_id IS NOT NULL AS has_own,
           q.from_time, q.until_time, coalesce(d.default_from, '{}') AS default_from,
           coalesce(d.default_until, '{}') AS default_until, coalesce(r.recent, 0) AS recent,
           i.zone, n.digest_most, n.digest_window_s, n.undigested_severities, n.loud_severities, n.loud_effects
      FROM notice_rules n
     CROSS JOIN instance i
     CROSS JOIN unnest($1::uuid[]) AS u (id)
      LEFT JOIN officers o ON o.user_id = u.id
      LEFT JOIN quiet_hours q ON q.user_id = u.id
      LEFT JOIN LATERAL (
           SELECT array_agg(c.from_time) AS default_from, array_agg(c.until_time) AS default_until
             FROM grants g
             LEFT JOIN LATERAL (
                  SELECT x.from_time, x.until_time
                    FROM quiet_defaults x
                    LEFT JOIN divisions v ON v.grid_set_id = grid_set_at($2::timestamptz) AND v.code = g.division_code
                   WHERE x.role = g.role
                     AND (x.division_code IS NULL OR x.division_code = g.division_code
                          OR x.division_code = ANY (v.path))
                   ORDER BY x.division_code = g.division_code DESC NULLS LAST,
                            array_position(v.path, x.division_code) DESC NULLS LAST
                   LIMIT 1) c ON true
            WHERE g.user_id = u.id
           ) d ON q.user_id IS NULL AND EXISTS (SELECT FROM quiet_defaults)
      LEFT JOIN LATERAL (
           SELECT count(*)::integer AS recent
             FROM (SELECT 1
                     FROM notices m
                    WHERE m.user_id = u.id
                      AND m.kind IN ('case.escalated', 'case.reminded')
                      AND m.created_at > $2::timestamptz - make_interval(secs => n.digest_window_s)
                    LIMIT n.digest_most + 1) m
           ) r ON $3::boolean
    """,
)


@dataclass(frozen=True)
class Listening:
    """Who listens, by which rules."""

    people: dict[UUID, Listener]
    rules: NoticeRules
    zone: ZoneInfo


async def listening(conn: Conn, users: Collection[UUID], now: datetime, *, counted: bool) -> Listening | None:
    """These people as the rules of ringing see them, in one round trip; None for nobody.

    `counted`: how many rungs and reminders each has had within the window; 0 for all otherwise.
    """
    rows = await LISTENERS.all(conn, list(users), now, counted)
    if not rows:
        return None
    first = rows[0]
    rules = NoticeRules(
        digest_most=first.digest_most,
        digest_window=timedelta(seconds=first.digest_window_s),
        undigested_severities=frozenset(first.undigested_severities),
        loud_severities=frozenset(first.loud_severities),
        loud_effects=frozenset(first.loud_effects),
    )
    return Listening({row.user_id: _listener(row) for row in rows}, rules, ZoneInfo(first.zone))


def _listener(row: _ListenerRow) -> Listener:
    return Listener(
        user_id=row.user_id,
        on_duty=row.on_duty,
        has_own=row.has_own,
        own=_hours(row.from_time, row.until_time),
        by_grant=tuple(
            _hours(since, until) for since, until in zip(row.default_from, row.default_until, strict=True)
        ),
        recent=row.recent,
    )


def _hours(since: time | None, until: time | None) -> Hours | None:
    return None if since is None or until is None else Hours(since, until)


_SET_QUIET = Statement(
    Nothing,
    """
    INSERT INTO quiet_hours (user_id, from_time, until_time, set_at)
    VALUES ($1::uuid, $2::time, $3::time, $4::timestamptz)
        ON CONFLICT (user_id) DO UPDATE
       SET from_time = excluded.from_time, until_time = excluded.until_time, set_at = excluded.set_at
    """,
)

_FORGET_QUIET = Statement(Nothing, "DELETE FROM quiet_hours WHERE user_id = $1::uuid")

_HOLD_UNTIL = Statement(
    Nothing,
    """
    UPDATE notices
       SET held_until = $2::timestamptz
     WHERE user_id = $1::uuid
       AND held_until IS NOT NULL
       AND acknowledged_at IS NULL
    """,
)


async def set_quiet(conn: Conn, user_id: UUID, hours: Hours | None, now: datetime) -> None:
    """His own hours from now on; None: none, whatever the city says."""
    await _SET_QUIET.run(conn, user_id, hours and hours.since, hours and hours.until, now)


async def forget_quiet(conn: Conn, user_id: UUID) -> None:
    """The city's hours again."""
    await _FORGET_QUIET.run(conn, user_id)


async def hold_until(conn: Conn, user_id: UUID, end: datetime) -> None:
    """What waits for him already rings at `end`."""
    await _HOLD_UNTIL.run(conn, user_id, end)
