"""A cause and its effects as people read them, as far as their scope keys open them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True, kw_only=True)
class Related:
    """A case at the other end of a link."""

    id: UUID
    number: str | None
    state: str
    pool: str | None
    category: str


CAUSE = Statement(
    Related,
    """
    SELECT m.id, m.number, m.state, m.pool, m.edition || ':' || m.category AS category
      FROM cases m
     WHERE m.id = $1::uuid
       AND m.seen_by && $2::text[]
    """,
)

EFFECTS = Statement(
    Related,
    """
    SELECT e.id, e.number, e.state, e.pool, e.edition || ':' || e.category AS category
      FROM cases e
     WHERE e.cause_id = $1::uuid
       AND e.seen_by && $2::text[]
     ORDER BY e.id
    """,
)


async def cause_of(conn: Conn, cause_id: UUID | None, keys: Sequence[str]) -> Related | None:
    """The cause, or None where there is none or these scope keys do not open it."""
    return None if cause_id is None else await CAUSE.one(conn, cause_id, list(keys))


async def of_cause(conn: Conn, cause_id: UUID, keys: Sequence[str]) -> list[Related]:
    """What waits for the case, or was handled with it, by id, as far as these scope keys open it."""
    return await EFFECTS.all(conn, cause_id, list(keys))
