"""The database server's own clock, without the shift that a test may give the city's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class Clock:
    """One reading."""

    at: datetime


READ = Statement(Clock, "SELECT clock_timestamp() AS at")


async def read(conn: Conn) -> datetime:
    """What the server's clock says. For watching that clock alone: decisions take city_now()."""
    clock = await READ.one(conn)
    assert clock is not None  # noqa: S101 - one row by construction
    return clock.at
