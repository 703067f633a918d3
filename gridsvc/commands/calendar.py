"""`gridsvc calendar`: working hours and days off as editions, and where which calendar holds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridsvc.actions.publish_calendar import Order, Plan, dispute_text, plan_calendar, publish_calendar
from gridsvc.actions.recompute_clocks import recompute_clocks
from gridsvc.actions.use_calendar import use_calendar
from gridsvc.db import ConnPool, open_pool, transaction
from gridsvc.domain.calendar_sources import PACKAGES, read_source
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings
from gridsvc.store import calendars

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST_BYTES: Final = 8 * 1024 * 1024  # of one file; holiday-cn's yearly ones have 5 KiB
_BATCH: Final = 500  # cases that are computed anew in one transaction
_SHOWN: Final = 60  # days of a preview; two years have about that many

_EXAMPLES: Final = {
    "import": """\
examples: the State Council's notice of 2027, first looked at, then published
  gridsvc calendar import 2027.json --check
  gridsvc calendar import 2027.json

two sources of the same year must agree on every day, or one of them is followed
  gridsvc calendar import 2026.json chinesecalendar holidays:CN --years 2026 --follow 2026.json

hours of summer and winter; a calendar of its own for one department
  gridsvc calendar import --hours hours.json
  gridsvc calendar import 2026.json --calendar water --hours water.json

Files: holiday-cn JSON and iCalendar. What is refused and how hours are written: docs/rules/calendars.md.""",
    "use": """\
examples:
  gridsvc calendar use water --department water
  gridsvc calendar use gansu --division 620102001
  gridsvc calendar use --none --division 620102001

The department's calendar wins, then that of the deepest division, then the category's own. Clocks that run
keep theirs; those that start from now on have the new one.""",
    "list": """\
example:
  gridsvc calendar list""",
}
_CODES: Final = "\n\nExit code 0: done; 1: refused, nothing was kept; 2: the command itself was wrong."


def add(subparsers: Subparsers) -> None:
    """Add `calendar` with its own subcommands to the command line."""
    parser = subparsers.add_parser("calendar", help="working hours and days off: import, preview, publish, where used")
    commands = parser.add_subparsers(dest="calendar_command", required=True, metavar="COMMAND")
    importing = _command(commands, "import", "publish a new edition of a calendar from files or packages")
    option = importing.add_argument
    option("sources", nargs="*", metavar="SOURCE", help=f"a file, or {', '.join(PACKAGES)}:COUNTRY[-PART]")
    option("--calendar", default="city", metavar="CODE", help="which calendar (default: city)")
    option("--name", help="what it is called")
    option("--hours", type=Path, metavar="FILE.json", help="slots, seasons, and what a working day is")
    option("--years", type=_years, default=[], help="of iCalendar files and packages, as 2026,2027 or 2026-2028")
    option("--follow", metavar="SOURCE", help="the one that is right where sources disagree")
    option("--check", action="store_true", help="only say what would change; write nothing")
    using = _command(commands, "use", "say where another calendar than the category's own holds")
    using.add_argument("calendar", nargs="?", metavar="CODE", help="which calendar")
    using.add_argument("--none", action="store_true", help="the categories' own again")
    place = using.add_mutually_exclusive_group(required=True)
    place.add_argument("--department", metavar="CODE")
    place.add_argument("--division", metavar="CODE", help="it and all divisions below it")
    _command(commands, "list", "all calendars, their editions, and where they hold")


def _command(commands: Subparsers, name: str, what: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=what, description=what, epilog=_EXAMPLES[name] + _CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the chosen subcommand; the exit code."""
    commands = {"import": _import, "use": _use, "list": _list}
    async with open_pool(settings.database.url, size=2, name="gridsvc calendar") as pool:
        return await commands[arguments.calendar_command](pool, arguments)


