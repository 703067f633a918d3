"""Sign-ins that stand: who is behind a token, and which refresh token may be used next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Nothing, Statement

ADD = Statement(
    Nothing,
    """
    INSERT INTO sessions (id, user_id, kind, label, refresh_hash, rotated_at, created_at, expires_at)
    VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::bytea, $6::timestamptz, $6::timestamptz, $7::timestamptz)
    """,
)


@dataclass(frozen=True)
class Standing:
    """A session that is neither ended nor expired, of a user who is active; his grants as parallel lists."""

    user_id: UUID
    expires_at: datetime
    now: datetime
    roles: list[str]
    divisions: list[str]
    departments: list[str | None]
    duty_lines: list[str | None]
    cookie_turn: int
    cookie_turned_at: datetime | None


STANDING = Statement(
    Standing,
    """
    SELECT s.user_id, s.expires_at, city_now() AS now,
           coalesce(array_agg(g.role) FILTER (WHERE g.role IS NOT NULL), '{}') AS roles,
           coalesce(array_agg(g.division_code) FILTER (WHERE g.role IS NOT NULL), '{}') AS divisions,
           coalesce(array_agg(g.department) FILTER (WHERE g.role IS NOT NULL), '{}') AS departments,
           coalesce(array_agg(g.duty_line) FILTER (WHERE g.role IS NOT NULL), '{}') AS duty_lines,
           s.cookie_turn, s.cookie_turned_at
      FROM sessions s
           JOIN users u ON u.id = s.user_id AND u.active
           LEFT JOIN grants g ON g.user_id = s.user_id
     WHERE s.id = $1::uuid AND s.ended_at IS NULL AND s.expires_at > city_now()
     GROUP BY s.id
    """,
)


@dataclass(frozen=True)
class Refreshable:
    """What deciding on a refresh needs to know of a session."""

    user_id: UUID
    refresh_hash: bytes
    used_hash: bytes | None
    rotated_at: datetime
    expires_at: datetime
    ended_at: datetime | None


FOR_REFRESH = Statement(
    Refreshable,
    """
    SELECT user_id, refresh_hash, used_hash, rotated_at, expires_at, ended_at
      FROM sessions
     WHERE id = $1::uuid
       FOR UPDATE   -- two refreshes with one token must see each other, or both would rotate
    """,
)

ROTATE = Statement(
    Nothing,
    """
    UPDATE sessions
       SET used_hash = refresh_hash, refresh_hash = $2::bytea, rotated_at = $3::timestamptz
     WHERE id = $1::uuid
    """,
)

TURN_COOKIE = Statement(
    Nothing,
    """
    UPDATE sessions
       SET cookie_turn = $2::integer, cookie_turned_at = $3::timestamptz
     WHERE id = $1::uuid AND cookie_turn < $2::integer
    """,
)

END = Statement(
    Nothing,
    """
    UPDATE sessions
       SET ended_at = $2::timestamptz, ended_why = $3::text
     WHERE id = $1::uuid AND ended_at IS NULL
    """,
)


@dataclass(frozen=True)
class Own:
    """A session that stands, as its user sees it."""

    id: UUID
    kind: str
    label: str
    created_at: datetime
    expires_at: datetime


STANDING_OF = Statement(
    Own,
    """
    SELECT id, kind, label, created_at, expires_at
      FROM sessions
     WHERE user_id = $1::uuid AND ended_at IS NULL AND expires_at > $2::timestamptz
     ORDER BY created_at DESC, id DESC
     LIMIT 100
    """,
)


@dataclass(frozen=True)
class Whose:
    """Whose a session is."""

    user_id: UUID


OWNER = Statement(
    Whose,
    """
    SELECT user_id
      FROM sessions
     WHERE id = $1::uuid
    """,
)

END_ALL_OF = Statement(
    Nothing,
    """
    UPDATE sessions s
       SET ended_at = $2::timestamptz, ended_why = $3::text
      FROM users u
     WHERE u.username = $1::text AND s.user_id = u.id AND s.ended_at IS NULL
    """,
)
