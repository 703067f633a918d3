"""`gridsvc simulate`: play a day on the demo city."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from gridsvc.local.simulate import Tally, fast, keep_alive, open_simulation
from gridsvc.local.simulate_crowd import Demo
from gridsvc.logs import start_logging
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example: a whole day in 24 minutes, while `gridsvc up` runs in another window
  gridsvc simulate

example: four hours, ten times as fast as life
  gridsvc simulate --hours 4 --speed 10

Only cases whose description begins with 【模拟】 are ever touched. Deadlines stay those of the real
clock, whatever the speed. Exit code 0: done; 1: the service was away, refused what should have been
possible, or gave a case to somebody who was not there; 2: the command was wrong.
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
    tally = Tally()
    with tqdm(total=arguments.hours, unit="h", bar_format="{l_bar}{bar}| {n:.1f}/{total:.1f} h {postfix}") as bar:
        async with open_simulation(
            home, url=arguments.url, pace=pace, seed=arguments.seed, hour=arguments.hour
        ) as simulation:
            async for tally in simulation.play(arguments.hours):
                bar.update(min(simulation.elapsed_s * pace.day_speed / 3600, arguments.hours) - bar.n)
                bar.set_postfix_str(f"{tally.reports.total()} reports, {tally.moves.total()} moves")
            judged, chosen = await simulation.judged(), await simulation.looked_at()
    print(summary(tally))
    print(f"routing   {chosen.summary()}")
    print(f"judged    {', '.join(f'{name} {value}' for name, value in judged.items()) or 'nothing yet'}")
    return 1 if tally.refused or chosen.not_there else 0


def summary(tally: Tally) -> str:
    """What happened, one line per kind of thing."""
    lines = [
        f"reports   {_counts(tally.reports)}",
        f"moves     {_counts(tally.moves)}",
        f"duty      {_counts(tally.duty)}; {tally.walked} positions",
        f"races     {tally.races} moves came too late, because the case had moved on",
        f"refused   {_counts(tally.refused)}",
    ]
    return "\n".join(lines)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"