async def _import(pool: ConnPool, given: argparse.Namespace) -> int:
    order = Order(
        code=given.calendar,
        sources=[(name, None if _is_package(name) else _content(Path(name))) for name in given.sources],
        hours=(str(given.hours), _content(given.hours)) if given.hours else None,
        years=given.years,
        follow=given.follow,
        name=given.name,
    )
    try:
        async with transaction(pool) as (conn, now):
            plan = await plan_calendar(conn, order, read_source)
            if not given.check and not plan.changes_nothing:
                await publish_calendar(conn, plan, "command", now)
    except ImportRefused as refused:
        for defect in refused.defects:
            print(f"refused: {defect.message}", file=sys.stderr)
        print(f"gridsvc calendar import: {refused.message}", file=sys.stderr)
        return 1
    _preview(plan)
    if plan.changes_nothing:
        print(f"{order.code}: nothing changes; edition {plan.base.number} stays in force")
    elif given.check:
        print(f"{order.code}: edition {plan.edition.number} could be published; nothing was written")
    else:
        done, left = await _recompute(pool)
        print(f"{order.code}: edition {plan.edition.number} is in force; clocks of {done} cases were computed anew")
        if left:
            print(f"{left} cases are held by somebody; the sweeper computes them within seconds")
    return 0


def _preview(plan: Plan) -> None:
    for disputed in plan.overruled:
        print(f"warning: sources disagree: {dispute_text(disputed)}", file=sys.stderr)
    for day in plan.days[:_SHOWN]:
        print(f"  {day.day:%Y-%m-%d %a}  {day.before} -> {day.after}")
    if len(plan.days) > _SHOWN:
        print(f"  … and {len(plan.days) - _SHOWN} days more")
    before, after, effect = plan.base, plan.edition, plan.effect
    for what, was, now in (
        ("slots", before.slots, after.slots),
        ("seasons", before.seasons, after.seasons),
        ("work_day", before.work_day, after.work_day),
    ):
        if was != now and before.number:
            print(f"  {what} change")
    years = sorted(after.years - before.years)
    print(f"{len(plan.days)} days change; years new: {', '.join(map(str, years)) or 'none'}")
    print(
        f"{effect.open} open clocks: {effect.later} later, {effect.earlier} earlier; "
        f"{effect.certain} no longer provisional, {effect.provisional} provisional afterwards"
    )


async def _recompute(pool: ConnPool) -> tuple[int, int]:
    """Cases whose clocks followed at once, and cases that somebody holds."""
    done = 0
    while True:
        async with transaction(pool) as (conn, now):
            batch = await recompute_clocks(conn, now, _BATCH)
            if not batch:
                left = await calendars.OUTDATED.one(conn)
                return done, left.cases if left else 0
        done += batch


async def _use(pool: ConnPool, given: argparse.Namespace) -> int:
    if (given.calendar is None) != given.none:
        print("gridsvc calendar use: want a calendar's CODE, or --none", file=sys.stderr)
        return 2
    async with transaction(pool) as (conn, now):
        await use_calendar(conn, given.calendar, given.department, given.division, now)
    where = f"department {given.department}" if given.department else f"division {given.division}"
    print(f"{where}: {given.calendar or 'the own calendars of categories'}")
    return 0


async def _list(pool: ConnPool, given: argparse.Namespace) -> int:
    async with transaction(pool) as (conn, _):
        listed, uses = await calendars.LIST.all(conn), await calendars.uses(conn)
    for each in listed:
        years = ", ".join(map(str, sorted(each.years))) or "none"
        since = f", in force since {each.published_at.isoformat()}" if each.published_at else ""
        print(
            f"{each.code}: {each.name}; edition {each.edition}{since}; years {years}; working day {each.work_day}; "
            f"{each.open_clocks} open clocks"
        )
    for kind, used in (("department", uses.by_department), ("division", uses.by_division)):
        for place, calendar in sorted(used.items()):
            print(f"{kind} {place}: {calendar}")
    return 0


def _is_package(name: str) -> bool:
    return name.partition(":")[0] in PACKAGES and not Path(name).exists()


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SetupError(f"{path} is larger than {_MOST_BYTES // 2**20} MiB; want one calendar")
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


def _years(text: str) -> Sequence[int]:
    years: set[int] = set()
    for piece in text.split(","):
        first, _, last = piece.strip().partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and 1970 <= int(first) <= int(last or first) <= 2100):
            raise argparse.ArgumentTypeError(f"{text!r}; want years such as 2026,2027 or 2026-2028")
        years |= set(range(int(first), int(last or first) + 1))
    return sorted(years)
