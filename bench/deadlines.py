"""How many deadlines one process computes in a second, beside the limit that is promised and a walk over days.

Run as `python -m bench.deadlines`; prints a table, and writes it to `bench/results/deadlines.json`.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as civil
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from gridsvc.domain.calendar import Calendar, WorkDay, advance
from gridsvc.domain.deadline import Budget, LimitUnit, Pause, budget_of, intervals, reach_share

PROMISED: Final = 200_000
"""Deadlines a second in one process."""

RESULTS: Final = Path(__file__).parent / "results" / "deadlines.json"
COUNT: Final = 50_000
ROUNDS: Final = 7  # the median is told

OFFICE_HOURS: Final = dict.fromkeys(range(1, 6), ((civil(8), civil(12)), (civil(14), civil(18))))
ZONES: Final = ("Asia/Shanghai", "Europe/Berlin")  # without and with summer time


def _calendar(zone: str) -> Calendar:
    """Two years with some thirty days off each, as a notice of the State Council has them."""
    random = Random(1)
    days = {date(year, 1, 1) + timedelta(days=random.randrange(365)): False for year in (2026, 2027) for _ in range(30)}
    return Calendar(
        code="city", edition=1, zone=ZoneInfo(zone), slots=OFFICE_HOURS, days=days, years=frozenset({2026, 2027})
    )


def _asked(limits: Sequence[tuple[int, LimitUnit]], work_day: WorkDay) -> list[tuple[datetime, Budget]]:
    """Moments of a year and limits of every length."""
    random, since = Random(2), datetime(2026, 1, 1, tzinfo=UTC)
    return [
        (since + timedelta(seconds=random.randrange(365 * 86_400)), budget_of(*random.choice(limits), work_day))
        for _ in range(COUNT)
    ]


LIMITS: Final = [
    (2, LimitUnit.WORK_HOUR), (4, LimitUnit.WORK_HOUR), (1, LimitUnit.WORK_DAY), (3, LimitUnit.WORK_DAY),
    (5, LimitUnit.WORK_DAY), (15, LimitUnit.WORK_DAY),
]  # fmt: skip


def measure(clock: Callable[[], float]) -> dict[str, float]:
    """Deadlines a second by `clock`, by kind."""
    found: dict[str, float] = {}
    for zone in ZONES:
        calendar = _calendar(zone)
        began = clock()
        advance(calendar, datetime(2026, 6, 1, tzinfo=UTC), 1)
        found[f"{zone}: compile a year, ms"] = (clock() - began) * 1e3
        hours, ends = _asked(LIMITS, WorkDay.EIGHT_HOURS), _asked(LIMITS, WorkDay.END_OF_DAY)
        found[f"{zone}: working hours and days, per s"] = _rate(
            clock,
            lambda hours=hours, by=calendar: [reach_share(by, at, b, 1, ()) for at, b in hours],  # type: ignore[misc]
        )
        found[f"{zone}: ends of working days, per s"] = _rate(
            clock,
            lambda ends=ends, by=calendar: [reach_share(by, at, b, 1, ()) for at, b in ends],  # type: ignore[misc]
        )
    paused = [(at, b, [Pause(at + timedelta(hours=1), at + timedelta(hours=30), "suspended")]) for at, b in hours]
    found["with one pause, per s"] = _rate(clock, lambda: [reach_share(calendar, at, b, 1, p) for at, b, p in paused])
    found["by walking over days, per s"] = _rate(
        clock, lambda: [_walk(calendar, at, b) for at, b in hours[:2_000]], 2_000
    )
    began = clock()
    listed = intervals(calendar, hours[0][0], hours[0][0] + timedelta(days=365), ())
    found[f"list the {len(listed)} intervals of a year, ms"] = (clock() - began) * 1e3
    return found


def _rate(clock: Callable[[], float], work: Callable[[], object], count: int = COUNT) -> float:
    took = []
    for _ in range(ROUNDS):
        began = clock()
        work()
        took.append(clock() - began)
    return count / statistics.median(took)


def _walk(calendar: Calendar, start: datetime, budget: Budget) -> datetime:
    """The same answer from slots of day after day, without sums: what a year of them saves."""
    left, day = timedelta(seconds=budget.seconds), start.astimezone(calendar.zone).date()
    while True:
        for opens, closes in calendar.slots_of(day):
            begin = max(start, datetime.combine(day, opens, calendar.zone).astimezone(UTC))
            finish = datetime.combine(day, closes, calendar.zone).astimezone(UTC)
            if finish - begin >= left:
                return begin + left
            left -= max(finish - begin, timedelta())
        day += timedelta(days=1)


def _slowest(found: dict[str, float]) -> float:
    return min(rate for name, rate in found.items() if ": " in name and name.endswith("per s"))


def main() -> None:
    """Measure, print, keep."""
    # By the wall, and by the processor's time that this process got: they differ on a machine with other work.
    wall, processor = measure(time.perf_counter), measure(time.process_time)
    print(f"{'':56} {'by the wall':>12} {'by the CPU':>12}")
    for name, value in wall.items():
        print(f"{name:56} {value:12,.1f} {processor[name]:12,.1f}")
    ratios = [_slowest(found) / PROMISED for found in (wall, processor)]
    print(f"{'ratio of the slowest kind without a pause to 200,000':56} {ratios[0]:12.2f} {ratios[1]:12.2f}")
    print(f"load average at the end: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    RESULTS.parent.mkdir(exist_ok=True)
    document = {"cores": os.cpu_count(), "promised_per_s": PROMISED, "ratios": ratios, "wall": wall, "cpu": processor}
    RESULTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
