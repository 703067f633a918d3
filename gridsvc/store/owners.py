"""Whether somebody whom a dispatcher names can answer for a case."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class _Answer:
    yes: bool


_OFFICER = Statement(
    _Answer,
    """
    SELECT EXISTS (SELECT FROM officers o
                     JOIN users u ON u.id = o.user_id
                    WHERE o.user_id = $1::uuid
                      AND o.duty_line = $2::text
                      AND u.active) AS yes
    """,
)

_DEPARTMENT = Statement(
    _Answer,
    """
    SELECT EXISTS (SELECT FROM departments WHERE code = $1::text) AS yes
    """,
)

_DUTY_LINE = Statement(_Answer, "SELECT EXISTS (SELECT FROM duty_lines WHERE code = $1::text) AS yes")

_HANDLES = Statement(
    _Answer,
    """
    SELECT EXISTS (SELECT FROM grants g
                     JOIN users u ON u.id = g.user_id
                    WHERE g.user_id = $1::uuid
                      AND g.role = 'handler'
                      AND g.department = $2::text
                      AND u.active) AS yes
    """,
)


async def is_active_officer(conn: Conn, user_id: UUID, duty_line: str) -> bool:
    """Whether this is an officer of the duty line who has not left. On or off duty does not matter."""
    answer = await _OFFICER.one(conn, user_id, duty_line)
    return answer is not None and answer.yes


async def department_exists(conn: Conn, code: str) -> bool:
    """Whether there is such a department."""
    answer = await _DEPARTMENT.one(conn, code)
    return answer is not None and answer.yes


async def duty_line_exists(conn: Conn, code: str) -> bool:
    """Whether there is such a duty line."""
    answer = await _DUTY_LINE.one(conn, code)
    return answer is not None and answer.yes


async def still_handles(conn: Conn, user_id: UUID | None, department: str | None) -> bool:
    """Whether this person, who handled for the department once, still does."""
    answer = await _HANDLES.one(conn, user_id, department)
    return answer is not None and answer.yes
