"""The tables `calendars`, `calendar_days`, `calendar_editions`, `calendar_uses`: hours, days off, where they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.calendar import Calendar, MonthDay, Season, WorkDay
from gridsvc.domain.calendar_edition import CalendarDay, Disagreement, Edition, Week
from gridsvc.domain.clock import CaseClock
from gridsvc.domain.rulebook import CalendarUses, Rulebook
from gridsvc.errors import SetupError


@dataclass(frozen=True, kw_only=True)
class _EditionRow:
    code: str
    edition: int
    name: str
    slots: dict[str, list[list[str]]]
    seasons: list[dict[str, Any]]
    work_day: str
    years: list[int]
    sources: list[str]

    def read(self, days: Sequence[CalendarDay]) -> Edition:
        return Edition(
            code=self.code,
            number=self.edition,
            name=self.name,
            slots=_week(self.slots),
            seasons=tuple(
                Season(
                    name=each["name"],
                    first=_month_day(each["first"]),
                    last=_month_day(each["last"]),
                    slots=_week(each["slots"]),
                )
                for each in self.seasons
            ),
            work_day=WorkDay(self.work_day),
            years=frozenset(self.years),
            days=tuple(days),
            sources=tuple(self.sources),
        )


_IN_FORCE = Statement(
    _EditionRow,
    """
    SELECT code, edition, name, slots, seasons, work_day, years, sources
      FROM calendars
     ORDER BY code
    """,
)


@dataclass(frozen=True)
class _DayRow:
    calendar: str
    day: date
    works: bool
    name: str
    notice: int


_DAYS = Statement(
    _DayRow,
    """
    SELECT calendar, day, works, name, coalesce(notice, extract(year FROM day)::integer) AS notice
      FROM calendar_days
     ORDER BY calendar, day
    """,
)


@dataclass(frozen=True, kw_only=True)
class _PastRow(_EditionRow):
    days: list[dict[str, Any]]


_PAST = Statement(
    _PastRow,
    """
    SELECT e.calendar AS code, e.edition, e.name, e.slots, e.seasons, e.work_day, e.years, e.sources, e.days
      FROM calendar_editions e
      JOIN unnest($1::text[], $2::integer[]) AS wanted (calendar, edition) USING (calendar, edition)
    """,
)


@dataclass(frozen=True)
class _UseRow:
    department: str | None
    division_code: str | None
    calendar: str


_USES = Statement(
    _UseRow,
    """
    SELECT department, division_code, calendar
      FROM calendar_uses
     ORDER BY department, division_code
    """,
)


@dataclass(frozen=True)
class _Number:
    edition: int


_LOCK = Statement(
    _Number,
    """
    SELECT edition
      FROM calendars
     WHERE code = $1::text
       FOR NO KEY UPDATE   -- clocks that start meanwhile refer to it, and must not wait
    """,
)

_BEGIN = Statement(
    Nothing,
    """
    INSERT INTO calendars (code, name, slots, edition)
    VALUES ($1::text, '', '{}', 0)
        ON CONFLICT DO NOTHING
    """,
)

_ARCHIVE = Statement(
    Nothing,
    """
    INSERT INTO calendar_editions (
           calendar, edition, name, slots, seasons, work_day, years, days, sources, published_at, published_by,
           replaced_at, overruled)
    SELECT code, edition, name, slots, seasons, work_day, years,
           coalesce((SELECT jsonb_agg(jsonb_build_object(
                              'day', d.day, 'works', d.works, 'name', d.name,
                              'notice', coalesce(d.notice, extract(year FROM d.day)::integer)) ORDER BY d.day)
                       FROM calendar_days d
                      WHERE d.calendar = code), '[]'),
           sources, published_at, published_by, $2::timestamptz, overruled
      FROM calendars
     WHERE code = $1::text
       AND edition > 0   -- 0: one that begins now
    """,
)

_REPLACE = Statement(
    Nothing,
    """
    UPDATE calendars
       SET edition = $2::integer, name = $3::text, slots = $4::jsonb, seasons = $5::jsonb, work_day = $6::text,
           years = $7::integer[], sources = $8::jsonb, published_by = $9::text, published_at = $10::timestamptz,
           overruled = $11::jsonb
     WHERE code = $1::text
    """,
)

_CLEAR_DAYS = Statement(Nothing, "DELETE FROM calendar_days WHERE calendar = $1::text")

_ADD_DAYS = Statement(
    Nothing,
    """
    INSERT INTO calendar_days (calendar, day, works, name, notice)
    SELECT $1::text, day, works, name, notice
      FROM unnest($2::date[], $3::boolean[], $4::text[], $5::integer[]) AS d (day, works, name, notice)
    """,
)

_USE_FOR_DEPARTMENT = Statement(
    Nothing,
    """
    INSERT INTO calendar_uses (department, calendar)
    VALUES ($1::text, $2::text)
        ON CONFLICT (department) DO UPDATE SET calendar = excluded.calendar
    """,
)

_USE_FOR_DIVISION = Statement(
    Nothing,
    """
    INSERT INTO calendar_uses (division_code, calendar)
    VALUES ($1::text, $2::text)
        ON CONFLICT (division_code) DO UPDATE SET calendar = excluded.calendar
    """,
)

_END_USE = Statement(
    Nothing,
    """
    DELETE FROM calendar_uses
     WHERE department = $1::text
        OR division_code = $2::text
    """,
)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One calendar as a list shows it."""

    code: str
    edition: int
    name: str
    work_day: str
    years: list[int]
    published_at: datetime | None
    published_by: str
    open_clocks: int


