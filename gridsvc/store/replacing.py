"""People as an administrator sees them, and what passes from one officer to another who takes his place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class PersonRow:
    """Somebody with a post in reach of the asker. `posts`: all of his roles; `duty_line` None: he is no officer."""

    id: UUID
    username: str
    display_name: str
    active: bool
    posts: list[dict[str, Any]]
    duty_line: str | None
    on_duty: bool | None
    beats: list[str]
    open_cases: int


# $1 divisions and $2 duty lines side by side (a line NULL: all lines), as the asker holds them; $4: this person alone.
PEOPLE = Statement(
    PersonRow,
    """
    SELECT u.id, u.username, u.display_name, u.active,
           coalesce((SELECT jsonb_agg(jsonb_build_object('role', g.role, 'division', g.division_code,
                                                         'department', g.department, 'duty_line', g.duty_line)
                                      ORDER BY g.role, g.division_code, g.department, g.duty_line)
                       FROM grants g WHERE g.user_id = u.id), '[]') AS posts,
           o.duty_line, o.on_duty,
           ARRAY(SELECT b.beat_code FROM officer_beats b WHERE b.officer_id = u.id ORDER BY 1) AS beats,
           (SELECT count(*)::integer FROM cases c
             WHERE c.officer_id = u.id AND c.state IN ('assigned', 'accepted', 'in_progress')) AS open_cases
      FROM users u
           LEFT JOIN officers o ON o.user_id = u.id
     WHERE ($4::uuid IS NULL OR u.id = $4::uuid)
       AND EXISTS (SELECT
                     FROM grants g
                          JOIN unnest($1::text[], $2::text[]) AS mine (division, duty_line)
                            ON mine.duty_line IS NULL OR mine.duty_line = g.duty_line
                          LEFT JOIN divisions d ON d.grid_set_id = grid_set_at($3::timestamptz)
                                               AND d.code = g.division_code
                    WHERE g.user_id = u.id
                      AND (mine.division = g.division_code OR mine.division = ANY (d.path)))
     ORDER BY u.active DESC, u.display_name, u.id
    """,
)


async def people_in_reach(
    conn: Conn, areas: Sequence[tuple[str, str | None]], now: datetime, person: UUID | None = None
) -> list[PersonRow]:
    """Everybody with a post at or below one of `areas`, active ones first; of open cases what the scope shows."""
    return await PEOPLE.all(conn, [division for division, _ in areas], [line for _, line in areas], now, person)


@dataclass(frozen=True)
class Takes:
    """An officer who may take another's place."""

    id: UUID
    display_name: str
    duty_line: str


TAKES = Statement(
    Takes,
    """
    SELECT o.user_id AS id, u.display_name, o.duty_line
      FROM officers o
      JOIN users u ON u.id = o.user_id AND u.active
     WHERE o.user_id = $1::uuid
    """,
)


@dataclass(frozen=True)
class _Beat:
    code: str


BEATS = Statement(_Beat, "SELECT beat_code AS code FROM officer_beats WHERE officer_id = $1::uuid ORDER BY 1")

TAKE_BEATS = Statement(
    Nothing,
    """
    INSERT INTO officer_beats (officer_id, duty_line, beat_code)
    SELECT $2::uuid, duty_line, beat_code
      FROM officer_beats
     WHERE officer_id = $1::uuid
        ON CONFLICT DO NOTHING
    """,
)

DROP_BEATS = Statement(Nothing, "DELETE FROM officer_beats WHERE officer_id = $1::uuid")

# A beat is walked by who is an officer there: the posts go with the beats, and stay with who had them too.
TAKE_POSTS = Statement(
    Nothing,
    """
    INSERT INTO grants (user_id, role, division_code, department, duty_line)
    SELECT $2::uuid, role, division_code, department, duty_line
      FROM grants
     WHERE user_id = $1::uuid AND role = 'officer'
        ON CONFLICT DO NOTHING
    """,
)

END_ACCOUNT = Statement(Nothing, "UPDATE users SET active = false WHERE id = $1::uuid AND active")

NEW_PASSWORD = Statement(Nothing, "UPDATE users SET password_hash = $2::text WHERE id = $1::uuid AND active")

END_SESSIONS = Statement(
    Nothing,
    """
    UPDATE sessions
       SET ended_at = $2::timestamptz, ended_why = $3::text
     WHERE user_id = $1::uuid AND ended_at IS NULL
    """,
)


async def pass_beats(conn: Conn, officer_id: UUID, successor: UUID) -> list[str]:
    """Give all beats of an officer to another, with the posts for them; which they are."""
    beats = [row.code for row in await BEATS.all(conn, officer_id)]
    await TAKE_BEATS.run(conn, officer_id, successor)
    await TAKE_POSTS.run(conn, officer_id, successor)
    await DROP_BEATS.run(conn, officer_id)
    return beats


async def end_account(conn: Conn, user_id: UUID, now: datetime) -> bool:
    """Nobody signs in by this account any more, and whoever has is out; whether it was active."""
    ended = await END_ACCOUNT.run(conn, user_id)
    await END_SESSIONS.run(conn, user_id, now, "deactivated")
    return bool(ended)


async def give_password(conn: Conn, user_id: UUID, password_hash: str, now: datetime) -> bool:
    """He signs in by another password from now on, everywhere anew; False where the account is not active."""
    given = await NEW_PASSWORD.run(conn, user_id, password_hash)
    if given:
        await END_SESSIONS.run(conn, user_id, now, "new_password")
    return bool(given)
