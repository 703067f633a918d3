"""Working calendars and their editions, and by when something would be due: the rules of time, to be read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web

from gridsvc.api.parts import scoped
from gridsvc.api.route import DESK, SIGNED_IN, Route
from gridsvc.api.wire import Moment, Page, Told, Wanted, path_code, read_query, reply
from gridsvc.db import Conn
from gridsvc.domain.calendar import Slots
from gridsvc.domain.calendar_edition import Week, missing_years
from gridsvc.domain.case_state import BESIDE, Clock
from gridsvc.domain.category import LEVELS, STAGES
from gridsvc.domain.foretell import RungAhead, foretell
from gridsvc.domain.ladder_file import after_text
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import BadRequest, Unknown
from gridsvc.store import calendars, owners
from gridsvc.store.cells import division_path
from gridsvc.store.rulebook import rulebook

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class CalendarOut(Told):
    """A calendar with its edition in force. `missing` are the years that should be published by now and are not.

    `departments` and `divisions` are where it holds although categories name another; `categories` counts those of
    the default edition that name it; `open_clocks` those in my sight.
    """

    code: str
    name: str
    edition: int
    work_day: str
    years: list[int]
    missing: list[int]
    published_at: datetime | None
    published_by: str
    departments: list[str]
    divisions: list[str]
    categories: int
    open_clocks: int


class SeasonOut(Told):
    """Other slots between two days of every year, both included (夏/冬季作息)."""

    name: str
    first: str
    last: str
    slots: dict[str, list[list[str]]]


class CalendarDayOut(Told):
    """A day off, or (works) a make-up workday (调休); `notice` is the year whose notice says so."""

    day: date
    works: bool
    name: str
    notice: int


class DisputedDayOut(Told):
    """A day of which the sources of this edition made different things, by source; one of them was followed."""

    day: date
    said: dict[str, str]


class CalendarDetail(Told):
    """One calendar: slots by ISO weekday (1 Monday), seasons, and the days of `year` that differ."""

    calendar: CalendarOut
    slots: dict[str, list[list[str]]]
    seasons: list[SeasonOut]
    year: int
    published: bool
    days: list[CalendarDayOut]
    sources: list[str]
    disputed: list[DisputedDayOut]


class CalendarEditionOut(Told):
    """One edition; `replaced_at` is null for the one in force. `days` counts those that differ from the slots."""

    edition: int
    name: str
    work_day: str
    years: list[int]
    days: int
    sources: list[str]
    disputed: list[DisputedDayOut]
    published_at: datetime | None
    published_by: str
    replaced_at: datetime | None


class CalendarQuery(Wanted):
    """Which year's days; left out: the current one."""

    year: Annotated[int, msgspec.Meta(ge=1970, le=2100)] | None = None


class DeadlineQuery(Wanted):
    """A case that there might be. Left out: `at` now, `clock` handling, the department of the category."""

    category: _Code
    division: _Code | None = None
    department: _Code | None = None
    condition: _Code | None = None
    management_level: _Code | None = None
    clock: _Code = "handling"
    at: Moment | None = None


class SpanOut(Told):
    """A stretch up to the deadline, whether it counts, and why: docs/rules/deadlines.md lists the reasons."""

    start: datetime
    end: datetime
    counted: bool
    why: str
    name: str
    seconds: float


class RungAheadOut(Told):
    """A rung, and when it would fire if nobody acted: at a share of the limit, or so long after the rung before."""

    level: int
    share: float | None
    after: str | None
    repeats: int
    effect: str
    role: str
    division_level: str | None
    at: datetime


class DeadlineOut(Told):
    """By when it would be due, and why: which limit, which calendar and edition, which stretches count."""

    category: str
    clock: str
    unit: str
    budget_s: int
    calendar: str | None
    calendar_edition: int | None
    begins_at: datetime
    due_at: datetime
    provisional: bool
    ladder: str
    rungs: list[RungAheadOut]
    intervals: list[SpanOut]


async def _calendars(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, now):
        book = await rulebook(conn)
        found = [_out(row, book, now) for row in await calendars.LIST.all(conn)]
    return reply(Page[CalendarOut](items=found))


async def _calendar(request: web.Request) -> web.Response:
    code, asked = path_code(request), read_query(request, CalendarQuery)
    async with scoped(request) as (conn, now):
        book = await rulebook(conn)
        listed = {row.code: row for row in await calendars.LIST.all(conn)}
        if code not in listed:
            raise Unknown(f"no calendar {code!r}", given=code)
        edition = (await calendars.in_force(conn))[code]
        told = await _edition(conn, code, edition.number)
    year = asked.year or now.astimezone(book.zone).year
    days = [each for each in edition.days if each.day.year == year]
    return reply(
        CalendarDetail(
            calendar=_out(listed[code], book, now), slots=_slots(edition.slots), year=year,
            published=year in edition.years,
            seasons=[SeasonOut(each.name, _month_day(each.first), _month_day(each.last), _slots(each.slots))
                     for each in edition.seasons],
            days=[CalendarDayOut(each.day, each.works, each.name, each.notice) for each in days],
            sources=told.sources, disputed=told.disputed,
        )
    )  # fmt: skip


async def _editions(request: web.Request) -> web.Response:
    code = path_code(request)
    async with scoped(request) as (conn, _):
        found = await calendars.EDITIONS.all(conn, code)
    if not found:
        raise Unknown(f"no calendar {code!r}", given=code)
    return reply(Page[CalendarEditionOut](items=[_edition_out(row) for row in found]))