LIST = Statement(
    Listed,
    """
    SELECT c.code, c.edition, c.name, c.work_day, c.years, c.published_at, c.published_by,
           (SELECT count(*)::integer FROM clocks k WHERE k.calendar = c.code AND k.state <> 'stopped') AS open_clocks
      FROM calendars c
     ORDER BY c.code
    """,
)


@dataclass(frozen=True)
class Outdated:
    """How many cases have open clocks that an older edition was asked for."""

    cases: int


OUTDATED = Statement(
    Outdated,
    """
    SELECT count(DISTINCT k.case_id)::integer AS cases
      FROM clocks k
      JOIN calendars c ON c.code = k.calendar
     WHERE k.state <> 'stopped'
       AND k.edition < c.edition
    """,
)


@dataclass(frozen=True)
class _Alarm:
    calendar: str
    year: int


_RAISE_ALARMS = Statement(
    _Alarm,
    """
    INSERT INTO calendar_alarms (calendar, year, told_at)
    SELECT calendar, year, $3::timestamptz
      FROM unnest($1::text[], $2::integer[]) AS missing (calendar, year)
        ON CONFLICT DO NOTHING
    RETURNING calendar, year
    """,
)


@dataclass(frozen=True, kw_only=True)
class EditionListed:
    """One edition of a calendar as a list shows it; `days` counts those that differ, `overruled`: see schema.sql."""

    edition: int
    name: str
    work_day: str
    years: list[int]
    days: int
    sources: list[str]
    overruled: list[dict[str, Any]]
    published_at: datetime | None
    published_by: str
    replaced_at: datetime | None


EDITIONS = Statement(
    EditionListed,
    """
    SELECT edition, name, work_day, years,
           (SELECT count(*)::integer FROM calendar_days d WHERE d.calendar = code) AS days,
           sources, overruled, published_at, published_by, NULL::timestamptz AS replaced_at
      FROM calendars
     WHERE code = $1::text
    UNION ALL
    SELECT edition, name, work_day, years, jsonb_array_length(days), sources, overruled, published_at, published_by,
           replaced_at
      FROM calendar_editions
     WHERE calendar = $1::text
     ORDER BY edition DESC
    """,
)


async def raise_alarms(conn: Conn, missing: Sequence[tuple[str, int]], now: datetime) -> list[tuple[str, int]]:
    """Note that these years of calendars are missing; return those of which nobody was told before."""
    if not missing:
        return []
    rows = await _RAISE_ALARMS.all(conn, [code for code, _ in missing], [year for _, year in missing], now)
    return [(row.calendar, row.year) for row in rows]


async def in_force(conn: Conn) -> dict[str, Edition]:
    """The edition in force of every calendar."""
    days: dict[str, list[CalendarDay]] = defaultdict(list)
    for row in await _DAYS.all(conn):
        days[row.calendar].append(CalendarDay(day=row.day, works=row.works, name=row.name, notice=row.notice))
    return {row.code: row.read(days[row.code]) for row in await _IN_FORCE.all(conn)}


