"""Clocks stop; one that an outage without an end holds is due by what stood still until now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.clock import CaseClock, go_on, stop_clock
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import clocks, outages


async def stop_clocks(
    conn: Conn,
    book: Rulebook,
    ending: Sequence[CaseClock],
    now: datetime,
    captured: Mapping[UUID, datetime] = MappingProxyType({}),
) -> list[CaseClock]:
    """These live clocks of cases that the caller holds locked, stopped; the caller keeps them. As the service.

    `captured` says of a case when that was done which stops its clocks, where a phone could tell it only later.
    """
    held = [clock.id for clock in ending if clock.state == "paused"]
    freed = await outages.end_open(conn, held, now) if held else set()
    stood_still = await clocks.pauses(conn, sorted(freed)) if freed else {}
    return [
        stop_clock(
            go_on(clock, book, stood_still[clock.id]) if clock.id in freed else clock, now, captured.get(clock.case_id)
        )
        for clock in ending
    ]
