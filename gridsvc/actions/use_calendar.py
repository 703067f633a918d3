"""Say where another calendar than the category's own holds."""

from __future__ import annotations

from datetime import datetime

from gridsvc.db import Conn
from gridsvc.errors import SetupError
from gridsvc.store import calendars, grids, owners
from gridsvc.store.cells import division_names


async def use_calendar(
    conn: Conn, calendar: str | None, department: str | None, division: str | None, now: datetime
) -> None:
    """Let `calendar` hold for a department or for a division and those below it; None: the categories' own again.

    Clocks that run keep the calendar they started with. Raises SetupError for a calendar, department or
    division (of the grid set in force) that does not exist, and for a use to be ended that there is not.
    """
    if calendar is None:
        if not await calendars.end_use(conn, department, division):
            raise SetupError(f"no calendar of its own holds for {department or division}; calendar list names them")
        return
    if calendar not in await calendars.in_force(conn):
        raise SetupError(f"there is no calendar {calendar!r}; calendar list names them")
    if department is not None:
        if not await owners.department_exists(conn, department):
            raise SetupError(f"there is no department {department!r}")
        await calendars.use_for_department(conn, department, calendar)
    elif division is not None:
        force = await grids.in_force(conn, now)
        if force is None or not await division_names(conn, force, [division]):
            raise SetupError(f"there is no division {division!r} in the grid set in force")
        await calendars.use_for_division(conn, division, calendar)