async def past(conn: Conn, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Edition]:
    """Editions that were in force before, by code and number; those in force now are not among them."""
    if not wanted:
        return {}
    rows = await _PAST.all(conn, [code for code, _ in wanted], [number for _, number in wanted])
    return {
        (row.code, row.edition): row.read(
            [CalendarDay(**{**each, "day": date.fromisoformat(each["day"])}) for each in row.days]
        )
        for row in rows
    }


async def uses(conn: Conn) -> CalendarUses:
    """Which departments and divisions have another calendar than their categories'."""
    rows = await _USES.all(conn)
    return CalendarUses(
        by_department={row.department: row.calendar for row in rows if row.department is not None},
        by_division={row.division_code: row.calendar for row in rows if row.division_code is not None},
    )


async def lock(conn: Conn, code: str) -> Edition | None:
    """The edition in force, which nobody replaces until the transaction ends; None: there is no such calendar."""
    found = await _LOCK.one(conn, code)
    return None if found is None else (await in_force(conn))[code]


async def put_in_force(
    conn: Conn, edition: Edition, by: str, now: datetime, overruled: Sequence[Disagreement] = ()
) -> None:
    """Keep the edition of the locked calendar as a past one, and put `edition` in its place.

    `overruled` is where its sources disagreed and one of them was followed.
    Raises SetupError where somebody has begun the same calendar meanwhile.
    """
    if edition.number == 1 and not await _BEGIN.run(conn, edition.code):
        raise SetupError(f"calendar {edition.code} was begun by somebody else meanwhile; run it again")
    await _ARCHIVE.run(conn, edition.code, now)
    await _REPLACE.run(
        conn, edition.code, edition.number, edition.name, _week_out(edition.slots),
        [_season_out(season) for season in edition.seasons], edition.work_day, sorted(edition.years),
        list(edition.sources), by, now,
        [{"day": each.day.isoformat(), "said": dict(each.said)} for each in overruled],
    )  # fmt: skip
    await _CLEAR_DAYS.run(conn, edition.code)
    days = edition.days
    await _ADD_DAYS.run(
        conn, edition.code, [each.day for each in days], [each.works for each in days],
        [each.name for each in days], [each.notice for each in days],
    )  # fmt: skip


async def use_for_department(conn: Conn, department: str, calendar: str) -> None:
    """From now on clocks of this department start on `calendar`."""
    await _USE_FOR_DEPARTMENT.run(conn, department, calendar)


async def use_for_division(conn: Conn, division: str, calendar: str) -> None:
    """From now on clocks of cases in this division, and in those below it, start on `calendar`."""
    await _USE_FOR_DIVISION.run(conn, division, calendar)


async def end_use(conn: Conn, department: str | None, division: str | None) -> int:
    """From now on their categories' own calendars hold there; how many uses ended."""
    return await _END_USE.run(conn, department, division)


def _week(kept: Mapping[str, list[list[str]]]) -> Week:
    return {
        int(weekday): tuple((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in slots)
        for weekday, slots in kept.items()
    }


def _week_out(week: Week) -> dict[str, list[list[str]]]:
    return {
        str(weekday): [[opens.isoformat("minutes"), closes.isoformat("minutes")] for opens, closes in slots]
        for weekday, slots in week.items()
    }


def _season_out(season: Season) -> dict[str, Any]:
    return {
        "name": season.name,
        "first": "{:02}-{:02}".format(*season.first),
        "last": "{:02}-{:02}".format(*season.last),
        "slots": _week_out(season.slots),
    }


def _month_day(kept: str) -> MonthDay:
    month, day = kept.split("-")
    return int(month), int(day)


async def of_clocks(conn: Conn, book: Rulebook, kept: Sequence[CaseClock]) -> dict[UUID, Calendar | None]:
    """The edition of its calendar by which each clock was computed last: a stopped one's may be long gone."""
    now = {clock.id: book.calendar(clock.calendar) for clock in kept}
    gone = {
        clock.id: (clock.calendar, clock.edition)
        for clock in kept
        if (calendar := now[clock.id]) is not None
        and clock.calendar is not None
        and clock.edition is not None
        and clock.edition != calendar.edition
    }
    gone_by = await past(conn, sorted(set(gone.values())))
    return now | {clock: gone_by[edition].calendar(book.zone) for clock, edition in gone.items()}
