"""`gridsvc simulate`: play a day on the demo city."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from gridsvc.db import ConnPool, open_pool
from gridsvc.local.simulate import Pace, Simulation, fast, keep_alive, open_simulation
from gridsvc.local.simulate_crowd import Demo
from gridsvc.local.simulate_redraw import Redrawn, redraw_by_day
from gridsvc.local.simulate_tally import Tally
from gridsvc.logs import start_logging
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example: a whole day in 24 minutes, while `gridsvc up` runs in another window
  gridsvc simulate

example: four hours, ten times as fast as life
  gridsvc simulate --hours 4 --speed 10

Only cases whose description begins with 【模拟】 are ever moved by hand. After a third of the day some cells go
to the neighbouring beat, and after two thirds they come back: all open cases follow (--keep-grid leaves that
out). Deadlines stay those of the real clock, whatever the speed. Exit code 0: done; 1: the service was away,
refused what should have been possible, or gave a case to somebody who was not there; 2: the command was wrong.
docs/demo-city.md says what the simulated people do."""


def add(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "simulate",
        help="play a day on the demo city",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hours", type=_positive, default=24.0, help="of the simulated day (default: 24)")
    parser.add_argument("--from", dest="hour", type=int, choices=range(24), metavar="0-23", help="hour; default: now")
    parser.add_argument("--speed", type=_positive, default=60.0, help="times as fast as life (default: 60)")
    parser.add_argument("--busiest", type=_positive, default=40.0, help="reports in the busiest hour (default: 40)")
    parser.add_argument("--officers", type=int, default=80, help="on duty at once, at most (default: 80)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another day (default: 1)")
    parser.add_argument("--url", help="address of the service; default: the one in demo.json")
    parser.add_argument("--keep-grid", action="store_true", help="do not redraw the grid during the day")
    parser.add_argument("--gentle", action="store_true", help="keep the map alive until stopped, as `gridsvc up` does")


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Play; the exit code."""
    start_logging(settings.logs.level)
    home = settings.instance.home
    if arguments.gentle:
        await keep_alive(arguments.url or Demo.read(home).url, home, arguments.seed)
    pace = fast(arguments.speed, arguments.busiest, arguments.officers)
    if arguments.keep_grid or arguments.url is not None:  # by its address alone no grid is redrawn
        return await _play(arguments, home, pace, None)
    async with open_pool(settings.database.url, size=2, name="gridsvc simulate") as pool:
        return await _play(arguments, home, pace, pool)


async def _play(arguments: argparse.Namespace, home: Path, pace: Pace, pool: ConnPool | None) -> int:
    tally = Tally()
    form = "{l_bar}{bar}| {n:.1f}/{total:.1f} h {postfix}"
    with tqdm(total=arguments.hours, unit="h", bar_format=form, disable=None) as bar:
        async with open_simulation(
            home, url=arguments.url, pace=pace, seed=arguments.seed, hour=arguments.hour
        ) as simulation:
            seconds = arguments.hours * 3600 / pace.day_speed
            async with _redrawing(pool, _Day(simulation, seconds)) as redrawn:
                async for tally in simulation.play(arguments.hours):
                    bar.update(min(simulation.elapsed_s * pace.day_speed / 3600, arguments.hours) - bar.n)
                    bar.set_postfix_str(f"{tally.reports.total()} reports, {tally.moves.total()} moves")
                grid = await redrawn
            judged, routed = await simulation.judged(), await simulation.routed()
            chosen, stood_still = await simulation.looked_at(), await simulation.stood_still()
            opened = await simulation.cases_of_cameras()
    print(summary(tally))
    print(f"cameras   {_counts(tally.cameras)}; {tally.incidents} incidents, {opened} cases so far")
    print(f"devices   {_counts(tally.devices)}")
    print(f"grid      {grid.line() if grid is not None else 'not redrawn'}")
    print(f"rules     {', '.join(f'{rule} {count}' for rule, count in routed.items()) or 'none'}")
    print(f"routing   {chosen.summary()}")
    print(f"outages   {stood_still}")
    print(f"judged    {', '.join(f'{name} {value}' for name, value in judged.items()) or 'nothing yet'}")
    return 1 if tally.refused or chosen.not_there else 0


@dataclass(frozen=True)
class _Day:
    """Waits until a share of the day has passed; it lasts `seconds` by the real clock."""

    simulation: Simulation
    seconds: float

    async def __call__(self, share: float) -> None:
        await asyncio.sleep(max(0.0, share * self.seconds - self.simulation.elapsed_s))


@asynccontextmanager
async def _redrawing(pool: ConnPool | None, day: _Day) -> AsyncIterator[asyncio.Future[Redrawn | None]]:
    """The grid is redrawn while the day goes on; ends with it, also where that fails."""
    if pool is None:
        nothing: asyncio.Future[Redrawn | None] = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        yield nothing
        return
    task = asyncio.create_task(redraw_by_day(pool, day))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def summary(tally: Tally) -> str:
    """What happened, one line per kind of thing."""
    lines = [
        f"reports   {_counts(tally.reports)}",
        f"moves     {_counts(tally.moves)}",
        f"duty      {_counts(tally.duty)}; {tally.walked} positions",
        f"notices   {_counts(tally.notices)}",
        f"map       tiles: {_counts(tally.tiles)}",
        f"races     {tally.races} moves came too late, because the case had moved on",
        f"refused   {_counts(tally.refused)}",
    ]
    return "\n".join(lines)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"
