"""Whether an officer works where the caller may say something about him."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.access import Caller, Role
from gridsvc.errors import Unknown
from gridsvc.store.roster import in_reach

LEADS: Final = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN})
"""Who says when an officer is away, and takes his work from him."""


def areas_of(caller: Caller, roles: frozenset[Role]) -> list[tuple[str, str | None]]:
    """Where the caller holds one of `roles`: divisions and duty lines. Departments have no officers."""
    return [(g.division, g.duty_line) for g in caller.grants if g.role in roles and g.department is None]


async def check_reach(conn: Conn, caller: Caller, roles: frozenset[Role], officer_id: UUID, now: datetime) -> None:
    """Raise Unknown for an officer who is none, or works outside of where the caller holds one of `roles`."""
    if not await in_reach(conn, areas_of(caller, roles), officer_id, now):
        raise Unknown(f"no officer {officer_id}", officer=str(officer_id))
