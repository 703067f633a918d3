"""Clocks stop; one that an outage without an end holds is due by what stood still until now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.clock import CaseClock, go_on, stop_clock
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import clocks, outages


async def stop_clocks(conn: Conn, book: Rulebook, ending: Sequence[CaseClock], now: datetime) -> list[CaseClock]:
    """These live clocks of cases that the caller holds locked, stopped; the caller keeps them. As the service."""
    held = [clock.id for clock in ending if clock.state == "paused"]
    freed = await outages.end_open(conn, held, now) if held else set()
    stood_still = await clocks.pauses(conn, sorted(freed)) if freed else {}
    return [stop_clock(go_on(clock, book, stood_still[clock.id]) if clock.id in freed else clock, now)
            for clock in ending]  # fmt: skip
