"""People who may sign in, their roles, and whether an officer is on duty."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.access import Grant, Role


@dataclass(frozen=True)
class Secret:
    """What a sign-in is checked against."""

    id: UUID
    password_hash: str | None


BY_NAME = Statement(
    Secret,
    """
    SELECT id, password_hash
      FROM users
     WHERE username = $1::text AND active
    """,
)


@dataclass(frozen=True)
class Person:
    """A user as the person himself sees him."""

    id: UUID
    username: str
    display_name: str


PERSON = Statement(
    Person,
    """
    SELECT id, username, display_name
      FROM users
     WHERE id = $1::uuid AND active
    """,
)


@dataclass(frozen=True)
class Named:
    """Whose name it is, active or not."""

    id: UUID


@dataclass(frozen=True)
class Called:
    """What a user is called, active or not."""

    id: UUID
    display_name: str


NAMES = Statement(
    Called,
    """
    SELECT id, display_name
      FROM users
     WHERE id = ANY ($1::uuid[])
    """,
)


async def names(conn: Conn, actors: Collection[str]) -> dict[str, str]:
    """What those of `actors` are called who are users, by the way histories name them: `user:<uuid>`."""
    ids = [UUID(actor.removeprefix("user:")) for actor in actors if actor.startswith("user:")]
    return {f"user:{row.id}": row.display_name for row in await NAMES.all(conn, ids)} if ids else {}


ID_OF = Statement(Named, "SELECT id FROM users WHERE username = $1::text")


@dataclass(frozen=True)
class Division:
    """Whether the grid set in force knows a division."""

    known: bool


DIVISION_IN_FORCE = Statement(
    Division,
    """
    SELECT EXISTS (SELECT FROM divisions d WHERE d.grid_set_id = s.id AND d.code = $1::text) AS known
      FROM grid_sets s
     WHERE s.id = grid_set_at($2::timestamptz)
    """,
)


@dataclass(frozen=True)
class _Held:
    role: str
    division_code: str
    department: str | None
    duty_line: str | None


GRANTS = Statement(
    _Held,
    """
    SELECT role, division_code, department, duty_line
      FROM grants
     WHERE user_id = $1::uuid
     ORDER BY role, division_code, department NULLS FIRST, duty_line NULLS FIRST
    """,
)

ADD = Statement(
    Nothing,
    """
    INSERT INTO users (id, username, display_name, password_hash, created_at)
    VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::timestamptz)
        ON CONFLICT (username) DO NOTHING
    """,
)

ADD_GRANTS = Statement(
    Nothing,
    """
    INSERT INTO grants (user_id, role, division_code, department, duty_line)
    SELECT $1::uuid, role, division, department, duty_line
      FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS g (role, division, department, duty_line)
        ON CONFLICT DO NOTHING
    """,
)

ADD_OFFICER = Statement(
    Nothing,
    """
    INSERT INTO officers (user_id, duty_line)
    VALUES ($1::uuid, $2::text)
        ON CONFLICT (user_id) DO NOTHING
    """,
)

DEACTIVATE = Statement(Nothing, "UPDATE users SET active = false WHERE username = $1::text AND active")


@dataclass(frozen=True)
class Listed:
    """A user as the administrator's list shows him; `roles` as `role@division` with its axis."""

    username: str
    display_name: str
    active: bool
    roles: list[str]


LISTED = Statement(
    Listed,
    """
    SELECT u.username, u.display_name, u.active,
           coalesce(array_agg(g.role || '@' || g.division_code
                              || coalesce('/dept:' || g.department, '/line:' || g.duty_line, '')
                              ORDER BY g.role, g.division_code) FILTER (WHERE g.role IS NOT NULL),
                    '{}') AS roles
      FROM users u
           LEFT JOIN grants g ON g.user_id = u.id
     GROUP BY u.id
     ORDER BY u.username
    """,
)

DUTY = Statement(
    Nothing,
    """
    UPDATE officers
       SET on_duty = $2::boolean, duty_changed_at = $3::timestamptz
     WHERE user_id = $1::uuid AND on_duty <> $2::boolean
    """,
)


@dataclass(frozen=True)
class Duty:
    """Whether an officer is on duty, and since when (None: never changed)."""

    on_duty: bool
    duty_changed_at: datetime | None


DUTY_OF = Statement(
    Duty,
    """
    SELECT on_duty, duty_changed_at
      FROM officers
     WHERE user_id = $1::uuid
    """,
)


async def grants_of(conn: Conn, user_id: UUID) -> tuple[Grant, ...]:
    """Every role of a user, in a fixed order; empty for a stranger."""
    return tuple(
        Grant(role=Role(row.role), division=row.division_code, department=row.department, duty_line=row.duty_line)
        for row in await GRANTS.all(conn, user_id)
    )


async def add_grants(conn: Conn, user_id: UUID, grants: Sequence[Grant]) -> None:
    """Give `grants` to a user; one that he has already stays as it is."""
    await ADD_GRANTS.run(
        conn,
        user_id,
        [str(grant.role) for grant in grants],
        [grant.division for grant in grants],
        [grant.department for grant in grants],
        [grant.duty_line for grant in grants],
    )