async def _deadline(request: web.Request) -> web.Response:
    asked = read_query(request, DeadlineQuery)
    async with scoped(request) as (conn, now):
        book = await rulebook(conn)
        divisions = await _path(conn, asked.division, now)
        if asked.department is not None and not await owners.department_exists(conn, asked.department):
            raise Unknown(f"no department {asked.department!r}", field="department")
    category = book.category(asked.category)
    if asked.condition is not None:
        category.condition(asked.condition)
    clock = _clock(asked.clock)
    level = asked.management_level
    if level is not None and level not in LEVELS:
        raise BadRequest(f"management_level is {level!r}", field="management_level", given=level, wanted=list(LEVELS))
    if clock in BESIDE and not book.runs(clock, category, asked.condition, level):
        raise BadRequest(
            f"category {category.id} sets no limit for {clock}, so no such clock runs",
            field="clock", given=asked.clock, wanted="a clock that runs",
        )  # fmt: skip
    limit = book.limit(
        clock, category, condition=asked.condition, management_level=level, divisions=divisions,
        department=asked.department or category.department,
    )  # fmt: skip
    begins = asked.at or now
    told = foretell(begins, limit, book.ladder(limit.ladder))
    return reply(
        DeadlineOut(
            category=category.id, clock=clock, unit=limit.budget.unit, budget_s=limit.budget.seconds,
            calendar=limit.calendar.code if limit.calendar else None,
            calendar_edition=limit.calendar.edition if limit.calendar else None,
            begins_at=begins, due_at=told.due.at, provisional=told.due.provisional, ladder=limit.ladder,
            rungs=[_rung(each) for each in told.rungs],
            intervals=[SpanOut(each.start, each.end, each.counted, each.why, each.name,
                               (each.end - each.start).total_seconds()) for each in told.intervals],
        )
    )  # fmt: skip


def _rung(ahead: RungAhead) -> RungAheadOut:
    rung = ahead.rung
    return RungAheadOut(
        level=rung.level, share=rung.share, after=None if rung.after is None else after_text(rung.after),
        repeats=rung.repeats, effect=rung.effect, role=rung.role, division_level=rung.division_level, at=ahead.at,
    )  # fmt: skip


def _clock(given: str) -> Clock:
    if given not in STAGES:
        raise BadRequest(f"clock is {given!r}", field="clock", given=given, wanted=list(STAGES))
    return Clock(given)


async def _path(conn: Conn, division: str | None, now: datetime) -> list[str]:
    if division is None:
        return []
    path = await division_path(conn, division, now)
    if path is None:
        raise Unknown(f"no division {division!r} in the grid set in force", field="division")
    return path


async def _edition(conn: Conn, code: str, number: int) -> CalendarEditionOut:
    [row] = [each for each in await calendars.EDITIONS.all(conn, code) if each.edition == number]
    return _edition_out(row)


def _edition_out(row: calendars.EditionListed) -> CalendarEditionOut:
    return CalendarEditionOut(
        edition=row.edition, name=row.name, work_day=row.work_day, years=sorted(row.years), days=row.days,
        sources=row.sources, disputed=[_disputed(each) for each in row.overruled], published_at=row.published_at,
        published_by=row.published_by, replaced_at=row.replaced_at,
    )  # fmt: skip


def _disputed(kept: dict[str, Any]) -> DisputedDayOut:
    return DisputedDayOut(day=date.fromisoformat(kept["day"]), said=kept["said"])


def _out(row: calendars.Listed, book: Rulebook, now: datetime) -> CalendarOut:
    today = now.astimezone(book.zone).date()
    uses = book.calendar_uses
    named = [each for each in book.categories.values() if each.edition == book.default_edition and each.active]
    return CalendarOut(
        code=row.code, name=row.name, edition=row.edition, work_day=row.work_day, years=sorted(row.years),
        missing=missing_years(frozenset(row.years), today), published_at=row.published_at,
        published_by=row.published_by,
        departments=sorted(place for place, calendar in uses.by_department.items() if calendar == row.code),
        divisions=sorted(place for place, calendar in uses.by_division.items() if calendar == row.code),
        categories=sum(each.calendar == row.code for each in named), open_clocks=row.open_clocks,
    )  # fmt: skip


def _slots(week: Week) -> dict[str, list[list[str]]]:
    return {str(weekday): _day(slots) for weekday, slots in sorted(week.items())}


def _day(slots: Slots) -> list[list[str]]:
    return [[f"{opens:%H:%M}", f"{closes:%H:%M}"] for opens, closes in slots]


def _month_day(day: tuple[int, int]) -> str:
    return "{:02}-{:02}".format(*day)


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/calendars", handler=_calendars, roles=SIGNED_IN, scope="grid:read",
        answers=Page[CalendarOut], summary="Working calendars: editions, years that are published, where they hold.",
    ),
    Route(
        method="GET", path="/api/v1/calendars/{code}", handler=_calendar, roles=SIGNED_IN, scope="grid:read",
        query=CalendarQuery, answers=CalendarDetail,
        summary="One calendar: slots, seasons, the days of a year, and where its sources disagreed.",
    ),
    Route(
        method="GET", path="/api/v1/calendars/{code}/editions", handler=_editions, roles=SIGNED_IN, scope="grid:read",
        answers=Page[CalendarEditionOut], summary="Every edition of a calendar, the one in force first.",
    ),
    Route(
        method="GET", path="/api/v1/deadlines", handler=_deadline, roles=DESK, scope="grid:read",
        query=DeadlineQuery, answers=DeadlineOut,
        summary="By when something would be due if it began now, or then: limit, calendar, stretches, rungs.",
    ),
)  # fmt: skip
