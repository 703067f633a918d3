"""An outage is declared: who leads its scope says what could not work, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from events.catalog import OutageDeclared
from gridsvc.db import Conn
from gridsvc.domain.access import Caller
from gridsvc.domain.outage import Outage, Told, declared
from gridsvc.errors import BadRequest
from gridsvc.ids import new_id
from gridsvc.store import outages, outbox, owners
from gridsvc.store.cells import division_path, top_divisions


async def declare_outage(conn: Conn, told: Told, by: Caller, now: datetime) -> Outage:
    """Keep what `by` declares, in the caller's transaction; it counts once another has approved it.

    Raises BadRequest for a division, department or duty line that there is not, and what `declared` raises.
    """
    if told.department is not None and not await owners.department_exists(conn, told.department):
        raise _no("department", told.department)
    if told.duty_line is not None and not await owners.duty_line_exists(conn, told.duty_line):
        raise _no("duty_line", told.duty_line)
    outage = declared(new_id(), told, by, await path_of(conn, told.division, now), now)
    await outages.add(conn, outage, told.words)
    news = OutageDeclared(
        event_id=new_id(), at=now, outage_id=outage.id, reason=outage.reason, division=outage.division,
        duty_line=outage.duty_line, department=outage.department,
    )  # fmt: skip
    await outbox.append(conn, [news], now)
    return outage


async def path_of(conn: Conn, division: str | None, now: datetime) -> Sequence[str]:
    """The codes from the city down to the division of a scope. Raises BadRequest where the grid has no such thing."""
    if division is None:
        tops = await top_divisions(conn, now)
        if len(tops) != 1:
            raise BadRequest(
                f"the grid in force has {len(tops)} divisions at the top; want an outage of one of them",
                field="division", wanted=tops,
            )  # fmt: skip
        return tops
    path = await division_path(conn, division, now)
    if path is None:
        raise _no("division", division)
    return path


def _no(field: str, given: str) -> BadRequest:
    what = field.replace("_", " ")
    return BadRequest(
        f"no {what} {given!r} in this city", field=field, given=given, wanted=f"the code of a {what}, or null for all"
    )
